internal import CPlatform
package import SystemPackage

// Calls that read files, write them, and change their size and names.

extension SystemCalls {
  /// ftruncate(2).
  ///
  /// - Throws: EFBIG above the size that this process may make files, RLIMIT_FSIZE; the kernel would
  ///   send SIGXFSZ, which ends the process.
  package static func resize(
    _ descriptor: FileDescriptor, to byteCount: UInt64
  ) throws(Errno) {
    guard let size = Int64(exactly: byteCount), byteCount <= kho_file_size_limit() else {
      throw .fileTooLarge
    }
    try perform(.ftruncate) { ftruncate(descriptor.rawValue, off_t(size)) == 0 ? 0 : -errno }
  }

  /// fsync(2).
  package static func synchronize(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.fsync) { fsync(descriptor.rawValue) == 0 ? 0 : -errno }
  }

  /// read(2): up to `byteCount` bytes from where the last call ended; none at the end of the file.
  package static func read(
    _ descriptor: FileDescriptor, atMost byteCount: Int
  ) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count = try performThrowing(.read) {
      // SAFETY: the call fills no more than the buffer it is given.
      try unsafe bytes.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
    }
    bytes.removeLast(byteCount - count)
    return bytes
  }

  /// The first `limit` bytes of a small file, as those of /proc, as text; empty where it cannot be read.
  package static func text(of path: FilePath, atMost limit: Int) -> String {
    guard let descriptor = try? open(path, .readOnly) else { return "" }
    let file = OwnedDescriptor(descriptor)
    var bytes: [UInt8] = []
    while bytes.count < limit,
      let piece = try? read(file.descriptor, atMost: min(1 << 16, limit - bytes.count)),
      !piece.isEmpty
    {
      bytes += piece
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// pread(2): up to `byteCount` bytes from `offset` on; fewer at the end of the file.
  ///
  /// - Parameter offset: may be above 2^63, as in /proc/kcore.
  package static func read(
    _ descriptor: FileDescriptor, at offset: UInt64, atMost byteCount: Int
  ) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let (count, error) = read(descriptor, at: offset, into: &bytes)
    if let error { throw error }
    bytes.removeLast(byteCount - count)
    return bytes
  }

  /// pread(2): fills `bytes` with what is stored from `offset` on, and leaves the rest of it as it is.
  ///
  /// - Parameter offset: may be above 2^63, as in /proc/kcore.
  /// - Returns: how many bytes were read, fewer than `bytes` has at the end of the file and before what cannot be
  ///   read, and the error of what cannot.
  package static func read(
    _ descriptor: FileDescriptor, at offset: UInt64, into bytes: inout [UInt8]
  ) -> (count: Int, error: Errno?) {
    var count = 0
    while count < bytes.count {
      do throws(Errno) {
        let taken = try performThrowing(.pread) {
          // SAFETY: the call fills no more than the buffer it is given.
          try unsafe bytes.withUnsafeMutableBytes { buffer in
            try unsafe descriptor.read(
              fromAbsoluteOffset: Int64(bitPattern: offset &+ UInt64(count)),
              into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
          }
        }
        if taken == 0 { break }
        count += taken
      } catch {
        return (count, error)
      }
    }
    return (count, nil)
  }

  /// write(2) of all of `bytes`.
  package static func write(
    _ bytes: RawSpan, to descriptor: FileDescriptor
  ) throws(Errno) {
    var count = 0
    while count < bytes.byteCount {
      count += try performThrowing(.write) {
        // SAFETY: the call reads the bytes while the span is valid.
        try unsafe bytes.withUnsafeBytes {
          try unsafe descriptor.write(UnsafeRawBufferPointer(rebasing: $0[count...]))
        }
      }
    }
  }

  /// pwrite(2) of all of `bytes`.
  package static func write(
    _ bytes: RawSpan, to descriptor: FileDescriptor, at offset: UInt64
  ) throws(Errno) {
    var count = 0
    while count < bytes.byteCount {
      count += try performThrowing(.pwrite) {
        // SAFETY: the call reads the bytes while the span is valid.
        try unsafe bytes.withUnsafeBytes {
          try unsafe descriptor.write(
            toAbsoluteOffset: Int64(clamping: offset &+ UInt64(count)),
            UnsafeRawBufferPointer(rebasing: $0[count...]))
        }
      }
    }
  }

  /// pwrite(2) of all of `bytes`.
  package static func write(
    _ bytes: ArraySlice<UInt8>, to descriptor: FileDescriptor, at offset: UInt64
  ) throws(Errno) {
    // SAFETY: every bit pattern of a byte is a value.
    try unsafe write(bytes.span.bytes, to: descriptor, at: offset)
  }

  /// fallocate(2), mode 0: the bytes have storage, and those that had none read as zeros.
  package static func allocate(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>
  ) throws(Errno) {
    try perform(.fallocate) {
      kho_fallocate(
        descriptor.rawValue, 0, Int64(clamping: bytes.lowerBound), Int64(clamping: bytes.count))
    }
  }

  /// fallocate(2) with FALLOC_FL_PUNCH_HOLE: the bytes read as zeros, and lose their storage.
  package static func punchHole(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>
  ) throws(Errno) {
    try perform(.punchHole) {
      kho_fallocate(
        descriptor.rawValue, 1, Int64(clamping: bytes.lowerBound), Int64(clamping: bytes.count))
    }
  }

  /// pwrite(2) of zeros into a file; returns how many were written.
  ///
  /// - Throws: EFBIG above RLIMIT_FSIZE, as ``resize(_:to:)``.
  package static func writeZeros(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>
  ) throws(Errno) -> UInt64 {
    let zeros = [UInt8](repeating: 0, count: min(bytes.count, 1 << 16))
    guard bytes.lowerBound &+ UInt64(zeros.count) <= kho_file_size_limit() else {
      throw .fileTooLarge
    }
    try write(zeros[...], to: descriptor, at: bytes.lowerBound)
    return UInt64(zeros.count)
  }

  /// lseek(2) with SEEK_DATA or SEEK_HOLE, which depends on no earlier call.
  package static func seek(
    _ descriptor: FileDescriptor, to wanted: SeekTarget, from offset: UInt64
  ) throws(Errno) -> UInt64 {
    let found = try perform(wanted == .data ? .seekData : .seekHole) { () -> Int64 in
      let found = lseek(descriptor.rawValue, off_t(clamping: offset), wanted.rawValue)
      return found < 0 ? Int64(-errno) : Int64(found)
    }
    return UInt64(found)
  }

  /// What ``seek(_:to:from:)`` looks for; raw values from linux/fs.h.
  package enum SeekTarget: CInt {
    case data = 3
    case hole = 4
  }

  /// cachestat(2), since Linux 6.5: how many pages of the file's bytes are in memory.
  ///
  /// - Throws: ENOSYS on older kernels; EPERM where the process may not write the file.
  package static func cachedPageCount(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>
  ) throws(Errno) -> UInt64 {
    let count = try perform(.cachestat) {
      kho_cached_page_count(descriptor.rawValue, bytes.lowerBound, UInt64(bytes.count))
    }
    return UInt64(count)
  }

  /// linkat(2): gives an open file without a name the name `path`, which must not exist.
  package static func link(_ descriptor: FileDescriptor, to path: FilePath) throws(Errno) {
    try link(path: descriptor.pathInProc, to: path)
  }

  /// linkat(2): `path` becomes a second name of `existing`, or of the file that the link `existing`
  /// points to.
  package static func link(path existing: FilePath, to path: FilePath) throws(Errno) {
    try perform(.link) {
      // SAFETY: both paths are whole, and outlive the call.
      unsafe existing.withPlatformString { existing in
        unsafe path.withPlatformString { path -> CInt in
          unsafe linkat(AT_FDCWD, existing, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno
        }
      }
    }
  }

  /// rename(2): replaces what had the name before.
  package static func rename(_ path: FilePath, to other: FilePath) throws(Errno) {
    try perform(.rename) {
      // SAFETY: both paths are whole, and outlive the call.
      unsafe path.withPlatformString { path in
        unsafe other.withPlatformString { other -> CInt in
          unsafe renameat(AT_FDCWD, path, AT_FDCWD, other) == 0 ? 0 : -errno
        }
      }
    }
  }

  /// unlink(2).
  package static func unlink(_ path: FilePath) throws(Errno) {
    try perform(.unlink) {
      // SAFETY: the path is whole, and outlives the call.
      unsafe path.withPlatformString { path -> CInt in
        unsafe unlinkat(AT_FDCWD, path, 0) == 0 ? 0 : -errno
      }
    }
  }
}

extension FileDescriptor {
  /// The name of the open file in the folder of this process's descriptors, proc(5).
  package var pathInProc: FilePath { FilePath("/proc/self/fd/\(rawValue)") }
}
