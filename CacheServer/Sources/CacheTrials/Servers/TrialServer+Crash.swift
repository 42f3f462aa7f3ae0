internal import TrialSupport

extension TrialServer {
  /// Kills it with SIGKILL, and waits until it is gone.
  ///
  /// - Throws: `TrialFailure` where it has ended otherwise.
  func crash() throws {
    process.signal(SignalNumber.kill)
    let end = try process.wait()
    process = ChildProcess(id: 0)
    guard end == .killed(signal: SignalNumber.kill) else {
      throw TrialFailure("the server has ended by itself: \(end): \(log.suffix(500))")
    }
  }

  /// Starts it once more, and waits until it answers.
  ///
  /// - Returns: how long that took, in milliseconds.
  func restart() throws -> Double {
    let begin = SystemCalls.monotonicNanoseconds
    try start()
    try awaitReady()
    return milliseconds(begin, SystemCalls.monotonicNanoseconds)
  }

  /// Has `kho`, a path, check the file while no server runs.
  func checkFile(_ kho: String) throws {
    let result = try ProgramResult.run(kho, ["check", memoryFile], log: "\(folder)/kho")
    guard result.end == .exited(0) else {
      throw TrialFailure("kho check: \(result.end): \(result.output.prefix(500))")
    }
  }
}
