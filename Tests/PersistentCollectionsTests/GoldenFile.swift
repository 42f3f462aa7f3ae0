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

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
