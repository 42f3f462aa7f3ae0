import MemoryAccess
import MemoryImages
import Testing

@Suite struct ELFCoreImageTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func answersAsTheModelDoes(group: UInt64) throws {
    for seed in group * 10..<group * 10 + 10 {
      var random = SeededGenerator(seed: seed)
      let (model, builder) = ELFModel.random(&random)
      let file = try TemporaryFile(builder.built())
      let image = try ELFCoreImage(opening: file.path)
      #expect(image.storedRanges() == model.storedRanges, "seed \(seed)")
      #expect(image.segments.map(\.range.start.rawValue) == model.segments.map(\.address))
      let stored = model.segments.reduce(0) { $0 + UInt64($1.bytes.count) }
      #expect(image.byteCount == stored, "seed \(seed)")
      for _ in 0..<60 {
        let asked = range(
          UInt64.random(in: 0..<30_000, using: &random),
          UInt64.random(in: 0...(Bool.random(using: &random) ? 20 : 2000), using: &random))
        let contained = (0..<asked.byteCount).allSatisfy { offset in
          model.contains(asked.start.rawValue + offset)
        }
        #expect(image.contains(asked) == contained, "seed \(seed), \(asked)")
        #expect(image.bytes(in: asked) == model.bytes(asked), "seed \(seed), \(asked)")
        let next = model.storedRanges.lazy.compactMap { stored in
          stored.intersection(range(asked.start.rawValue, 1 << 40))
        }.first
        #expect(image.storedRange(atOrAfter: asked.start) == next, "seed \(seed), \(asked)")
        image.finishedReading(asked)
      }
    }
  }

  @Test func readsAcrossSegmentsScatteredOverTheFile() throws {
    var builder = ELFBuilder()
    builder.segments = [
      .init(address: 0x1003, bytes: [4, 5, 6]), .init(address: 0x1000, bytes: [1, 2, 3]),
      .init(address: 0x1006, bytes: [7], memoryByteCount: 2), .init(address: 0x1008, bytes: [9]),
    ]
    let file = try TemporaryFile(builder.built())
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.bytes(in: range(0x1000, 7)) == [1, 2, 3, 4, 5, 6, 7])
    #expect(image.bytes(in: range(0x1002, 2)) == [3, 4])
    // The tail of the third segment exists, but is not stored.
    #expect(image.contains(range(0x1000, 9)))
    #expect(!image.contains(range(0x1000, 10)))
    #expect(image.bytes(in: range(0x1007, 1)) == nil)
    #expect(image.bytes(in: range(0x1006, 3)) == nil)
    #expect(image.bytes(in: range(0x1008, 1)) == [9])
    #expect(image.bytes(in: range(0x1007, 0)) == [])
    #expect(image.segments.map(\.index) == [1, 0, 2, 3])
    #expect(image.segments.map(\.fileOffset) == [291, 288, 294, 295])
    #expect(image.machine == .x86_64)
    #expect(image.machine.description == "x86_64")
  }

  /// A gather is bounded; bytes that are in one place of the file are not gathered at all.
  @Test func boundsWhatIsCopied() throws {
    let half: UInt64 = 10 << 20
    for isScattered in [false, true] {
      var builder = ELFBuilder()
      builder.segments = [
        .init(address: 0, place: (isScattered ? 0x10_0000 + half : 0x10_0000, half)),
        .init(address: half, place: (isScattered ? 0x10_0000 : 0x10_0000 + half, half)),
      ]
      let file = try TemporaryFile(
        byteCount: 0x10_0000 + 2 * half, pieces: [(0, builder.built())])
      let image = try ELFCoreImage(opening: file.path)
      let limit = ELFCoreImage.largestGatheredByteCount
      let whole = image.withBytes(in: range(0, 2 * half)) { $0.byteCount }
      #expect(whole == (isScattered ? nil : Int(2 * half)))
      #expect(image.withBytes(in: range(1, limit)) { $0.byteCount } == Int(limit))
      #expect((image.withBytes(in: range(1, limit + 1)) { $0.byteCount } == nil) == isScattered)
    }
  }

  @Test func readsMoreSegmentsThanAHeaderCanCount() throws {
    var random = SeededGenerator(seed: 65_536)
    var builder = ELFBuilder()
    builder.segments = (0..<70_000).map { index in
      let tag = UInt8(index & 0xff)
      return .init(address: 0x10_0000 + UInt64(index) * 2, bytes: [tag, UInt8(index >> 8 & 0xff)])
    }
    builder.segments.shuffle(using: &random)
    builder.fileOrder = builder.segments.indices.shuffled(using: &random)
    let file = try TemporaryFile(builder.built())
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.segments.count == 70_000)
    let all = try #require(image.bytes(in: range(0x10_0000, 140_000)))
    for index in 0..<70_000
    where all[2 * index] != UInt8(index & 0xff) || all[2 * index + 1] != UInt8(index >> 8 & 0xff) {
      Issue.record("wrong byte at \(index)")
    }
    #expect(image.contains(range(0x10_0000, 140_000)))
    #expect(!image.contains(range(0x10_0000, 140_001)))
  }

  @Test func leavesOutWhatDescribesNoMemory() throws {
    var builder = ELFBuilder(machine: 183)
    builder.segments = [
      .init(address: .max, bytes: [1, 2]),  // /proc/kcore outside the direct map
      .init(address: 0x2000, memoryByteCount: 0),
      .init(address: 0x1000, bytes: [3], type: 0x6474_e551),  // PT_GNU_STACK
      .init(address: 0x3000, bytes: [4]),
    ]
    let file = try TemporaryFile(builder.built())
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.segments.map(\.index) == [3])
    #expect(image.machine == .aarch64)
    #expect(image.byteCount == 1)
  }
}
