import HandoverTestSupport
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

@testable import KexecHandover

/// Compressed dumps with known contents, asked in every way.
@Suite(.namesCombination) struct KdumpImageTests {
  private static let shifts = [12, 14, 16]

  /// A dump with pages of words, zeros and random bytes, some of them left out.
  private func builder(_ random: inout SeededGenerator, shift: Int) -> KdumpBuilder {
    var builder = KdumpBuilder()
    builder.shift = shift
    builder.seed = random.next()
    builder.version = UInt32.random(in: 0...6, using: &random)
    if builder.version >= 3 { builder.vmcoreInfo = "OSRELEASE=7.3.4\nPAGESIZE=\(1 << shift)\n" }
    var page = UInt64.random(in: 0...70, using: &random)
    for _ in 0..<Int.random(in: 1...9, using: &random) {
      if Bool.random(using: &random) {
        page += UInt64.random(in: 1...200, using: &random)
      }
      let end = page + UInt64.random(in: 1...4, using: &random)
      builder.existing.append(page..<end)
      for number in page..<end where Int.random(in: 0..<4, using: &random) > 0 {
        builder.pages[number] =
          switch Int.random(in: 0..<3, using: &random) {
          case 0: [UInt8](repeating: 0, count: 1 << shift)
          case 1: random.bytes(1 << shift)
          default:
            (0..<1 << shift).map { UInt8(truncatingIfNeeded: $0 / 100 + Int(number)) }
          }
      }
      page = end
    }
    if builder.pages.isEmpty, let first = builder.existing.first {
      builder.pages[first.lowerBound] = random.bytes(1 << shift)
    }
    return builder
  }

  private func open(_ bytes: [UInt8]) throws -> (TemporaryFile, KdumpImage) {
    let file = try TemporaryFile(bytes)
    return (file, try KdumpImage(opening: file.path))
  }

  @Test(arguments: [false, true])
  func everyByte(flattened: Bool) throws {
    try withEvery("seed", in: 0..<24 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let builder = builder(&random, shift: Self.shifts[Int(seed % 3)])
      let bytes = builder.built()
      let (file, image) = try open(
        flattened ? KdumpBuilder.flattened(bytes, seed: seed) : bytes)
      try withExtendedLifetime(file) { try compare(image, with: builder, &random) }
    }
  }

  private func compare(
    _ image: KdumpImage, with builder: KdumpBuilder, _ random: inout SeededGenerator
  ) throws {
    let size = UInt64(builder.pageByteCount)
    try #require(image.geometry.pageByteCount == builder.pageByteCount)
    try #require(image.machine == .x86_64)
    try #require(image.vmcoreInfo == builder.vmcoreInfo.map { Array($0.utf8) })
    try #require(
      image.vmcoreInfoPageByteCount == builder.vmcoreInfo.map { _ in builder.pageByteCount })
    try #require(image.byteCount == UInt64(builder.pages.count) * size)
    let end = (builder.existing.last?.upperBound ?? 0) + 3
    for number in 0..<end {
      let page = range(number * size, size)
      let exists = builder.existing.contains { $0.contains(number) }
      try #require(image.contains(page) == exists)
      try #require(image.bytes(in: page) == builder.pages[number])
      try #require(try image.page(at: page.start) == builder.pages[number])
    }
    // Ranges that begin and end anywhere.
    for _ in 0..<60 {
      let start = UInt64.random(in: 0...end * size, using: &random)
      let wanted = range(start, UInt64.random(in: 0...3 * size, using: &random))
      var expected: [UInt8]? = []
      var exists = true
      for number in start / size...(start + max(1, wanted.byteCount) - 1) / size {
        guard let part = wanted.intersection(range(number * size, size)) else { continue }
        let first = Int(part.start.rawValue % size)
        if let page = builder.pages[number] {
          expected?.append(contentsOf: page[first..<first + Int(part.byteCount)])
        } else {
          expected = nil
        }
        exists = exists && builder.existing.contains { $0.contains(number) }
      }
      try #require(image.bytes(in: wanted) == expected)
      try #require(image.contains(wanted) == exists)
    }
    try #require(image.damage == nil)
    var found: [UInt64] = []
    for stored in image.storedRanges() {
      try #require(image.bytes(in: stored)?.count == Int(stored.byteCount))
      image.finishedReading(stored)
      found += stride(from: stored.start.rawValue, through: stored.last!.rawValue, by: Int(size))
    }
    try #require(found == builder.pages.keys.sorted().map { $0 * size })
    // In the middle of a page.
    if let number = builder.pages.keys.randomElement(using: &random) {
      let middle = PhysicalAddress(number * size + size / 2)
      try #require(image.storedRange(atOrAfter: middle)?.start == middle)
    }
  }

  /// A long run of pages, over many words of the bitmap and stretches of counts.
  @Test func longRuns() throws {
    var builder = KdumpBuilder()
    builder.blocks = [.fixed]
    let shift: UInt64 = 12
    builder.existing = [1..<40_000, 70_000..<200_000]
    for page in [1, 63, 64, 127, 32_767, 32_768, 39_999, 70_000, 131_072, 199_999] as [UInt64] {
      builder.pages[page] = [UInt8](repeating: UInt8(page & 0xff), count: 4096)
    }
    let (file, image) = try open(builder.built())
    withExtendedLifetime(file) {
      #expect(image.contains(range(1 << shift, 39_999 << shift)))
      #expect(!image.contains(range(1 << shift, 40_000 << shift)))
      #expect(!image.contains(range(0, 2 << shift)))
      #expect(image.contains(range(70_000 << shift, 130_000 << shift)))
      #expect(!image.contains(range(70_000 << shift, 130_000 << shift + 1)))
      #expect(!image.contains(range(0, .max)))
      #expect(!image.contains(range(.max, 1)))
      #expect(image.contains(range(.max, 0)))
      for (page, bytes) in builder.pages {
        #expect(image.bytes(in: range(page << shift, 4096)) == bytes)
      }
      let starts = image.storedRanges().map { $0.start.rawValue >> shift }
      #expect(starts == [1, 63, 127, 32_767, 39_999, 70_000, 131_072, 199_999])
      #expect(image.bytes(in: range(63 << shift, 2 << shift))?.count == 8192)
      #expect(image.bytes(in: range(62 << shift, 2 << shift)) == nil)
    }
  }

  @Test func stretchesThatAreLargerThanWhatIsGathered() throws {
    var builder = KdumpBuilder()
    builder.shift = 16
    for page in 0..<300 as Range<UInt64> {
      builder.pages[page] = [UInt8](repeating: 0, count: 1 << 16)
    }
    builder.existing = [0..<300]
    let (file, image) = try open(builder.built())
    withExtendedLifetime(file) {
      #expect(image.contains(range(0, 300 << 16)))
      #expect(image.bytes(in: range(0, 16 << 20))?.count == 16 << 20)
      #expect(image.bytes(in: range(0, 16 << 20 + 1)) == nil)
      #expect(image.storedRanges().allSatisfy { $0.byteCount <= 1 << 20 })
    }
  }

  @Test(arguments: Fixture.all)
  func fixtures(_ fixture: Fixture) throws {
    let original = try fixture.open()
    let builder = KdumpBuilder(of: original)
    let dump = builder.built()
    for bytes in [dump, KdumpBuilder.flattened(dump, seed: 1)] {
      let file = try TemporaryFile(bytes)
      guard case .kdump(let image) = try MemoryImage.open(file.path, base: nil) else {
        Issue.record("not taken as a compressed dump")
        return
      }
      #expect(image.byteCount == original.byteCount)
      #expect(HandoverScanner(image).addresses == HandoverScanner(original).addresses)
      for stored in original.storedRanges() {
        #expect(image.bytes(in: stored) == original.bytes(in: stored))
      }
    }
  }
}
