internal import ArgumentParser
internal import SystemPackage
internal import TrialSupport

/// Waits for the process that works, and clears up.
enum Guardian {
  /// Tells the process that works who waits for it.
  static let variable = "CACHE_TRIALS_GUARDIAN"

  /// Starts this program again, waits until it has ended, and removes what it has left.
  ///
  /// - Returns: its exit status.
  static func watch(_ folder: String) throws -> Int32 {
    SystemCalls.setEnvironmentValue(variable, "\(SystemCalls.ownProcess)")
    try SystemCalls.makeFolder(folder)
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

/// The ends of this program.
enum CacheTrialsExit {
  static func leave(_ status: Int32) -> Never {
    CacheTrials.exit(withError: ExitCode(status))
  }

  /// For what ArgumentParser throws: help and versions are no mistakes.
  static func leave(for error: any Error) -> Never {
    let message = CacheTrials.fullMessage(for: error)
    guard CacheTrials.exitCode(for: error) != .success else {
      print(message)
      leave(0)
    }
    SystemCalls.writeToStandardError(message + "\n")
    leave(2)
  }
}
