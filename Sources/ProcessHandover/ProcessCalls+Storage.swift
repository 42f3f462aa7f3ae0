internal import CProcessHandover
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension ProcessCalls {
  /// fallocate(2), mode 0: the bytes have storage, and those that had none read as zeros.
  static func allocate(_ descriptor: FileDescriptor, _ bytes: Range<UInt64>) throws(Errno) {
    try perform(.fallocate) {
      kho_fallocate(
        descriptor.rawValue, 0, Int64(clamping: bytes.lowerBound), Int64(clamping: bytes.count))
    }
  }

  /// fallocate(2) with FALLOC_FL_PUNCH_HOLE: the bytes read as zeros, and lose their storage.
  static func punchHole(_ descriptor: FileDescriptor, _ bytes: Range<UInt64>) throws(Errno) {
    try perform(.punchHole) {
      kho_fallocate(
        descriptor.rawValue, 1, Int64(clamping: bytes.lowerBound), Int64(clamping: bytes.count))
    }
  }

  /// pwrite(2) of zeros; gives how many were written.
  static func writeZeros(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>
  ) throws(Errno) -> UInt64 {
    let zeros = [UInt8](repeating: 0, count: min(bytes.count, 1 << 16))
    let count = try perform(.pwrite) { () -> Int in
      do {
        // SAFETY: the call reads the buffer, and nothing else.
        return try unsafe zeros.withUnsafeBytes {
          try unsafe descriptor.writeAll(toAbsoluteOffset: Int64(bytes.lowerBound), $0)
        }
      } catch {
        return Int(-(error as? Errno ?? .ioError).rawValue)
      }
    }
    return UInt64(count)
  }

  /// lseek(2) with SEEK_DATA or SEEK_HOLE, which look at the file and depend on no earlier call.
  static func seek(
    _ descriptor: FileDescriptor, to wanted: SeekTarget, from offset: UInt64
  ) throws(Errno) -> UInt64 {
    let found = try perform(wanted == .data ? .seekData : .seekHole) { () -> Int64 in
      let found = lseek(descriptor.rawValue, off_t(clamping: offset), wanted.rawValue)
      return found < 0 ? Int64(-errno) : Int64(found)
    }
    return UInt64(found)
  }

  /// What ``seek(_:to:from:)`` looks for; raw values from linux/fs.h.
  enum SeekTarget: CInt {
    case data = 3
    case hole = 4
  }

  /// linkat(2): gives an open file without a name the name `path`, which must not exist.
  static func link(_ descriptor: FileDescriptor, to path: FilePath) throws(Errno) {
    try link(path: descriptor.pathInProc, to: path)
  }

  /// linkat(2): `path` becomes a second name of `existing`, or of the file that `existing` leads
  /// to.
  static func link(path existing: FilePath, to path: FilePath) throws(Errno) {
    try perform(.link) {
      // SAFETY: both paths are whole, and outlive the call.
      unsafe existing.withPlatformString { existing in
        unsafe path.withPlatformString { path -> CInt in
          unsafe linkat(AT_FDCWD, existing, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno
        }
      }
    }
  }

  /// unlink(2).
  static func unlink(_ path: FilePath) throws(Errno) {
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
  var pathInProc: FilePath { FilePath("/proc/self/fd/\(rawValue)") }
}
