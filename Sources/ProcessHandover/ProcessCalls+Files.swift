internal import CProcessHandover
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What fstat(2) says of an open file.
struct FileStatus {
  let identity: FileIdentity
  let mode: mode_t
  let linkCount: UInt64
  let byteCount: UInt64

  init(_ status: stat) {
    self.identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    self.mode = status.st_mode
    self.linkCount = UInt64(status.st_nlink)
    self.byteCount = UInt64(clamping: status.st_size)
  }
}

extension ProcessCalls {
  /// open(2), close-on-exec. A FIFO without a peer does not block it.
  static func open(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode,
    options: FileDescriptor.OpenOptions = []
  ) throws(Errno) -> FileDescriptor {
    let number = try perform(.open) { () -> CInt in
      do {
        return try FileDescriptor.open(
          path, mode, options: options.union([.closeOnExec, .nonBlocking]),
          permissions: .ownerReadWrite
        ).rawValue
      } catch {
        return -((error as? Errno ?? .ioError).rawValue)
      }
    }
    return FileDescriptor(rawValue: number)
  }

  /// open(2) with O_TMPFILE.
  static func openUnnamed(in folder: FilePath) throws(Errno) -> FileDescriptor {
    let number = try perform(.openUnnamed) {
      // SAFETY: the string is a whole path, and outlives the call.
      unsafe folder.withPlatformString { unsafe kho_open_unnamed($0) }
    }
    return FileDescriptor(rawValue: number)
  }

  /// memfd_create(2); see `CProcessHandover.h`.
  static func createMemfd(name: String, hugePageShift: UInt32) throws(Errno) -> FileDescriptor {
    let number = try perform(.memfdCreate) {
      // SAFETY: the string ends with a zero byte, and outlives the call.
      unsafe name.withCString { unsafe kho_memfd_create($0, hugePageShift) }
    }
    return FileDescriptor(rawValue: number)
  }

  /// fcntl(2) with F_ADD_SEALS and F_SEAL_SHRINK.
  static func sealAgainstShrinking(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.sealShrink) { kho_seal_shrink(descriptor.rawValue) }
  }

  /// fcntl(2) with F_GET_SEALS.
  static func isSealedAgainstShrinking(_ descriptor: FileDescriptor) -> Bool {
    (try? perform(.getSeals) { kho_is_sealed_against_shrinking(descriptor.rawValue) }) == 1
  }

  /// fstat(2).
  static func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
    var status = stat()
    try perform(.fstat) {
      // SAFETY: `status` is a whole `struct stat` and outlives the call.
      unsafe fstat(descriptor.rawValue, &status) == 0 ? 0 : -errno
    }
    return FileStatus(status)
  }

  /// stat(2), or lstat(2) where a link at the end is not followed.
  static func status(
    at path: FilePath, followsLinks: Bool = true
  ) throws(Errno) -> FileStatus {
    var status = stat()
    try perform(.stat) {
      // SAFETY: the path and `status` are whole and outlive the call.
      unsafe path.withPlatformString { path -> CInt in
        let result = unsafe followsLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? 0 : -errno
      }
    }
    return FileStatus(status)
  }

  /// fstatfs(2): the type of the file system, and the size of its blocks in bytes.
  static func fileSystem(
    of descriptor: FileDescriptor
  ) throws(Errno) -> (type: UInt64, blockByteCount: UInt64) {
    var type: UInt64 = 0
    var blockByteCount: UInt64 = 0
    try perform(.fstatfs) {
      // SAFETY: both numbers outlive the call.
      unsafe kho_file_system(descriptor.rawValue, &type, &blockByteCount)
    }
    return (type, blockByteCount)
  }

  /// readlink(2); nil where the target is longer than any path.
  static func target(ofLink path: FilePath) throws(Errno) -> FilePath? {
    var bytes = [CChar](repeating: 0, count: 4097)
    let count = try perform(.readlink) { () -> Int in
      // SAFETY: the call fills no more than the buffer, less one byte that stays zero.
      unsafe path.withPlatformString { path in
        let count = unsafe readlink(path, &bytes, bytes.count - 1)
        return count < 0 ? Int(-errno) : count
      }
    }
    guard count < bytes.count - 1 else { return nil }
    return FilePath(platformString: bytes)
  }

  /// ftruncate(2).
  static func resize(_ descriptor: FileDescriptor, to byteCount: UInt64) throws(Errno) {
    // Beyond the limit the kernel would send SIGXFSZ, which ends the process.
    guard let size = Int64(exactly: byteCount), byteCount <= kho_file_size_limit() else {
      throw .fileTooLarge
    }
    try perform(.ftruncate) { ftruncate(descriptor.rawValue, off_t(size)) == 0 ? 0 : -errno }
  }

  /// fsync(2).
  static func synchronize(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.fsync) { fsync(descriptor.rawValue) == 0 ? 0 : -errno }
  }

  /// read(2): up to `byteCount` bytes; none at the end of the file.
  static func read(_ descriptor: FileDescriptor, atMost byteCount: Int) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count = try perform(.read) { () -> Int in
      do {
        // SAFETY: the call fills no more than the buffer it is given.
        return try unsafe bytes.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
      } catch {
        return Int(-(error as? Errno ?? .ioError).rawValue)
      }
    }
    return Array(bytes[..<count])
  }
}
