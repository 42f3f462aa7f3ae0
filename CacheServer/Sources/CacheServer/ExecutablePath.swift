internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The path of the program, from which an upgrade starts the next version.
enum ExecutablePath {
  /// The path of the program that was started as `name`.
  ///
  /// Where that is a path, it is kept, links and all: the one who replaces the program replaces what
  /// is there. /proc/self/exe, asked later, would name the file that was replaced.
  static func resolve(_ name: String) -> FilePath {
    let path = FilePath(name)
    if name.contains("/") {
      if path.isAbsolute { return path }
      // SAFETY: the buffer that the call makes is copied and freed.
      if let start = unsafe getcwd(nil, 0) {
        defer { unsafe free(start) }
        return unsafe FilePath(String(cString: start)).pushing(path)
      }
    }
    var bytes = [CChar](repeating: 0, count: 4096)
    // SAFETY: the call fills no more than the buffer, which keeps a zero byte at its end.
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count - 1)
    guard count > 0 else { return path }
    return FilePath(
      String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }
}
