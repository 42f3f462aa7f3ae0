import Foundation
import KexecHandover
import Testing

/// A memory file of an earlier version, from `Fixtures/golden`.
enum GoldenFile {
  static let folder =
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/golden")

  /// The memory file in a memfd.
  static func open(_ name: String) throws -> MemoryFile {
    let bytes = [UInt8](try Data(contentsOf: folder.appending(path: "\(name).pages")))
    let byteCount = word(bytes, 0)
    let file = try MemoryFile.create(
      .memfd(name: name), byteCount: byteCount, growableTo: 1 << 28)
    var offset = 8
    while offset < bytes.count {
      let page = word(bytes, offset)
      let range = PhysicalRange(start: PhysicalAddress(page * 4096), byteCount: 4096)
      file.withMutableBytes(in: range) { target in
        for index in 0..<4096 {
          target.storeBytes(
            of: bytes[offset + 8 + index], toByteOffset: index, as: UInt8.self)
        }
      }
      offset += 8 + 4096
    }
    return file
  }

  /// Writes the pages of `file` that are not all zeros into the folder that `KHO_WRITE_GOLDEN` names, as a golden
  /// file of a new layout. A golden file that exists is never written again.
  static func write(_ file: MemoryFile, _ name: String) throws {
    guard let folder = ProcessInfo.processInfo.environment["KHO_WRITE_GOLDEN"] else { return }
    var result = bytes(of: file.byteCount)
    for page in 0..<file.byteCount / 4096 {
      let range = PhysicalRange(start: PhysicalAddress(page * 4096), byteCount: 4096)
      let contents = file.withBytes(in: range) { $0.copiedBytes() } ?? []
      if contents.contains(where: { $0 != 0 }) { result += bytes(of: page) + contents }
    }
    try Data(result).write(
      to: URL(filePath: folder).appending(path: "\(name).pages"), options: .withoutOverwriting)
  }

  private static func bytes(of word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
