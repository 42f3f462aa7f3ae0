package import SystemPackage

/// The calls to the operating system that this package makes, apart from those that only ask for
/// something that is always there, as getpid(2).
package enum SystemCall: Hashable, Sendable, CaseIterable {
  // Files
  case open, create, openUnnamed, memfdCreate, sealShrink, getSeals
  case fstat, fstatfs, stat, readlink, realpath, mkdir, rmdir
  case ftruncate, fallocate, punchHole, read, pread, write, pwrite, readDirectory
  case seekData, seekHole, cachestat, fsync, link, rename, unlink, flock, unlock, close
  // Memory
  case reserveAddresses, mmap, madvise, msync, munmap
  // Descriptors
  case duplicate, getAccessMode, getDescriptorFlags, setDescriptorFlags, closeRange
  // Sockets
  case socket, socketpair, getSocketType, setTimeout, fchmod, bind, listen, accept, connect
  case getPeer, sendmsg, recvmsg
  // Processes
  case execve, spawn, startKeeper
  // Live update
  case ioctl, getWriteSeals, kexecFileLoad, reboot
}

/// Answers calls in place of the operating system.
///
/// A type of its own: where a task-local value is an optional function, Swift 6.3.1 makes a program that crashes as
/// soon as it is optimized.
package struct SystemCallInterceptor: Sendable {
  private let answer: @Sendable (SystemCall) -> Errno?

  /// Makes the calls fail for which `answer` returns an error; the others are made.
  package init(_ answer: @escaping @Sendable (SystemCall) -> Errno?) {
    self.answer = answer
  }

  package func callAsFunction(_ call: SystemCall) -> Errno? { answer(call) }
}

/// The one place that calls the operating system, so that a test can watch a call or make it fail.
package enum SystemCalls {
  /// Asked before each attempt at a call: an errno makes the attempt fail with it, without being
  /// made.
  ///
  /// Task-local, so that tests that run at the same time do not affect each other.
  @TaskLocal package static var interceptor: SystemCallInterceptor? = nil

  /// Makes `call` by `body`, which returns -errno where the call fails, again for as long as a signal
  /// interrupts it.
  ///
  /// - Throws: what the system call reports, EINTR never.
  @discardableResult
  package static func perform<Value: FixedWidthInteger & SignedInteger>(
    _ call: SystemCall, _ body: () -> Value
  ) throws(Errno) -> Value {
    while true {
      let value = interceptor?(call).map { Value(-$0.rawValue) } ?? body()
      guard value < 0 else { return value }
      let error = Errno(rawValue: CInt(truncatingIfNeeded: -value))
      if error != .interrupted { throw error }
    }
  }

  /// Makes `call` by a function of swift-system, which throws an `Errno`.
  static func performThrowing(
    _ call: SystemCall, _ body: () throws -> Int
  ) throws(Errno) -> Int {
    try perform(call) { () -> Int in
      do { return try body() } catch { return Int(-(error as? Errno ?? .ioError).rawValue) }
    }
  }

  /// close(2). A failure is ignored: Linux frees the descriptor all the same.
  package static func release(_ descriptor: FileDescriptor) {
    guard interceptor?(.close) == nil else { return }
    try? descriptor.close()
  }
}
