import MemoryAccess
import MemoryImages
import Testing

/// Files that were cut or changed: whatever opens must answer every question.
@Suite struct ELFDamageTests {
  private var builder: ELFBuilder {
    var builder = ELFBuilder()
    builder.notes = ELFBuilder.note("VMCOREINFO", "OSRELEASE=7.3.4\nPAGESIZE=4096\n")
    builder.usesSectionHeader = true
    builder.segments = [
      .init(address: 0x1000, bytes: Array(1...20)),
      .init(address: 0x1014, bytes: Array(21...30), memoryByteCount: 50),
      .init(address: 0x8000_0000, bytes: Array(31...40)),
    ]
    return builder
  }

  @Test func everyLength() throws {
    let whole = builder.built()
    for length in 0..<whole.count {
      let file = try TemporaryFile(Array(whole.prefix(length)))
      // The last byte belongs to a segment, so no shorter file is whole: without its headers it is not
      // read at all, with them as far as it goes.
      if length < builder.headersByteCount {
        #expect(throws: MemoryImageError.self, "length \(length)") {
          try ELFCoreImage(opening: file.path)
        }
      } else {
        let image = try ELFCoreImage(opening: file.path)
        let shortfall = try #require(image.shortfall, "length \(length)")
        #expect(shortfall.cause == .fileEnds(fileByteCount: UInt64(length)))
        #expect(shortfall.byteCount == min(40, UInt64(whole.count - length)))
        let first = try #require(shortfall.firstMissing)
        #expect(image.contains(PhysicalRange(start: first, byteCount: 1)))
        #expect(image.bytes(in: PhysicalRange(start: first, byteCount: 1)) == nil)
        try interrogate(image, seed: UInt64(length), fileByteCount: UInt64(length))
        for (address, byte) in [(0x1000, 1), (0x1014, 21), (0x8000_0009, 40)] as [(UInt64, UInt8)] {
          let read = image.bytes(in: range(address, 1))
          #expect(read == nil || read == [byte], "length \(length)")
        }
      }
      if let image = try? MemoryImage.open(file.path, base: .zero) {
        // Shorter than the magic, it cannot be distinguished from raw memory.
        #expect(length > 0 && length < 4 && image.byteCount == UInt64(length))
      }
    }
    let file = try TemporaryFile(whole)
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.bytes(in: range(0x1000, 30)) == Array(1...30))
    #expect(image.vmcoreInfoPageByteCount == 4096)
  }

  @Test func everyBitOfTheHeaders() throws {
    let whole = builder.built()
    var openedCount = 0
    for bit in 0..<(builder.headersByteCount + (builder.notes?.count ?? 0)) * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let file = try TemporaryFile(bytes)
      guard let image = try? ELFCoreImage(opening: file.path) else { continue }
      openedCount += 1
      try interrogate(image, seed: UInt64(bit), fileByteCount: UInt64(bytes.count))
    }
    // Flags, virtual addresses and alignments do not matter; most of the rest does.
    #expect(openedCount > 500)
  }

  @Test func randomTables() throws {
    let whole = builder.built()
    for seed in 0..<500 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var bytes = whole
      for _ in 0..<Int.random(in: 2...6, using: &random) {
        let values: [UInt64] = [0, 1, 0x1000, UInt64(whole.count), .max, .max - 1, 1 << 63]
        let field = Int.random(in: 4..<builder.headersByteCount / 8, using: &random) * 8
        bytes.replace(at: field, with: values.randomElement(using: &random) ?? 0)
      }
      let file = try TemporaryFile(bytes)
      guard let image = try? ELFCoreImage(opening: file.path) else { continue }
      try interrogate(image, seed: seed, fileByteCount: UInt64(bytes.count))
    }
  }

  private func interrogate(_ image: ELFCoreImage, seed: UInt64, fileByteCount: UInt64) throws {
    #expect(image.byteCount <= fileByteCount, "seed \(seed)")
    let stored = image.storedRanges()
    #expect(stored.reduce(0) { $0 + $1.byteCount } == image.byteCount, "seed \(seed)")
    for range in stored {
      #expect(image.contains(range) && image.bytes(in: range) != nil, "seed \(seed), \(range)")
    }
    var random = SeededGenerator(seed: seed)
    let edges = image.segments.flatMap { [$0.range.start, $0.range.last ?? .zero] }
    for _ in 0..<30 {
      let near = edges.randomElement(using: &random)?.rawValue ?? 0
      let start =
        Bool.random(using: &random)
        ? near &+ UInt64.random(in: 0...16, using: &random) &- 8 : random.next()
      let byteCount = random.next() >> UInt64.random(in: 0...63, using: &random)
      guard let asked = PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
      else { continue }
      if let count = image.withBytes(in: asked, { $0.byteCount }) {
        #expect(UInt64(count) == byteCount && image.contains(asked), "seed \(seed), \(asked)")
      }
      image.finishedReading(asked)
      if let next = image.storedRange(atOrAfter: asked.start) {
        #expect(next.start >= asked.start && !next.isEmpty, "seed \(seed), \(asked)")
      }
    }
  }
}
