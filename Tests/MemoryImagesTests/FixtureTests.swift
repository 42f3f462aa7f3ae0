import Foundation
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

/// Images of real kernels, compared with what a second, naive reading of the file gives.
@Suite struct FixtureTests {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures")

  @Test(arguments: [
    "linux-6.18-kho-v1", "linux-7.1-kho-v3", "linux-7.3-kho-v4", "linux-7.3-kho-v4-chained",
  ])
  func everyByteIsTheFiles(name: String) throws {
    let url = Self.folder.appending(path: "\(name).elf")
    let file = [UInt8](try Data(contentsOf: url))
    guard
      case .elf(let image) = try MemoryImage.open(
        FilePath(url.path(percentEncoded: false)), base: nil)
    else {
      Issue.record("not taken as ELF")
      return
    }
    #expect(image.machine == .x86_64)
    func number(_ offset: Int, _ byteCount: Int) -> UInt64 {
      file[offset..<offset + byteCount].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var loadCount = 0
    for index in 0..<Int(number(56, 2)) {
      let entry = Int(number(32, 8)) + index * 56
      guard number(entry, 4) == 1, number(entry + 40, 8) > 0 else { continue }
      loadCount += 1
      let offset = Int(number(entry + 8, 8))
      let stored = range(number(entry + 24, 8), number(entry + 32, 8))
      let expected = Array(file[offset..<offset + Int(stored.byteCount)])
      #expect(image.bytes(in: stored) == expected)
      let segment = try #require(image.segments.first { $0.index == index })
      #expect(segment.range.start == stored.start)
      #expect(segment.range.byteCount == number(entry + 40, 8))
      #expect(segment.fileOffset == UInt64(offset))
      #expect(segment.storedByteCount == stored.byteCount)
    }
    #expect(image.segments.count == loadCount && loadCount > 0)
  }
}
