internal import NIOConcurrencyHelpers
internal import NIOCore

/// A stop of all event loops but the main one: each waits inside a task, so that it reads nothing and sends nothing.
///
/// Between two tasks, an event loop has no bytes of a client that it has read and not passed on. So the main event loop
/// may look at all connections of a parked event loop as if there were one thread.
///
/// `@unchecked Sendable`: each part is used between two operations of a lock.
final class Parking: @unchecked Sendable {
  typealias Action = @Sendable (ServingLoop) -> Void

  private let isOver = ConditionLock(value: false)
  /// What each event loop does before it goes on.
  private var departure: Action = { _ in }

  /// Parks `loops`, and waits until they are.
  ///
  /// - Parameter arrival: what each of them does before.
  /// - Precondition: the caller is the main event loop, and does not have the engine's lock.
  init(_ loops: ArraySlice<ServingLoop>, arrival: @escaping Action) {
    let isParked = loops.map { _ in ConditionLock(value: false) }
    for (loop, isParked) in zip(loops, isParked) {
      loop.eventLoop.execute {
        arrival(loop)
        isParked.lock()
        isParked.unlock(withValue: true)
        self.isOver.lock(whenValue: true)
        self.isOver.unlock()
        self.departure(loop)
      }
    }
    for isParked in isParked {
      isParked.lock(whenValue: true)
      isParked.unlock()
    }
  }

  /// Lets the event loops go on, each after `departure`.
  func end(departure: @escaping Action = { _ in }) {
    self.departure = departure
    isOver.lock()
    isOver.unlock(withValue: true)
  }
}
