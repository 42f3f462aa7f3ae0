internal import ArgumentParser
internal import TrialSupport

/// The ends of this program.
enum CacheTrialsExit {
  static func leave(_ status: Int32) -> Never {
    CacheTrials.exit(withError: ExitCode(status))
  }

  /// Leaves after an error of ArgumentParser, which throws for --help as well: that has the status of success.
  static func leave(for error: any Error) -> Never {
    if CacheTrials.exitCode(for: error) == .success { CacheTrials.exit(withError: error) }
    SystemCalls.writeToStandardError(CacheTrials.fullMessage(for: error) + "\n")
    leave(2)
  }
}
