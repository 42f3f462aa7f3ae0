import SystemPackage

// How the memory gets to the next process. Whichever way it goes, the bytes stay where they are.
//
//   exec         the same process becomes another program; memory and lock never change hands
//   spawn        a child gets both; this process lets go
//   a channel    a process that connects gets both; this process lets go
//   a manager    systemd keeps the memory while no process does
//   the path     any process opens the file

extension PreservedMemory {
  /// The names under which the memory and its lock are passed on.
  public static var memoryName: String { "kho-memory" }
  static var lockName: String { "kho-lock" }
  /// What a process acknowledges with that has got the lock over a channel. Earlier versions acknowledge with 0.
  static var lockCode: UInt8 { 0x4c }

  /// Becomes `program`, which finds the memory with ``inherited(_:growableTo:)``: execve(2).
  ///
  /// The lock is held all the while, so no other process comes between. It only comes back by throwing; its type
  /// does not say so, since of a value that cannot be copied the compiler would warn that its end is
  /// never reached.
  ///
  /// - Throws: ``SuccessorError``; the memory is as usable as before then.
  public borrowing func exec(_ program: Successor) throws(SuccessorError) {
    try passed(on: program).exec()
  }

  /// Starts `program` as a child, which finds the memory with ``inherited(_:growableTo:)``, and lets
  /// go of it.
  ///
  /// - Returns: the child's process identifier; the caller waits for it.
  /// - Throws: ``SuccessorError``. The memory is let go of all the same: what is open again with
  ///   `open(_:byteCount:growableTo:)` or ``init(adopting:)`` holds the same as before.
  public consuming func handOver(
    toChild program: Successor
  ) throws(SuccessorError) -> Int32 {
    let child = try passed(on: program).spawn()
    lock.leave()
    return child
  }

  /// Sends the memory, and `descriptors` with it, to the process at the other end of `channel`, and
  /// lets go of it once that has said that it has them.
  ///
  /// The lock goes along, so no third process comes between. A program of an earlier version takes the lock
  /// once this one has let go of it, and so does one that gets more than 62 descriptors.
  ///
  /// - Precondition: there are at most 63 descriptors.
  /// - Throws: ``DescriptorChannelError``, `refused` where the other end acknowledges with a code that
  ///   is neither 0 nor 0x4c; the memory is let go of all the same, and another process can open the file.
  public consuming func handOver(
    to channel: inout DescriptorChannel, with descriptors: [NamedDescriptor] = []
  ) throws(DescriptorChannelError) {
    let own = file.withDescriptor { NamedDescriptor(Self.memoryName, $0) }
    let passesLock = descriptors.count + 2 <= NamedDescriptor.countLimit
    try channel.send([own] + (passesLock ? [lock.named(Self.lockName)] : []) + descriptors)
    switch try channel.awaitAcknowledgement() {
    case Self.lockCode where passesLock: lock.leave()
    // Only after that can the other one take the lock.
    case 0: lock.release()
    case let code: throw .refused(code: code)
    }
    try channel.acknowledge()
  }

  /// Gives a descriptor of the memory to the service manager, which keeps it while no process does:
  /// for a memfd, so that it survives a crash.
  ///
  /// - Throws: ``ServiceManagerError``.
  public borrowing func store(
    with manager: ServiceManager, named name: String = memoryName
  ) throws(ServiceManagerError) {
    let own = file.withDescriptor { NamedDescriptor(name, $0) }
    try manager.store(own)
  }

  /// Waits until the other end acknowledges with 0.
  private static func awaitAgreement(
    on channel: borrowing DescriptorChannel
  ) throws(DescriptorChannelError) {
    let code = try channel.awaitAcknowledgement()
    guard code == 0 else { throw .refused(code: code) }
  }

  private func passed(on program: Successor) -> Successor {
    var program = program
    program.pass(file, named: Self.memoryName)
    lock.pass(to: &program, named: Self.lockName)
    return program
  }

  // MARK: The other side

  /// The memory that a predecessor passed on, by exec or to a child; nil if none was passed on.
  ///
  /// - Parameter capacity: what the memory may grow to, in bytes.
  /// - Parameter descriptors: what ``Successor/inherited()`` gave; what is not the memory stays there.
  /// - Throws: ``PreservedMemoryError``.
  public static func inherited(
    _ descriptors: inout ReceivedDescriptors, growableTo capacity: UInt64 = standardCapacity
  ) throws(PreservedMemoryError) -> PreservedMemory? {
    guard let file = try inheritedFile(&descriptors, growableTo: capacity) else { return nil }
    return try PreservedMemory(adopting: file, lock: inheritedLock(&descriptors, of: file))
  }

  /// The memory that the process at the other end of `channel` sends; what else it sends is left in
  /// `descriptors`.
  ///
  /// - Throws: ``PreservedMemoryError``, also with `channel` where the other end does not keep to what
  ///   was agreed.
  public static func receive(
    from channel: inout DescriptorChannel, _ descriptors: inout ReceivedDescriptors,
    growableTo capacity: UInt64 = standardCapacity
  ) throws(PreservedMemoryError) -> PreservedMemory {
    do throws(DescriptorChannelError) {
      descriptors = try channel.receive()
      try channel.acknowledge(descriptors.names.contains(lockName) ? lockCode : 0)
      // The sender has let go of the lock, or has left it to this process.
      try awaitAgreement(on: channel)
    } catch {
      throw .channel(error)
    }
    guard let file = try inheritedFile(&descriptors, growableTo: capacity) else {
      throw .nothingReceived
    }
    return try PreservedMemory(adopting: file, lock: inheritedLock(&descriptors, of: file))
  }

  /// The memory that the service manager kept; nil if it kept none.
  ///
  /// - Parameter capacity: what the memory may grow to, in bytes.
  /// - Parameter name: the name under which the service manager kept it.
  /// - Parameter descriptors: what ``ServiceManager/receivedDescriptors(removingVariables:)`` gave.
  /// - Throws: ``PreservedMemoryError``.
  public static func stored(
    in descriptors: inout ReceivedDescriptors, named name: String = memoryName,
    growableTo capacity: UInt64 = standardCapacity
  ) throws(PreservedMemoryError) -> PreservedMemory? {
    guard let descriptor = descriptors.take(name) else { return nil }
    return try PreservedMemory(adopting: adopt(descriptor, growableTo: capacity))
  }

  static func inheritedFile(
    _ descriptors: inout ReceivedDescriptors, growableTo capacity: UInt64
  ) throws(PreservedMemoryError) -> MemoryFile? {
    guard let descriptor = descriptors.take(memoryName) else { return nil }
    return try adopt(descriptor, growableTo: capacity)
  }

  private static func adopt(
    _ descriptor: FileDescriptor, growableTo capacity: UInt64
  ) throws(PreservedMemoryError) -> MemoryFile {
    do throws(MemoryFileError) {
      return try MemoryFile.adopt(descriptor, growableTo: capacity)
    } catch {
      throw .file(error)
    }
  }

  /// The lock that was passed on with the file; a new one where only the file was.
  static func inheritedLock(
    _ descriptors: inout ReceivedDescriptors, of file: MemoryFile
  ) throws(PreservedMemoryError) -> WriterLock {
    guard let descriptor = descriptors.take(lockName) else { return try lock(file) }
    do throws(WriterLockError) { return try WriterLock.inherit(descriptor, of: file) } catch {
      throw .heldByAnother(error)
    }
  }
}
