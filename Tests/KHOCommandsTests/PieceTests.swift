import Foundation
import HandoverTestSupport
import KexecHandover
import Platform
import SystemPackage
import Testing

@testable import KHOCommands

/// How `kho extract` reads and writes: many small pieces together.
@Suite struct PieceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Bytes of any length, and holes between them, make the file that they make one by one.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func smallPiecesAreJoined(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let path = folder.path("out")
    var sink = ExtractSink(try OutputFile(at: path, OutputRules()))
    var expected: [UInt8] = []
    for _ in 0..<24 {
      let length = [0, 1, 4096, 65536, 700_000, 1 << 20, 1 << 20 - 1, 1 << 20 + 1].randomElement(
        using: &generator)
      let count = try #require(length)
      if Int.random(in: 0..<4, using: &generator) == 0 {
        try sink.writeZeros(UInt64(count))
        expected += [UInt8](repeating: 0, count: count)
      } else {
        let bytes = [UInt8](repeating: .random(in: 1 ... .max, using: &generator), count: count)
        try bytes.withRawSpan { (span) throws(OutputFileError) in try sink.write(span) }
        expected += bytes
      }
    }
    try sink.finish()
    #expect(try Data(contentsOf: URL(filePath: path)) == Data(expected), "seed \(seed)")
  }

  /// What was given back is read from the file again.
  @Test func scatteredPagesAreReadAgain() throws {
    let pageCount = 12 << 8
    var bytes = [UInt8](repeating: 0, count: pageCount * 4096)
    for page in 0..<pageCount { bytes[page * 4096] = UInt8(truncatingIfNeeded: page * 7) }
    let path = try folder.write(bytes, "raw")
    let base: UInt64 = 0x4000_0000
    let image = try MemoryImage.open(FilePath(path), base: PhysicalAddress(base))
    var generator = SeededGenerator(seed: 3)
    var reader = PieceReader(image)
    for _ in 0..<20_000 {
      let page = Int.random(in: 0..<pageCount, using: &generator)
      let start = PhysicalAddress(base + UInt64(page) * 4096)
      let isRead = try reader.forEachPiece(of: PhysicalRange(start: start, byteCount: 4096)) {
        $0.word(atByte: 0) == UInt64(UInt8(truncatingIfNeeded: page * 7))
      }
      #expect(isRead, "seed 3")
    }
  }

  /// Bytes at both ends of the address space: the number of bytes from the first to the last does not fit into 64 bits.
  @Test func wholeAddressSpace() throws {
    var image = ImageBuilder(of: try Fixture(name: "linux-6.18-kho-v1").open())
    image.pages = [:]
    let ends: [UInt64] = [0, 0xffff_ffff_fff0_0000]
    for (index, start) in ends.enumerated() {
      image.pages[start] = [UInt8](repeating: UInt8(index + 1), count: 1 << 20)
    }
    let path = try folder.write(image.elf())
    var reader = PieceReader(try MemoryImage.open(FilePath(path), base: nil))
    for _ in 0..<600 {
      for (index, start) in ends.enumerated() {
        let range = PhysicalRange(start: PhysicalAddress(start), byteCount: 1 << 20)
        let isRead = try reader.forEachPiece(of: range) {
          $0.word(atByte: 4088) == UInt64(index + 1) &* 0x0101_0101_0101_0101
        }
        #expect(isRead)
      }
    }
  }
}
