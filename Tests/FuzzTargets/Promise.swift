/// Ends the process with `message` where something does not hold that always must; unlike a
/// precondition, it says what in an optimized build too.
func promise(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}
