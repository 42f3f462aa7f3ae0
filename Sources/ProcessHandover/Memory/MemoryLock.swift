/// The lock of memory that a process uses: given up at once when the memory is dropped.
///
/// Merely closed, it would last as long as any copy of its descriptor, and a child that another thread
/// is just starting has one until it calls execve(2): opening the memory again would fail now and then.
struct MemoryLock: ~Copyable {
  private let lock: WriterLock
  private var isOwn = true

  init(_ lock: consuming WriterLock) {
    self.lock = lock
  }

  deinit {
    if isOwn { lock.unlock() }
  }

  /// Names the lock among what `program` gets.
  func pass(to program: inout Successor, named name: String) {
    program.pass(lock, named: name)
  }

  /// The descriptor that holds the lock, which stays this value's, under a name.
  func named(_ name: String) -> NamedDescriptor { NamedDescriptor(name, lock.descriptor) }

  /// Leaves the lock to a process that has a copy of its descriptor.
  mutating func leave() { isOwn = false }

  /// Gives the lock up.
  mutating func release() {
    lock.unlock()
    isOwn = false
  }
}
