import Synchronization
import SystemPackage

@testable import MemoryImages

/// Counts the system calls of this task, and makes some fail.
final class CallCounter: Sendable {
  private let counts = Mutex<[SystemCall: Int]>([:])
  private let failures: [SystemCall: Errno]

  init(failing failures: [SystemCall: Errno] = [:]) { self.failures = failures }

  /// How many calls were made and not made to fail.
  subscript(call: SystemCall) -> Int { counts.withLock { $0[call, default: 0] } }

  /// Whether everything that was taken was given back.
  var isBalanced: Bool { self[.open] == self[.close] && self[.mmap] == self[.munmap] }

  @discardableResult
  func watch<Result>(_ body: () throws -> Result) rethrows -> Result {
    try SystemCalls.$interceptor.withValue({ [self] call in
      if let failure = failures[call] { return failure }
      counts.withLock { $0[call, default: 0] += 1 }
      return nil
    }) { try body() }
  }
}
