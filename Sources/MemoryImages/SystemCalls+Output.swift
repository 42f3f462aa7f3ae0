internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

// Calls that write files, and calls for files that cannot be mapped.

extension SystemCalls {
  /// open(2) of a new file, for its owner alone: memory is nobody else's business.
  static func create(_ path: FilePath) throws(Errno) -> FileDescriptor {
    try check(.create)
    do {
      return try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: .ownerReadWrite)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// pwrite(2) of all of `bytes`.
  static func write(
    _ bytes: ArraySlice<UInt8>, to descriptor: FileDescriptor, at offset: UInt64
  ) throws(Errno) {
    try check(.write)
    do {
      // SAFETY: the call reads the bytes while they are lent.
      try unsafe bytes.withUnsafeBytes { buffer in
        _ = try unsafe descriptor.writeAll(toAbsoluteOffset: Int64(clamping: offset), buffer)
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// ftruncate(2).
  static func truncate(_ descriptor: FileDescriptor, to byteCount: UInt64) throws(Errno) {
    try check(.truncate)
    guard ftruncate(descriptor.rawValue, off_t(clamping: byteCount)) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  /// fsync(2).
  static func synchronize(_ descriptor: FileDescriptor) throws(Errno) {
    try check(.synchronize)
    guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
  }

  /// rename(2).
  static func rename(_ path: FilePath, to other: FilePath) throws(Errno) {
    try check(.rename)
    // SAFETY: the call reads two paths that live as long as it.
    let status = unsafe path.withPlatformString { path in
      unsafe other.withPlatformString { unsafe Glibc.rename(path, $0) }
    }
    guard status == 0 else { throw Errno(rawValue: errno) }
  }

  /// link(2).
  static func link(_ path: FilePath, to other: FilePath) throws(Errno) {
    try check(.link)
    // SAFETY: the call reads two paths that live as long as it.
    let status = unsafe path.withPlatformString { path in
      unsafe other.withPlatformString { unsafe Glibc.link(path, $0) }
    }
    guard status == 0 else { throw Errno(rawValue: errno) }
  }

  /// unlink(2). There is nothing to do about a failure.
  static func remove(_ path: FilePath) {
    // SAFETY: the call reads a path that lives as long as it.
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
  }

  /// access(2): whether there is a file at `path`.
  static func exists(_ path: FilePath) -> Bool {
    // SAFETY: the call reads a path that lives as long as it.
    unsafe path.withPlatformString { unsafe access($0, F_OK) } == 0
  }

  /// pread(2): up to `byteCount` bytes from `offset` on; fewer at the end of the file.
  static func read(
    _ descriptor: FileDescriptor, at offset: UInt64, atMost byteCount: Int
  ) throws(Errno) -> [UInt8] {
    try check(.read)
    do {
      // SAFETY: the call fills no more than the buffer it is given, and tells how much it filled.
      return try unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        // An offset in /proc/kcore may be past 2^63.
        while count < byteCount {
          let rest = unsafe UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
          let taken = try unsafe descriptor.read(
            fromAbsoluteOffset: Int64(bitPattern: offset &+ UInt64(count)), into: rest)
          if taken == 0 { break }
          count += taken
        }
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}
