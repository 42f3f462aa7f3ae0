package import SystemPackage

extension SystemCalls {
  /// opendir(3) and readdir(3): the names in a folder.
  package static func names(in folder: FilePath) throws(Errno) -> [String] {
    var opened: OpaquePointer?
    try perform(.readDirectory) { () -> CInt in
      // SAFETY: the path is whole, and outlives the call.
      unsafe folder.withPlatformString { path in
        unsafe opened = opendir(path)
        return unsafe opened == nil ? -errno : 0
      }
    }
    guard let stream = unsafe opened else { return [] }
    // SAFETY: opened above, and not used after this.
    defer { _ = unsafe closedir(stream) }
    var names: [String] = []
    // SAFETY: only this function uses the stream; an entry is used before the next is read, and
    // its name ends with a zero byte.
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(
          to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)
        ) {
          unsafe String(cString: $0)
        }
      }
      names.append(name)
    }
    return names
  }

  /// rmdir(2): an empty folder.
  package static func removeFolder(_ path: FilePath) throws(Errno) {
    try perform(.rmdir) {
      // SAFETY: the path is whole, and outlives the call.
      unsafe path.withPlatformString { path -> CInt in unsafe rmdir(path) == 0 ? 0 : -errno }
    }
  }
}
