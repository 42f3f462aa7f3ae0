import Decompression
import HandoverTestSupport
import MemoryAccess
import Testing

@Suite(.namesCombination) struct BlockCompressionTests {
  /// How many pages each decoder is given; a tenth in a debug build, where the generator takes most of the
  /// time.
  private static let pageCount = isOptimized ? 10_000 : 1_000

  private static var isOptimized: Bool {
    var isDebug = false
    assert(
      {
        isDebug = true
        return true
      }())
    return !isDebug
  }

  private func decompress(
    _ stream: [UInt8], _ compression: BlockCompression, _ byteCount: Int
  ) throws(DecompressionError) -> [UInt8] {
    try stream.withRawSpan { (bytes) throws(DecompressionError) in
      try compression.decompress(bytes, byteCount: byteCount)
    }
  }

  private func decompressStart(
    _ stream: [UInt8], _ compression: BlockCompression, _ byteCount: Int
  ) throws(DecompressionError) -> [UInt8] {
    try stream.withRawSpan { (bytes) throws(DecompressionError) in
      try compression.decompressStart(of: bytes, byteCount: byteCount)
    }
  }

  /// What the C libraries make, of pages of each size, is decoded to the same bytes.
  @Test(
    .enabled(if: !ReferenceLibrary.installed.isEmpty, "no library is installed"),
    arguments: ReferenceLibrary.installed)
  func pagesOfTheLibrary(_ library: ReferenceLibrary) throws {
    let compression = library.compression
    try withEvery("seed", in: 0..<UInt64(Self.pageCount)) { seed in
      var random = SeededGenerator(seed: seed)
      let byteCount =
        seed % 50 == 49 ? 65_536 : seed % 50 == 48 ? 16_384 : seed % 50 == 47 ? 300_000 : 4096
      let page = generatedPage(&random, byteCount: byteCount)
      let stream = library.compress(page, Int(seed))
      try #require(try decompress(stream, compression, byteCount) == page)
      try #require(
        try decompressStart(stream, compression, 64) == Array(page.prefix(64)))
      #expect(throws: DecompressionError.outputTooLong(expectedByteCount: byteCount - 1)) {
        let output = try decompress(stream, compression, byteCount - 1)
        // snappy says how long its output is, and is not asked for less.
        try #require(output.count == byteCount)
      }
    }
  }

  /// Streams that are cut or changed give an answer: bytes of the length that was asked for, or an error.
  @Test(
    .enabled(if: !ReferenceLibrary.installed.isEmpty, "no library is installed"),
    arguments: ReferenceLibrary.installed)
  func damagedStreams(_ library: ReferenceLibrary) throws {
    let compression = library.compression
    try withEvery("seed", in: 0..<UInt64(Self.pageCount)) { seed in
      var random = SeededGenerator(seed: seed)
      var stream = library.compress(generatedPage(&random, byteCount: 4096), Int(seed))
      for _ in 0..<1 + random.index(below: 3) {
        stream[random.index(below: stream.count)] ^= 1 << UInt8(random.index(below: 8))
      }
      if random.isOne(in: 3) { stream = Array(stream.prefix(random.index(below: stream.count))) }
      if let output = try? decompress(stream, compression, 4096) {
        try #require(output.count == 4096)
      }
      if let start = try? decompressStart(stream, compression, 64) {
        try #require(start.count <= 64)
      }
    }
  }

  /// Bytes that no compressor made.
  @Test(arguments: BlockCompression.allCases)
  func noise(_ compression: BlockCompression) throws {
    try withEvery("seed", in: 0..<3000 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      var stream = (0..<random.index(below: 200)).map { _ in UInt8(random.index(below: 256)) }
      if compression == .zstd {
        // A frame of one block: single segment, 4 KiB; compressed.
        let size = stream.count
        stream =
          [
            0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 15, UInt8(truncatingIfNeeded: size << 3 | 5),
            UInt8(truncatingIfNeeded: size >> 5), 0,
          ] + stream
      }
      if let output = try? decompress(stream, compression, 4096) {
        try #require(output.count == 4096)
      }
    }
  }

  @Test func snappyRules() {
    func expect(_ error: DecompressionError, _ stream: [UInt8], _ byteCount: Int = 8) {
      #expect(throws: error) { try decompress(stream, .snappy, byteCount) }
    }
    expect(.inputEnds, [])
    expect(.lengthWrong, [0xff, 0xff, 0xff, 0xff, 0x7f])
    expect(.lengthWrong, [0x80, 0x80, 0x80, 0x80, 0x80])
    // Eight bytes announced: seven literals; nine; a copy before the start; of nothing at all.
    expect(.outputTooShort(byteCount: 7, expectedByteCount: 8), [8, 6 << 2, 1, 2, 3, 4, 5, 6, 7])
    expect(
      .outputTooLong(expectedByteCount: 8), [8, 8 << 2, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(.distanceTooFar(2), [8, 0, 1, 1, 2])
    expect(.distanceTooFar(0), [8, 0, 1, 1, 0])
    expect(.inputEnds, [8, 0, 1, 2, 2])
    #expect(
      try! decompress([8, 0, 1, 3 << 2 | 1, 1], .snappy, 8) == [UInt8](repeating: 1, count: 8))
  }

  @Test func lzoRules() {
    func expect(_ error: DecompressionError, _ stream: [UInt8], _ byteCount: Int = 4) {
      #expect(throws: error) { try decompress(stream, .lzo, byteCount) }
    }
    #expect(try! decompress([21, 1, 2, 3, 4, 17, 0, 0], .lzo, 4) == [1, 2, 3, 4])
    // A run of one and a match of the rest: 00 LLLLL = 3 bytes at a distance of 1.
    #expect(try! decompress([18, 7, 33, 0, 0, 17, 0, 0], .lzo, 4) == [7, 7, 7, 7])
    expect(.inputEnds, [])
    expect(.inputEnds, [21, 1, 2, 3])
    expect(.inputEnds, [21, 1, 2, 3, 4])
    expect(.inputEnds, [0, 0, 0, 0])
    expect(.distanceTooFar(0x4001), [17, 4, 0, 17, 0, 0])
    expect(.outputTooLong(expectedByteCount: 4), [22, 1, 2, 3, 4, 5, 17, 0, 0])
    expect(.outputTooShort(byteCount: 3, expectedByteCount: 4), [20, 1, 2, 3, 17, 0, 0])
  }

  @Test func zstdRules() {
    let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    func expect(_ error: DecompressionError, _ stream: [UInt8], _ byteCount: Int = 4) {
      #expect(throws: error) { try decompress(stream, .zstd, byteCount) }
    }
    // Single segment of 4 bytes: a raw block; a repeated one behind a frame that is passed over.
    let raw = magic + [0x20, 4, 4 << 3 | 1, 0, 0, 1, 2, 3, 4]
    #expect(try! decompress(raw, .zstd, 4) == [1, 2, 3, 4])
    let skippable: [UInt8] = [0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]
    #expect(
      try! decompress(skippable + magic + [0x20, 4, 4 << 3 | 3, 0, 0, 7], .zstd, 4)
        == [7, 7, 7, 7])
    expect(.inputEnds, [])
    expect(.headerWrong(0x28b5), [0x28, 0xb5, 0x2f, 0xfc])
    expect(.featureUnsupported, magic + [0x28, 4])
    expect(.dictionaryNeeded, magic + [0x21, 7, 4])
    expect(.blockTypeWrong, magic + [0x20, 4, 7, 0, 0])
    expect(.lengthWrong, magic + [0x20, 4, 0xff & (0xff << 3 | 1), 0xff, 0xff])
    expect(
      .outputTooShort(byteCount: 4, expectedByteCount: 5),
      magic + [0x20, 5, 4 << 3 | 1, 0, 0, 1, 2, 3, 4])
    expect(.inputEnds, Array(raw.dropLast()))
    // With a checksum: XXH64 of "abcd" ends with 0x67da_ae77 … of the reference; another is refused.
    expect(.checksumWrong, magic + [0x24, 4, 4 << 3 | 1, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0])
    // A treeless block without a code before it.
    expect(.codeLengthsWrong, magic + [0x20, 4, 5 << 3 | 5, 0, 0, 0x43, 0x40, 0, 1, 0])
  }
}
