/// A child of this process.
package struct ChildProcess: Sendable {
  /// How a process ended.
  package enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// Its process identifier.
  package let processID: Int32

  /// The child with that process identifier, which was not waited for yet.
  package init(_ processID: Int32) { self.processID = processID }

  /// kill(2) with SIGKILL: the process does not execute another instruction of its own.
  package func kill() { SystemCalls.signal(processID, SIGKILL) }

  /// Waits until the process has ended, waitpid(2).
  ///
  /// - Precondition: it was not waited for before.
  package func wait() -> End { ended(options: 0) ?? .exited(0) }

  /// How the process has ended; nil while it runs.
  ///
  /// - Precondition: the end was not returned before.
  package func poll() -> End? { ended(options: WNOHANG) }

  private func ended(options: Int32) -> End? {
    var status: Int32 = 0
    while true {
      // SAFETY: `status` outlives the call.
      let found = unsafe waitpid(processID, &status, options)
      if found == processID { break }
      if found == 0 { return nil }
      precondition(errno == EINTR, "a child that was waited for already")
    }
    // wait(2): the low seven bits are the signal, the second byte is the status.
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
  }
}
