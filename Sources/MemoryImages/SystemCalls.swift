internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The calls to the operating system that this target makes.
enum SystemCall: Hashable, Sendable, CaseIterable {
  case open, read, fstat, mmap, seekData, seekHole, madvise, munmap, close
  case create, write, truncate, synchronize, rename, link
}

/// The one place that calls the operating system, so that a test can watch a call or make it fail.
enum SystemCalls {
  /// Asked before each call: an errno makes the call fail with it, without being made.
  ///
  /// Task-local, so that tests that run side by side do not meet.
  @TaskLocal static var interceptor: (@Sendable (SystemCall) -> Errno?)? = nil

  /// What the kernel maps and forgets by, in bytes; a power of two.
  static let pageByteCount = UInt64(sysconf(CInt(_SC_PAGESIZE)))

  /// open(2), read-only. A FIFO without a writer does not block it.
  static func openToRead(_ path: FilePath) throws(Errno) -> FileDescriptor {
    try check(.open)
    do {
      return try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// close(2). There is nothing to do about a failure: Linux frees the descriptor all the same.
  static func release(_ descriptor: FileDescriptor) {
    guard (try? check(.close)) != nil else { return }
    try? descriptor.close()
  }

  /// read(2): up to `byteCount` bytes from where the last call ended; none at the end of the file.
  static func read(
    _ descriptor: FileDescriptor, atMost byteCount: Int
  ) throws(Errno) -> [UInt8] {
    try check(.read)
    do {
      // SAFETY: the call fills no more than the buffer it is given, and tells how much it filled.
      return try unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        count = try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// fstat(2): the file's mode and its size in bytes.
  static func status(
    of descriptor: FileDescriptor
  ) throws(Errno) -> (mode: mode_t, byteCount: UInt64) {
    try check(.fstat)
    var status = stat()
    // SAFETY: `status` is a whole `struct stat` and outlives the call.
    guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
      throw Errno(rawValue: errno)
    }
    return (status.st_mode, UInt64(clamping: status.st_size))
  }

  /// lseek(2) with SEEK_DATA or SEEK_HOLE, which look at the file and depend on no earlier call.
  static func seek(
    _ descriptor: FileDescriptor, to wanted: SeekTarget, from offset: UInt64
  ) throws(Errno) -> UInt64 {
    try check(wanted == .data ? .seekData : .seekHole)
    let found = lseek(descriptor.rawValue, off_t(clamping: offset), wanted.rawValue)
    guard let found = UInt64(exactly: found) else { throw Errno(rawValue: errno) }
    return found
  }

  /// What ``seek(_:to:from:)`` looks for; raw values from linux/fs.h.
  enum SeekTarget: CInt {
    case data = 3
    case hole = 4
  }

  /// mmap(2) at an address of the kernel's choice; anonymous without a descriptor.
  static func map(
    byteCount: Int, protection: CInt, flags: CInt, descriptor: FileDescriptor?
  ) throws(Errno) -> UnsafeMutableRawPointer {
    try check(.mmap)
    // SAFETY: no address is asked for, so no existing mapping is replaced.
    let base = unsafe mmap(nil, byteCount, protection, flags, descriptor?.rawValue ?? -1, 0)
    guard let base = unsafe base, UInt(bitPattern: base) != UInt.max else {
      throw Errno(rawValue: errno)
    }
    return unsafe base
  }

  /// munmap(2) of a whole mapping that nobody uses any more.
  @unsafe
  static func unmap(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    guard (try? check(.munmap)) != nil else { return }
    // SAFETY: the caller gives up the mapping. It is whole, so the call cannot fail.
    _ = unsafe munmap(base, byteCount)
  }

  /// madvise(2). Advice: whether it is taken changes nothing that can be read.
  @unsafe
  static func advise(_ base: UnsafeMutableRawPointer, byteCount: Int, advice: CInt) {
    guard (try? check(.madvise)) != nil else { return }
    // SAFETY: the caller vouches that the advice does not lose what the pages hold.
    _ = unsafe madvise(base, byteCount, advice)
  }

  static func check(_ call: SystemCall) throws(Errno) {
    if let failure = interceptor?(call) { throw failure }
  }
}
