import Machine

/// How deep the stack goes below one operation: what is not used is painted before, and looked at
/// after.
enum StackMeter {
  static func begin() { machine_paint_stack() }

  /// Prints what was used, for the table that `run` makes.
  @inline(never)
  static func end(_ operation: StaticString) {
    say("  stack \(machine_stack_used()) bytes: \(operation)")
  }
}
