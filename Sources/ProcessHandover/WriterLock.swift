internal import Platform
public import SystemPackage

/// The right to write a memory file, which one holder has at a time: flock(2).
///
/// The lock belongs to an open file description that is its own, so a copy of the file's descriptor
/// that a parent, a peer or a service manager keeps holds nothing. It is gone with the last
/// descriptor of it, however its process ends; a holder that died does not block others. A child that was
/// forked, and has not called execve(2) yet, has a copy of the descriptor: ``release()`` in this process
/// does not wait for the child, and in the child it gives up nothing.
///
/// It keeps out only those who ask for it.
public struct WriterLock: ~Copyable, Sendable {
  let file: OwnedDescriptor
  /// The process that has the lock. A forked child is another one.
  private let processID = SystemCalls.processID

  private init(_ file: consuming OwnedDescriptor) { self.file = file }

  /// The lock of `file`, without waiting for it.
  ///
  /// - Throws: `held` where another process has it; `cannotOpen`, `cannotLock`.
  /// - Complexity: O(1); where it is refused, O(descriptors open on the machine).
  public static func acquire(of file: MemoryFile) throws(WriterLockError) -> WriterLock {
    let own: OwnedDescriptor
    do throws(Errno) {
      own = OwnedDescriptor(
        try file.withDescriptor { (descriptor) throws(Errno) in
          try SystemCalls.open(descriptor.pathInProc, .readWrite)
        })
    } catch {
      throw .cannotOpen(error)
    }
    return try locking(own, of: file)
  }

  /// The lock of `file` that this process was handed in a descriptor: by a predecessor that became
  /// this one by execve(2), or by its parent.
  ///
  /// - Parameter file: the file.
  /// - Parameter descriptor: the lock's from here on, also where an error is thrown.
  /// - Throws: `foreignDescriptor` where it points to another file; `notHeld` where it does not hold
  ///   the lock, so that there was a moment in which another could have written; `held`,
  ///   `cannotInspect`, `cannotLock`.
  public static func inherit(
    _ descriptor: FileDescriptor, of file: MemoryFile
  ) throws(WriterLockError) -> WriterLock {
    let own = OwnedDescriptor(descriptor)
    let identity: FileIdentity
    do throws(Errno) {
      identity = try SystemCalls.status(of: descriptor).identity
      try SystemCalls.setCloseOnExec(descriptor, true)
    } catch {
      throw .cannotInspect(error)
    }
    guard identity == file.identity else { throw .foreignDescriptor }
    guard LockTable.holdsLock(process: "self", descriptor: descriptor.rawValue, on: identity) else {
      throw .notHeld
    }
    return try locking(own, of: file)
  }

  /// Takes the lock; a description that has it already keeps it.
  private static func locking(
    _ own: consuming OwnedDescriptor, of file: MemoryFile
  ) throws(WriterLockError) -> WriterLock {
    do throws(Errno) {
      try SystemCalls.lockExclusively(own.descriptor)
    } catch {
      guard error == .wouldBlock else { throw .cannotLock(error) }
      throw .held(by: LockTable.holder(of: file.identity))
    }
    return WriterLock(own)
  }

  /// Gives the lock up at once, also where a child or a successor has a copy of its descriptor.
  ///
  /// A lock that is merely dropped is gone with the last copy. A child that was forked from the process
  /// that took the lock only closes its copy: the lock stays its parent's.
  public consuming func release() { unlock() }

  /// Unlocks the open file description, which a forked child shares with its parent.
  func unlock() {
    guard processID == SystemCalls.processID else { return }
    try? SystemCalls.unlock(file.descriptor)
  }

  /// The descriptor that holds the lock, to pass it on. It stays this value's.
  public var descriptor: FileDescriptor { file.descriptor }

  /// Lets the lock survive execve(2), for ``inherit(_:of:)`` in the program after this one; gives
  /// the descriptor that holds it. ``Successor`` does this by itself.
  ///
  /// Until then, every program that any thread starts gets the lock as well.
  ///
  /// - Throws: `cannotInspect`.
  public func keepAcrossExec() throws(WriterLockError) -> FileDescriptor {
    do throws(Errno) {
      try SystemCalls.setCloseOnExec(file.descriptor, false)
    } catch {
      throw .cannotInspect(error)
    }
    return file.descriptor
  }
}
