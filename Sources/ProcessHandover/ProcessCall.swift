internal import SystemPackage

/// The calls to the operating system that this target makes.
enum ProcessCall: Hashable, Sendable, CaseIterable {
  // Files
  case open, openUnnamed, memfdCreate, sealShrink, getSeals, fstat, fstatfs, stat, readlink
  case ftruncate, fallocate, punchHole, pwrite, read, readDirectory, seekData, seekHole
  case fsync, link, unlink, flock, unlock, close
  // Memory
  case reserveAddresses, mmap, msync, munmap
  // Descriptors
  case getAccessMode, getDescriptorFlags, setDescriptorFlags
  // Sockets
  case socket, socketpair, getSocketType, setTimeout, fchmod, bind, listen, accept, connect
  case getPeer, sendmsg, recvmsg
  // Processes
  case execve, posixSpawn, startKeeper
}

/// The one place that calls the operating system, so that a test can watch a call or make it fail.
enum ProcessCalls {
  /// Asked before each attempt at a call: an errno makes the attempt fail with it, without being
  /// made.
  ///
  /// Task-local, so that tests that run side by side do not meet.
  @TaskLocal static var interceptor: (@Sendable (ProcessCall) -> Errno?)? = nil

  /// Makes `call` by `body`, which gives -errno where it fails, again for as long as a signal
  /// interrupts it.
  @discardableResult
  static func perform<Value: FixedWidthInteger & SignedInteger>(
    _ call: ProcessCall, _ body: () -> Value
  ) throws(Errno) -> Value {
    while true {
      let value = interceptor?(call).map { Value(-$0.rawValue) } ?? body()
      guard value < 0 else { return value }
      let error = Errno(rawValue: CInt(truncatingIfNeeded: -value))
      if error != .interrupted { throw error }
    }
  }

  /// close(2). There is nothing to do about a failure: Linux frees the descriptor all the same.
  static func release(_ descriptor: FileDescriptor) {
    guard interceptor?(.close) == nil else { return }
    try? descriptor.close()
  }
}
