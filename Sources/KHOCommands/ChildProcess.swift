internal import KexecHandover
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A process that runs this very program with other arguments.
struct ChildProcess {
  /// How a process ended.
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  let processID: Int32

  /// This program.
  static func program(_ arguments: [String]) -> Successor {
    Successor("/proc/self/exe", arguments: arguments)
  }

  /// The process that was started with that number.
  init(_ processID: Int32) { self.processID = processID }

  /// Starts the process; output and errors go where this one's do.
  init(_ arguments: [String]) throws(SuccessorError) {
    processID = try Self.program(arguments).spawn()
  }

  /// kill(2) with SIGKILL: the process does not execute another instruction of its own.
  func kill() {
    _ = signalProcess(processID, SIGKILL)
  }

  /// Waits until the process has ended, waitpid(2).
  func wait() -> End { ended(options: 0) ?? .exited(0) }

  /// How the process has ended; nil while it runs. Whoever got an answer does not ask again.
  func poll() -> End? { ended(options: WNOHANG) }

  private func ended(options: Int32) -> End? {
    var status: Int32 = 0
    while true {
      // SAFETY: `status` outlives the call.
      let found = unsafe waitpid(processID, &status, options)
      if found == processID { break }
      if found == 0 { return nil }
      precondition(errno == EINTR, "a child that somebody else waited for")
    }
    // wait(2): the low seven bits are the signal, the second byte is the status.
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
  }
}

/// kill(2), which a method of that name hides.
private func signalProcess(_ processID: Int32, _ signal: Int32) -> Int32 {
  kill(processID, signal)
}
