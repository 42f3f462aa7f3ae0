internal import Platform
internal import SystemPackage

/// A file without a name, in memory where the system has a place for that.
final class ScratchFile {
  private let descriptor: FileDescriptor

  /// A file that holds `bytes`; pages of zeros are holes.
  init(_ bytes: RawSpan) {
    do {
      descriptor = Self.open(in: "/dev/shm") ?? Self.open(in: "/tmp")!
      try descriptor.resize(to: Int64(bytes.byteCount))
      let page = 4096
      for start in stride(from: 0, to: bytes.byteCount, by: page) {
        let piece = bytes.extracting(start..<min(start + page, bytes.byteCount))
        // SAFETY: the bytes are only read, inside the call that lends them.
        try unsafe piece.withUnsafeBytes { buffer in
          guard unsafe buffer.contains(where: { $0 != 0 }) else { return }
          _ = try unsafe descriptor.writeAll(toAbsoluteOffset: Int64(start), buffer)
        }
      }
    } catch {
      fatalError("the scratch file cannot be written: \(error)")
    }
  }

  deinit { try? descriptor.close() }

  /// A name for as long as the object lives.
  var path: FilePath { FilePath("/proc/self/fd/\(descriptor.rawValue)") }

  private static func open(in folder: String) -> FileDescriptor? {
    let path = FilePath("\(folder)/kho-fuzz-\(UInt64.random(in: 0 ... .max))")
    guard
      let file = try? FileDescriptor.open(
        path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: .ownerReadWrite)
    else { return nil }
    // SAFETY: the call reads the path and keeps nothing.
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
    return file
  }
}
