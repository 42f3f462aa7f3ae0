internal import CPlatform
package import SystemPackage

extension SystemCalls {
  /// fcntl(2) with F_GETFL: O_RDONLY, O_WRONLY or O_RDWR.
  package static func accessMode(of descriptor: FileDescriptor) throws(Errno) -> CInt {
    try perform(.getAccessMode) { kho_access_mode(descriptor.rawValue) }
  }

  /// fcntl(2) with F_DUPFD_CLOEXEC: another descriptor of the same open file.
  package static func duplicate(_ descriptor: FileDescriptor) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try perform(.duplicate) { kho_duplicate(descriptor.rawValue) })
  }

  /// fcntl(2) with F_GETFD: whether FD_CLOEXEC, 1, is set.
  package static func isClosedOnExec(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
    try perform(.getDescriptorFlags) { kho_descriptor_flags(descriptor.rawValue) } & 1 != 0
  }

  /// fcntl(2) with F_SETFD.
  package static func setCloseOnExec(_ descriptor: FileDescriptor, _ isClosed: Bool) throws(Errno) {
    try perform(.setDescriptorFlags) {
      kho_set_close_on_exec(descriptor.rawValue, isClosed ? 1 : 0)
    }
  }
}

extension SystemCalls {
  /// Whether close_range(2) may be tried; a test forbids it, to have the way of older kernels taken.
  static var mayCloseRange: Bool { interceptor?(.closeRange) == nil }

  /// Sets FD_CLOEXEC of every descriptor but the standard streams and `kept`: close_range(2) with
  /// CLOSE_RANGE_CLOEXEC, and fcntl(2) for each open one where the kernel does not have it.
  static func keepOnExec(_ kept: [FileDescriptor]) throws(Errno) {
    let numbers = kept.map(\.rawValue).sorted()
    let hasCloseRange: CInt = mayCloseRange ? 1 : 0
    try perform(.setDescriptorFlags) {
      // SAFETY: the call reads the array, which outlives it.
      unsafe kho_keep_on_exec(numbers, numbers.count, hasCloseRange)
    }
  }

  /// The descriptors of this process that are open across execve(2) at present, but for the standard
  /// streams; as far as /proc or, without /proc, a search up to RLIMIT_NOFILE finds them.
  static func openAcrossExec() -> [FileDescriptor] {
    let numbers =
      (try? names(in: "/proc/self/fd"))?.compactMap { CInt($0) }
      ?? Array(3..<min(CInt(clamping: sysconf(CInt(_SC_OPEN_MAX))), 1 << 20))
    return numbers.filter { $0 > 2 }.map { FileDescriptor(rawValue: $0) }
      // One that another thread has closed since cannot be asked.
      .filter { (try? isClosedOnExec($0)) == false }
  }
}

extension SystemCalls {
  /// flock(2), exclusive, without waiting.
  package static func lockExclusively(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.flock) { kho_lock_exclusively(descriptor.rawValue) }
  }

  /// flock(2), shared: waits for as long as another open file description has the exclusive lock.
  package static func awaitLock(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.flock) { kho_await_lock(descriptor.rawValue) }
  }

  /// flock(2) with LOCK_UN.
  package static func unlock(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.unlock) { kho_unlock(descriptor.rawValue) }
  }
}
