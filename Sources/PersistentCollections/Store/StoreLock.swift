internal import Platform
import Synchronization

/// One writer, or any number of readers.
///
/// A reader counts itself in one of several counters, chosen by its thread, so that readers on different
/// processors do not share a cache line. The writer says that it writes, and waits until every counter
/// is 0. The thread that writes may read and write again.
final class StoreLock: Sendable {
  private let counters = InlineArray<16, Counter> { _ in Counter() }
  private let isWriting = Atomic<Bool>(false)
  private let writerThread = Atomic<UInt>(0)
  private let writers = Mutex<Void>(())

  /// A counter with a cache line, and its neighbour, for itself.
  private struct Counter: ~Copyable, Sendable {
    let readers = Atomic<Int>(0)
    private let padding = InlineArray<15, UInt64>(repeating: 0)
  }

  private static var thread: UInt { UInt(pthread_self()) }

  /// Whether this thread is the writer.
  var isWriter: Bool { writerThread.load(ordering: .relaxed) == Self.thread }

  /// Calls `body` while no other thread writes.
  @inline(__always)
  func read<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let thread = Self.thread
    if writerThread.load(ordering: .relaxed) == thread { return try body() }
    let index = Int(truncatingIfNeeded: (thread &* 0x9e37_79b9_7f4a_7c15) &>> 60)
    while true {
      counters[index].readers.add(1, ordering: .sequentiallyConsistent)
      if !isWriting.load(ordering: .sequentiallyConsistent) { break }
      counters[index].readers.subtract(1, ordering: .sequentiallyConsistent)
      // The writer has the mutex until it is done.
      writers.withLock { _ in }
    }
    defer { counters[index].readers.subtract(1, ordering: .releasing) }
    return try body()
  }

  /// Calls `body` while no other thread reads or writes.
  func write<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if isWriter { return try body() }
    var result: Swift.Result<Result, Failure>?
    writers.withLock { _ in
      isWriting.store(true, ordering: .sequentiallyConsistent)
      for index in counters.indices {
        while counters[index].readers.load(ordering: .acquiring) != 0 { sched_yield() }
      }
      writerThread.store(Self.thread, ordering: .relaxed)
      do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) }
      writerThread.store(0, ordering: .relaxed)
      isWriting.store(false, ordering: .sequentiallyConsistent)
    }
    guard let result else { preconditionFailure("a lock that did not call its body") }
    return try result.get()
  }
}
