import Decompression
import HandoverTestSupport
import MemoryAccess
import Testing

@Suite(.namesCombination) struct InflateTests {
  private func inflate(_ stream: [UInt8], _ byteCount: Int) throws(DecompressionError) -> [UInt8] {
    try stream.withRawSpan { (bytes) throws(DecompressionError) in
      try BlockCompression.zlib.decompress(bytes, byteCount: byteCount)
    }
  }

  private func inflateStart(_ stream: [UInt8], _ byteCount: Int) throws(DecompressionError)
    -> [UInt8]
  {
    try stream.withRawSpan { (bytes) throws(DecompressionError) in
      try BlockCompression.zlib.decompressStart(of: bytes, byteCount: byteCount)
    }
  }

  @Test func streamsOfZlib() throws {
    #expect(try inflate(ZlibVectors.dynamic, 4096) == ZlibVectors.content)
    #expect(try inflate(ZlibVectors.fixed, 4096) == ZlibVectors.content)
    // What follows the stream is not part of it.
    #expect(try inflate(ZlibVectors.dynamic + [1, 2, 3], 4096) == ZlibVectors.content)
    // "zlib.compress(b'')" and "zlib.compress(b'a')" of Python.
    #expect(try inflate([0x78, 0x9c, 3, 0, 0, 0, 0, 1], 0) == [])
    #expect(try inflate([0x78, 0x9c, 0x4b, 4, 0, 0, 0x62, 0, 0x62], 1) == [0x61])
  }

  @Test func everyKindOfBlock() throws {
    try withEvery("seed", in: 0..<300 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let bytes = content(&random)
      try withEvery(
        "kinds",
        in: [[.stored], [.fixed], [.dynamic], Deflater.Block.allCases] as [[Deflater.Block]]
      ) { kinds in
        var deflater = Deflater(seed: seed)
        let stream = deflater.stream(
          of: bytes, in: kinds, largestBlock: random.pick([1000, 5000, 65_535]))
        let inflated = try inflate(stream, bytes.count)
        try #require(inflated == bytes)
        let count = random.index(below: bytes.count + 1)
        try #require(try inflateStart(stream, count) == Array(bytes[..<count]))
        try #require(try inflateStart(stream, bytes.count + 10) == bytes)
      }
    }
  }

  private func content(_ random: inout SeededGenerator) -> [UInt8] {
    let alphabet = 1 + random.index(below: 256)
    var bytes: [UInt8] = []
    while bytes.count < 3000 {
      bytes +=
        random.isOne(in: 3)
        ? [UInt8](repeating: UInt8(random.index(below: alphabet)), count: random.index(below: 600))
        : (0..<random.index(below: 100)).map { _ in UInt8(random.index(below: alphabet)) }
    }
    return Array(bytes.prefix(random.index(below: 3000)))
  }

  @Test func anotherLengthThanExpected() throws {
    for stream in [ZlibVectors.dynamic, ZlibVectors.fixed] {
      #expect(throws: DecompressionError.outputTooLong(expectedByteCount: 4095)) {
        try inflate(stream, 4095)
      }
      #expect(throws: DecompressionError.outputTooLong(expectedByteCount: 0)) {
        try inflate(stream, 0)
      }
      #expect(throws: DecompressionError.outputTooShort(byteCount: 4096, expectedByteCount: 4097)) {
        try inflate(stream, 4097)
      }
    }
  }

  @Test func everyTruncation() throws {
    for stream in [ZlibVectors.dynamic, ZlibVectors.fixed] {
      withEvery("count", in: 0..<stream.count) { count in
        #expect(throws: DecompressionError.inputEnds) { try inflate(Array(stream[..<count]), 4096) }
      }
    }
  }

  /// A bit that flips is noticed: by a rule of the format, or by the checksum.
  @Test func everyFlippedBit() throws {
    for stream in [ZlibVectors.dynamic, ZlibVectors.fixed] {
      try withEvery("bit", in: 0..<stream.count * 8) { bit in
        var damaged = stream
        damaged[bit / 8] ^= 1 << (bit % 8)
        do {
          // The window's size and the level may change, and a match may as well be found elsewhere.
          try #require(try inflate(damaged, 4096) == ZlibVectors.content)
        } catch is DecompressionError {}
        // The start alone: any answer, but an answer.
        _ = try? inflateStart(damaged, 64)
      }
    }
  }

  @Test func randomInput() throws {
    withEvery("seed", in: 0..<3000 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      var bytes: [UInt8] = [0x78, 0x9c]
      for _ in 0..<random.index(below: 300) { bytes.append(UInt8(random.index(below: 256))) }
      // A block of each type in turn.
      if bytes.count > 2 { bytes[2] = bytes[2] & 0xf8 | UInt8(seed % 3) << 1 }
      _ = try? inflate(bytes, 4096)
    }
  }

  @Test func brokenRules() throws {
    func expect(
      _ error: DecompressionError, from bytes: [UInt8],
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(throws: error, sourceLocation: sourceLocation) { try inflate(bytes, 16) }
    }
    expect(.inputEnds, from: [])
    expect(.inputEnds, from: [0x78])
    expect(.headerWrong(0x789d), from: [0x78, 0x9d])
    // Method 7; a window of 64 KiB.
    expect(.headerWrong(0x7715), from: [0x77, 0x15])
    expect(.headerWrong(0x881c), from: [0x88, 0x1c])
    expect(.dictionaryNeeded, from: [0x78, 0xbb])
    expect(.inputEnds, from: [0x78, 0x9c])
    expect(.blockTypeWrong, from: [0x78, 0x9c, 0b111])
    expect(.storedLengthWrong, from: [0x78, 0x9c, 1, 4, 0, 0, 0])
    expect(.inputEnds, from: [0x78, 0x9c, 1, 4, 0, 0xfb, 0xff, 1, 2, 3])
    expect(
      .outputTooLong(expectedByteCount: 16),
      from: [0x78, 0x9c, 1, 17, 0, 0xee, 0xff]
        + [UInt8](repeating: 1, count: 21))
    expect(
      .checksumWrong,
      from: [0x78, 0x9c, 1, 16, 0, 0xef, 0xff]
        + [UInt8](repeating: 1, count: 20))
    // Fixed codes: length symbol 286 (11000110), distance symbol 30 after a match, and a match before
    // anything is there: a length of 3 (0000001) at a distance of 1 (00000).
    expect(.symbolWrong, from: [0x78, 0x9c, 0b0001_1011, 0b11, 0, 0])
    expect(.symbolWrong, from: [0x78, 0x9c, 0b0000_0011, 0b0011_1110, 0, 0])
    expect(.distanceTooFar(1), from: [0x78, 0x9c, 0b0000_0011, 0b10, 0, 0])
    // Codes of their own: 287 literals; a code for lengths in which one word is used up twice over.
    expect(.codeLengthsWrong, from: [0x78, 0x9c, 0b1111_0101, 0, 0])
    expect(.codeLengthsWrong, from: [0x78, 0x9c, 0b101, 0, 0b0010_0100, 0b1001_0010, 0, 0])
  }
}
