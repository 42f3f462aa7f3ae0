import Synchronization
import SystemPackage

@testable import ProcessHandover

/// Counts the system calls of this task, and makes some fail.
final class CallWatcher: Sendable {
  private struct Failure {
    let call: ProcessCall
    let error: Errno
    /// Which of the calls fails, counted from 1; nil for all.
    let occurrence: Int?
  }

  private let attempts = Mutex<[ProcessCall: Int]>([:])
  private let failures = Mutex<[ProcessCall: Int]>([:])
  private let wanted: Failure?

  init() { wanted = nil }

  init(failing call: ProcessCall, with error: Errno = .ioError, at occurrence: Int? = nil) {
    wanted = Failure(call: call, error: error, occurrence: occurrence)
  }

  /// How many calls were made and not made to fail.
  subscript(call: ProcessCall) -> Int {
    attempts.withLock { $0[call, default: 0] } - failures.withLock { $0[call, default: 0] }
  }

  /// Whether a call was made to fail.
  var hasFailed: Bool { failures.withLock { !$0.isEmpty } }

  @discardableResult
  func watch<Result>(_ body: () throws -> Result) rethrows -> Result {
    try ProcessCalls.$interceptor.withValue({ [self] call in
      let count = attempts.withLock { attempts in
        attempts[call, default: 0] += 1
        return attempts[call, default: 0]
      }
      guard let wanted, wanted.call == call, wanted.occurrence ?? count == count else { return nil }
      failures.withLock { $0[call, default: 0] += 1 }
      return wanted.error
    }) { try body() }
  }
}
