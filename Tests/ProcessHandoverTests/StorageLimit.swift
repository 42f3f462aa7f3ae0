import Platform
import Synchronization
import SystemPackage

@testable import ProcessHandover

/// A file system that has room for a number of takes of frames, and then none.
///
/// A chunk is never backed as a whole, so that each take asks for its own pages.
final class StorageLimit: Sendable {
  private let callCount = Mutex(0)
  private let takeCount: Int

  init(takeCount: Int) { self.takeCount = takeCount }

  /// How many takes asked for storage, those that got none among them.
  var askedCount: Int { callCount.withLock { $0 / 2 } }

  /// Whether a take got none.
  var wasReached: Bool { askedCount > takeCount }

  func impose<Result>(_ body: () throws -> Result) rethrows -> Result {
    try SystemCalls.$interceptor.withValue(
      SystemCallInterceptor { [self] call in
        // So that storage that is there already is asked for as well.
        if call == .cachestat { return .noFunction }
        guard call == .fallocate else { return nil }
        return callCount.withLock { count in
          count += 1
          // First the whole chunk, then what is wanted of it.
          return count % 2 == 1 || count / 2 > takeCount ? .noSpace : nil
        }
      }
    ) { try body() }
  }
}
