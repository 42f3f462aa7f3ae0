internal import KexecHandover
internal import Platform
internal import SystemPackage

/// A file that appears under its name when it is complete, and not before.
struct OutputFile: ~Copyable {
  private let path: FilePath
  private let temporary: FilePath
  private let descriptor: FileDescriptor
  private var isComplete = false

  /// Makes a file beside `path`; unless said otherwise, one that only its owner can read.
  init(at path: FilePath, permissions: FilePermissions = .ownerReadWrite) throws(Errno) {
    self.path = path
    var temporary = path
    let name = path.lastComponent?.string ?? ""
    temporary.removeLastComponent()
    // Two that extract at once have files of their own.
    temporary.append(".\(name).\(getpid()).\(UInt32.random(in: 0 ... .max))")
    self.temporary = temporary
    do {
      descriptor = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: permissions)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// Writes `bytes` from `offset` on.
  func write(_ bytes: RawSpan, at offset: Int64) throws(Errno) {
    do {
      // SAFETY: the call reads the buffer while the span is valid.
      try unsafe bytes.withUnsafeBytes { buffer in
        _ = try unsafe descriptor.writeAll(toAbsoluteOffset: offset, buffer)
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// Gives the file its length, what was not written being a hole, and its name.
  ///
  /// A file that had the name before is replaced.
  mutating func complete(byteCount: Int64) throws(Errno) {
    do {
      try descriptor.resize(to: byteCount)
    } catch {
      throw error as? Errno ?? .ioError
    }
    // SAFETY: both strings end with a NUL and are valid during the call.
    let status = unsafe temporary.withPlatformString { from in
      unsafe path.withPlatformString { to in unsafe rename(from, to) }
    }
    guard status == 0 else { throw Errno(rawValue: errno) }
    isComplete = true
  }

  deinit {
    try? descriptor.close()
    // SAFETY: the string ends with a NUL and is valid during the call.
    if !isComplete { _ = unsafe temporary.withPlatformString { unsafe unlink($0) } }
  }
}
