internal import NIOCore
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The lock around the cache and everything else that event loops share.
///
/// An event loop that finds it taken asks again for some microseconds before it sleeps: a request takes about one.
/// The lock may be taken again at once by the event loop that has released it, so that it is not free while a sleeper
/// wakes up. ``giveWay()`` makes room for the sleepers.
///
/// `@unchecked Sendable`: the mutex does not move, and every thread may use it.
@safe
final class ServingLock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  /// How many threads have found it taken and do not have it yet.
  private let waiterCount = Atomic<Int>(0)
  /// How often one of them got it.
  private let turnCount = Atomic<Int>(0)
  /// How many nanoseconds they have waited, all together; with the lock.
  private var waitedNanoseconds: UInt64 = 0

  init() {
    unsafe mutex = .allocate(capacity: 1)
    var attributes = pthread_mutexattr_t()
    // SAFETY: both calls make what they are given, and the mutex does not move until it is destroyed.
    unsafe pthread_mutexattr_init(&attributes)
    #if canImport(Glibc)
      unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
    #endif
    let result = unsafe pthread_mutex_init(mutex, &attributes)
    precondition(result == 0, "the lock cannot be made")
    unsafe pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    // SAFETY: no thread has it any more.
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Takes the lock.
  ///
  /// - Precondition: the calling thread does not have it.
  func lock() {
    // SAFETY: the mutex exists as long as this object.
    guard unsafe pthread_mutex_trylock(mutex) != 0 else { return }
    waiterCount.add(1, ordering: .relaxed)
    let start = NIODeadline.now()
    let result = unsafe pthread_mutex_lock(mutex)
    precondition(result == 0, "the lock cannot be taken")
    waiterCount.subtract(1, ordering: .relaxed)
    turnCount.add(1, ordering: .relaxed)
    waitedNanoseconds &+= UInt64(max((NIODeadline.now() - start).nanoseconds, 0))
  }

  /// How often a thread found the lock taken, and how many microseconds all of them have waited.
  ///
  /// - Precondition: the calling thread has the lock.
  var waits: (count: UInt64, microseconds: UInt64) {
    (UInt64(turnCount.load(ordering: .relaxed)), waitedNanoseconds / 1000)
  }

  /// Releases the lock.
  ///
  /// - Precondition: the calling thread has it.
  func unlock() {
    // SAFETY: the mutex exists as long as this object.
    unsafe pthread_mutex_unlock(mutex)
  }

  /// How often a thread that gives way looks whether another one has got the lock.
  private static let lookCount = 100

  /// Releases the lock if another thread waits for it, and takes it again after that thread or after some microseconds.
  ///
  /// - Precondition: the calling thread has it.
  /// - Returns: whether the lock was released.
  func giveWay() -> Bool {
    guard waiterCount.load(ordering: .relaxed) > 0 else { return false }
    let count = turnCount.load(ordering: .relaxed)
    unlock()
    for _ in 0..<Self.lookCount where turnCount.load(ordering: .relaxed) == count {
      SystemCalls.yield()
    }
    lock()
    return true
  }
}
