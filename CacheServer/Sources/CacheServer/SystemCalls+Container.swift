internal import SystemPackage

extension SystemCalls {
  /// The bytes of memory that the process's control group, or one above it, may take; nil for no limit.
  ///
  /// Of version 2 of control groups, memory.max; of version 1, memory.limit_in_bytes.
  static func containerByteLimit() -> UInt64? {
    guard let bytes = try? contents(of: "/proc/self/cgroup", atMost: 1 << 16) else { return nil }
    var limit: UInt64?
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      // Number, controllers and path, separated by colons.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let root: FilePath
      let name: String
      if fields[1].isEmpty {
        root = "/sys/fs/cgroup"
        name = "memory.max"
      } else if fields[1].split(separator: ",").contains("memory") {
        root = "/sys/fs/cgroup/memory"
        name = "memory.limit_in_bytes"
      } else {
        continue
      }
      var path = FilePath(String(fields[2]))
      while true {
        // In a container, the path may be one that only its host sees: then its root is the container's.
        let folder = path.components.isEmpty ? root : root.pushing(path.lexicallyRelative)
        if let found = number(in: folder.appending(name)) { limit = min(limit ?? .max, found) }
        guard path.removeLastComponent() else { break }
      }
    }
    // Version 1 writes a number near 2^63 for no limit.
    return limit.flatMap { $0 < 1 << 62 ? $0 : nil }
  }

  private static func number(in file: FilePath) -> UInt64? {
    guard let bytes = try? contents(of: file, atMost: 64) else { return nil }
    return UInt64(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
  }
}

extension FilePath {
  /// The path without its root.
  fileprivate var lexicallyRelative: FilePath {
    var path = self
    path.root = nil
    return path
  }
}
