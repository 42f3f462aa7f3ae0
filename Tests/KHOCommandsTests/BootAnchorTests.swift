import DeviceTreeBlob
import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// Scratch areas that the image itself names.
@Suite struct BootAnchorTests {
  private let folder: TemporaryFolder
  private let image: ImageBuilder
  private let deviceTree: UInt64

  /// Memory that the fixture does not have.
  private static let free: UInt64 = 0x4000_0000
  private static let array: UInt64 = free + 0x1ff8
  /// The areas of the machine; a page is preserved in the first.
  private static let areas: [(start: UInt64, byteCount: UInt64)] = [
    (0x2600_0000, 0x4c0_0000), (0x2ac0_0000, 0), (0x2ac0_0000, 0x540_0000),
  ]

  init() throws {
    folder = try TemporaryFolder()
    let memory = try MemoryImage.open(
      FilePath(Fixture.file("cases/11-in-scratch.elf")), base: nil)
    deviceTree = try #require(HandoverScanner(memory).addresses.first).rawValue
    var image = ImageBuilder(of: memory)
    for page in [0, 0x1000, 0x2000] as [UInt64] { image.clearPage(at: Self.free + page) }
    for (index, area) in Self.areas.enumerated() {
      image.setWord(at: Self.array + UInt64(index) * 16, to: area.start)
      image.setWord(at: Self.array + UInt64(index) * 16 + 8, to: area.byteCount)
    }
    self.image = image
  }

  private func image(setupDataAt entry: UInt64, _ words: [UInt64]) -> ImageBuilder {
    var image = image
    for (index, word) in words.enumerated() {
      image.setWord(at: entry + UInt64(index) * 8, to: word)
    }
    return image
  }

  private func findings(_ image: ImageBuilder) throws -> String {
    let path = try folder.write(image.elf(), "image-\(UInt64.random(in: 0...(.max)))")
    return kho("check", path).text
  }

  /// The entry is found wherever it is, also where it crosses from one page to the next.
  @Test(arguments: [0, 8, 0x100, 0xff0, 0xfe0, 0xff8]) func setupData(_ offset: UInt64) throws {
    let words: [UInt64] = [0, 32 << 32 | 10, deviceTree, 4096, Self.array, 48]
    let image = image(setupDataAt: Self.free + offset, words)
    #expect(try findings(image).contains("block-in-scratch"))
    let path = try folder.write(image.elf(), "map")
    #expect(kho("map", "--json", path).text.contains("\"isScratch\": true"))
  }

  @Test func machineTree() throws {
    func tree(_ root: UInt64, _ array: UInt64) throws -> ImageBuilder {
      let bytes = try Self.chosen(root, array)
      var image = image
      for (index, byte) in bytes.enumerated() {
        image.setByte(at: Self.free + UInt64(index), to: byte)
      }
      return image
    }
    #expect(try findings(tree(deviceTree, Self.array)).contains("block-in-scratch"))
    // Of another handover, and with an array that is not in memory.
    #expect(try !findings(tree(deviceTree + 4096, Self.array)).contains("block-in-scratch"))
    #expect(try !findings(tree(deviceTree, 0x7777_0000)).contains("block-in-scratch"))
  }

  /// A machine's device tree, with the two properties of `/chosen`.
  private static func chosen(_ root: UInt64, _ array: UInt64) throws -> [UInt8] {
    try deviceTreePage { (writer) throws(DeviceTreeWriterError) in
      try writer.beginNode("chosen")
      try writer.property("linux,kho-fdt", bigEndianUInt64Pair: (root, 4096))
      try writer.property("linux,kho-scratch", bigEndianUInt64Pair: (array, 48))
      try writer.endNode()
    }
  }

  /// An entry that is malformed in one word is ignored, and --scratch replaces what the image names.
  @Test func malformedEntries() throws {
    let good: [UInt64] = [0, 32 << 32 | 10, deviceTree, 4096, Self.array, 48]
    for (index, value) in [
      (1, 31 << 32 | 10), (1, 32 << 32 | 9), (2, deviceTree + 4096), (2, 0), (4, 0x7777_0000),
      (4, .max - 7), (5, 0), (5, 47), (5, .max), (4, Self.array + 8),
    ] as [(Int, UInt64)] {
      var words = good
      words[index] = value
      let image = image(setupDataAt: Self.free, words)
      #expect(try !findings(image).contains("block-in-scratch"), "\(index) \(value)")
    }
    // Areas that overlap.
    var overlapping = image(setupDataAt: Self.free, good)
    overlapping.setWord(at: Self.array + 8, to: 0x4c0_1000)
    #expect(try !findings(overlapping).contains("block-in-scratch"))
    let path = try folder.write(image(setupDataAt: Self.free, good).elf(), "given")
    let run = kho("check", "--scratch", "0x2ac00000-0x30000000", path)
    #expect(!run.text.contains("block-in-scratch"))
  }
}
