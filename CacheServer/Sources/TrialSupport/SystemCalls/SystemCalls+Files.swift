internal import CTrialSupport
internal import Glibc
public import SystemPackage

extension SystemCalls {
  /// A file for writing, made anew.
  static func create(_ path: String) throws -> FileDescriptor {
    try .open(
      FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
      permissions: .ownerReadWrite)
  }

  /// A file for reading.
  static func open(_ path: String) throws -> FileDescriptor {
    try .open(FilePath(path), .readOnly, options: .closeOnExec)
  }

  /// Makes a file of those bytes.
  ///
  /// - Throws: `Errno`.
  public static func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = try create(path)
    _ = try file.closeAfter { try file.writeAll(bytes) }
  }

  /// All of a small file, or of one from /proc.
  ///
  /// - Throws: `Errno`.
  public static func contents(of path: String) throws -> [UInt8] {
    let file = try open(path)
    return try file.closeAfter {
      var all: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        // SAFETY: lent for the length of the call, which writes no more than there is.
        let count = try unsafe piece.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { return all }
        all += piece[..<count]
      }
    }
  }

  /// Writes all of `text` to standard error, as far as it is read.
  public static func writeToStandardError(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }

  /// mkdir(2) with mode 0700.
  public static func makeFolder(_ path: String) throws(Errno) {
    // SAFETY: the call uses the text while it runs.
    _ = try checkedErrno { Int(unsafe mkdir(path, 0o700)) }
  }

  /// A file or folder with everything in it.
  public static func removeTree(_ path: String) throws(Errno) {
    // SAFETY: the call uses the text while it runs.
    _ = try checked(unsafe ct_remove_tree(path))
  }

  /// Bytes of storage that a file takes, st_blocks of stat(2).
  public static func storageByteCount(_ path: String) throws(Errno) -> UInt64 {
    var status = stat()
    // SAFETY: `status` outlives the call.
    _ = try checkedErrno { Int(unsafe stat(path, &status)) }
    return UInt64(status.st_blocks) * 512
  }

  /// The path of this program.
  public static var ownProgram: String {
    var bytes = [CChar](repeating: 0, count: 4096)
    // SAFETY: the call fills no more than the buffer, which keeps a zero byte at its end.
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count - 1)
    return String(
      decoding: bytes[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The kernel's release.
  public static var kernelRelease: String {
    let bytes = (try? contents(of: "/proc/sys/kernel/osrelease")) ?? []
    return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
  }
}
