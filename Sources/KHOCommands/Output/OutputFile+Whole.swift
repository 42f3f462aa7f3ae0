internal import Platform
internal import SystemPackage

/// Files that a command has in memory: written whole or not at all.
extension OutputFile {
  /// Writes `bytes` to `path`, over what was there.
  ///
  /// They go to a file beside it first, which then takes its name, so that whoever reads `path` finds
  /// the old bytes or the new ones. What is no regular file, as a pipe, is written as it is.
  ///
  /// - Throws: `CommandFailure` with what the operating system says.
  static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
    do throws(Errno) {
      switch kind(of: FilePath(path)) {
      case .device: return try writeDirectly(bytes, to: FilePath(path))
      case .folder: throw .isDirectory
      case .file(let place): try replace(place, with: bytes)
      }
    } catch {
      throw .badInput("\(path): could not be written: \(error)")
    }
  }

  /// What has a name already, or will have it.
  private enum Kind {
    /// A regular file, or none yet; where a link leads, if it was one.
    case file(FilePath)
    case folder
    case device
  }

  private static func kind(of path: FilePath) -> Kind {
    var status = stat()
    // SAFETY: the path has an end and lives through the call, and so does what is filled.
    let result = unsafe path.withPlatformString { unsafe stat($0, &status) }
    guard result == 0 else { return .file(path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(resolved(path))
    case S_IFDIR: return .folder
    default: return .device
    }
  }

  /// Where links lead, so that a link stays one.
  private static func resolved(_ path: FilePath) -> FilePath {
    // SAFETY: the path has an end and lives through the call; what comes back is copied, and freed once.
    unsafe path.withPlatformString { name in
      guard let real = unsafe realpath(name, nil) else { return path }
      defer { unsafe free(real) }
      return unsafe FilePath(platformString: real)
    }
  }

  private static func replace(_ path: FilePath, with bytes: [UInt8]) throws(Errno) {
    var file = try OutputFile(at: path, permissions: [.ownerReadWrite, .groupRead, .otherRead])
    // SAFETY: bytes, of which each is a value.
    try unsafe file.write(bytes.span.bytes, at: 0)
    try file.complete(byteCount: Int64(bytes.count))
  }

  private static func writeDirectly(_ bytes: [UInt8], to path: FilePath) throws(Errno) {
    do {
      let file = try FileDescriptor.open(path, .writeOnly)
      try file.closeAfter { _ = try file.writeAll(bytes) }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}
