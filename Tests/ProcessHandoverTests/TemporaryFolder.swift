import Foundation
import SystemPackage

/// A folder of its own on a disk or on tmpfs, removed with the object.
final class TemporaryFolder {
  /// Made for this object, and so in no other path.
  let name: String
  let path: FilePath

  /// The folders that there are tests in: tmpfs where there is one, and the temporary directory.
  static let parents = ["/dev/shm", FileManager.default.temporaryDirectory.path]
    .filter { FileManager.default.isWritableFile(atPath: $0) }

  init(in parent: String = FileManager.default.temporaryDirectory.path) throws {
    name = "memory-file-\(UUID().uuidString)"
    path = FilePath(parent).appending(name)
    try FileManager.default.createDirectory(
      atPath: path.string, withIntermediateDirectories: false)
  }

  /// The names in the folder.
  var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
  }

  func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
    let file = path.appending(name)
    try Data(bytes).write(to: URL(filePath: file.string))
    return file
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }
}

/// How many descriptors of this process lead to a file whose path holds `part`.
///
/// Other tests open and close files meanwhile, so a test counts only what carries a name that it
/// made up itself.
func descriptorCount(of part: String) throws -> Int {
  let folder = "/proc/self/fd"
  return try FileManager.default.contentsOfDirectory(atPath: folder).count { number in
    // The descriptor that the listing used is gone by now, and others may be.
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(number)"))?
      .contains(part) == true
  }
}
