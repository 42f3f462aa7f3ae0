package import Platform
internal import Synchronization
package import SystemPackage

/// Counts the system calls of this task, and makes some fail.
package final class CallWatcher: Sendable {
  private struct Failure {
    let error: Errno
    /// Which of the calls fails, counted from 1; nil for all.
    let occurrence: Int?
  }

  private let attempts = Mutex<[SystemCall: Int]>([:])
  private let failures = Mutex<[SystemCall: Int]>([:])
  private let wanted: [SystemCall: Failure]

  /// A watcher that makes all calls of some kinds fail.
  package init(failing calls: [SystemCall: Errno] = [:]) {
    wanted = calls.mapValues { Failure(error: $0, occurrence: nil) }
  }

  /// A watcher that makes one call fail, or all of its kind.
  package init(
    failing call: SystemCall, with error: Errno = .ioError, at occurrence: Int? = nil
  ) {
    wanted = [call: Failure(error: error, occurrence: occurrence)]
  }

  /// How many calls were made and not made to fail.
  package subscript(call: SystemCall) -> Int {
    attempts.withLock { $0[call, default: 0] } - failures.withLock { $0[call, default: 0] }
  }

  /// Whether a call was made to fail.
  package var hasFailed: Bool { failures.withLock { !$0.isEmpty } }

  /// Whether everything that was opened or mapped was given back.
  package var isBalanced: Bool { self[.open] == self[.close] && self[.mmap] == self[.munmap] }

  /// Calls `body` and watches the calls in it.
  @discardableResult
  package func watch<Result>(_ body: () throws -> Result) rethrows -> Result {
    try SystemCalls.$interceptor.withValue(
      SystemCallInterceptor { [self] call in
        let count = attempts.withLock { attempts in
          attempts[call, default: 0] += 1
          return attempts[call, default: 0]
        }
        guard let wanted = wanted[call], wanted.occurrence ?? count == count else { return nil }
        failures.withLock { $0[call, default: 0] += 1 }
        return wanted.error
      }
    ) { try body() }
  }
}
