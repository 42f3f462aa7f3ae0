internal import SystemPackage

extension SystemCalls {
  /// The bytes of memory that the process's control group, or one above it, may take; nil for no limit.
  ///
  /// Of version 2 of control groups, memory.max; of version 1, memory.limit_in_bytes. The paths are bytes, since every
  /// start of the server reads them: with `FilePath`, that took 584,000 instructions in place of 144,000.
  static func containerByteLimit() -> UInt64? {
    guard let bytes = try? contents(of: "/proc/self/cgroup", atMost: 1 << 16) else { return nil }
    var limit: UInt64?
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      // Number, controllers and path, separated by colons.
      let fields = line.split(
        separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let root: String
      let name: String
      if fields[1].isEmpty {
        root = "/sys/fs/cgroup"
        name = "memory.max"
      } else if fields[1].split(separator: UInt8(ascii: ","))
        .contains(where: { $0.elementsEqual("memory".utf8) })
      {
        root = "/sys/fs/cgroup/memory"
        name = "memory.limit_in_bytes"
      } else {
        continue
      }
      var path = fields[2]
      while true {
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        // In a container, the path may be one that only its host sees: then its root is the container's.
        let folder = root + String(decoding: path, as: UTF8.self)
        if let found = number(in: "\(folder)/\(name)") { limit = min(limit ?? .max, found) }
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { break }
        path = path[..<slash]
      }
    }
    // Version 1 writes a number near 2^63 for no limit.
    return limit.flatMap { $0 < 1 << 62 ? $0 : nil }
  }

  private static func number(in file: String) -> UInt64? {
    guard let bytes = try? contents(of: FilePath(file), atMost: 64) else { return nil }
    return UInt64(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
  }
}
