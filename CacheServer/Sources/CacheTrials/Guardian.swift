internal import TrialSupport

/// Waits for the process that works, and clears up.
enum Guardian {
  /// The variable that passes the id of the guardian to the process that works.
  static let variable = "CACHE_TRIALS_GUARDIAN"

  /// Starts this program again, waits until it has ended, and removes what it has left.
  ///
  /// - Returns: its exit status.
  static func watch(_ folder: String) throws -> Int32 {
    SystemCalls.setEnvironmentValue(variable, "\(SystemCalls.ownProcess)")
    do { try SystemCalls.makeFolder(folder) } catch {
      throw TrialFailure("folder '\(folder)' cannot be made: \(error)")
    }
    try SystemCalls.endWithParent(nil, removing: folder)
    let worker = try ChildProcess(
      inheriting: SystemCalls.ownProgram, Array(CommandLine.arguments.dropFirst()))
    let end = try worker.wait()
    SystemCalls.killChildren()
    try SystemCalls.removeTree(folder)
    switch end {
    case .exited(let status): return status
    case .killed: throw TrialFailure("the trial has ended by \(end)")
    }
  }
}
