package import SystemPackage

extension FilePath {
  /// The path as the system takes it, without the zero byte at its end.
  var bytes: [UInt8] {
    // SAFETY: the string ends with a zero byte, and is copied before it goes.
    unsafe withPlatformString { start in
      var bytes: [UInt8] = []
      var next = unsafe start
      while unsafe next.pointee != 0 {
        unsafe bytes.append(UInt8(bitPattern: next.pointee))
        unsafe next += 1
      }
      return bytes
    }
  }

  /// The folder in which the last component is looked up: `.` of a path of one component, `/` of the root.
  ///
  /// In place of `removingLastComponent()`, whose generic code makes the runtime search the conformances of the whole
  /// process, three times, while a memory file is opened.
  ///
  /// - Complexity: O(bytes of the path).
  package var folder: FilePath {
    let bytes = bytes
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return FilePath(platformString: bytes[..<max(slash, 1)].map { CChar(bitPattern: $0) } + [0])
  }
}
