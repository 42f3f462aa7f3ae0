internal import MemoryAccess

/// .xz files: streams of blocks, one after the other.
///
/// ```
///  header │ block header, LZMA2 chunks, padding, check │ … │ index │ footer
/// ```
///
/// Source: The .xz File Format 1.1.0.
enum XZFile {
  private static let magic: [UInt8] = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]
  private static let footerByteCount = 12

  /// Decodes all streams.
  static func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var start = 0
    repeat {
      start = try decodeStream(input, from: start, into: &output)
      // Padding between streams.
      while input.uint32(atByte: start) == 0 { start &+= 4 }
    } while start < input.byteCount
  }

  private static func decodeStream(
    _ input: RawSpan, from start: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) -> Int {
    let check = try checkType(input, at: start)
    var next = start &+ 12
    while true {
      guard let size = input.byte(at: next) else { throw .inputEnds }
      if size == 0 { return try indexEnd(input, at: next) }
      let header = try BlockHeader(input, at: next)
      // A larger dictionary than the one that memory was made for: of a later block.
      guard header.dictionaryByteCount <= StreamCompression.largestWindowByteCount else {
        throw .windowTooLarge(
          byteCount: header.dictionaryByteCount, limit: StreamCompression.largestWindowByteCount)
      }
      switch check {
      case 1: output.beginCheck(.crc32(.ieee))
      case 4: output.beginCheck(.crc64(CRC64()))
      default: output.beginCheck(.none)
      }
      let end = try LZMA2Stream.decode(input, from: header.end, into: &output)
      next = end &+ (header.end &- end) & 3
      try compare(check, input, at: next, &output)
      next &+= checkByteCount(check)
    }
  }

  /// The kind of check, from the stream's header at `start`.
  private static func checkType(
    _ input: RawSpan, at start: Int
  ) throws(DecompressionError) -> UInt8 {
    guard start &+ 12 <= input.byteCount, let sum = input.uint32(atByte: start &+ 8) else {
      throw .inputEnds
    }
    let header = input.extracting(start..<start &+ 6).copiedBytes()
    guard header == magic else {
      throw .headerWrong(UInt16(header[0]) << 8 | UInt16(header[1]))
    }
    var crc = CRC32.ieee
    crc.update(input.extracting(start &+ 6..<start &+ 8))
    guard crc.value == UInt32(littleEndian: sum) else { throw .checksumWrong }
    guard input.byte(at: start &+ 6) == 0, let type = input.byte(at: start &+ 7), type < 16 else {
      throw .featureUnsupported
    }
    return type
  }

  /// Section 2.1.1.2, "Stream Flags".
  private static func checkByteCount(_ type: UInt8) -> Int {
    type == 0 ? 0 : 4 &<< ((Int(type) &- 1) / 3)
  }

  /// Compares the sums that are computed; a SHA-256 is passed over.
  private static func compare(
    _ type: UInt8, _ input: RawSpan, at place: Int, _ output: inout DecodedOutput
  ) throws(DecompressionError) {
    guard checkByteCount(type) <= input.byteCount &- place else { throw .inputEnds }
    let value: UInt64?
    switch type {
    case 1: value = input.uint32(atByte: place).map { UInt64(UInt32(littleEndian: $0)) }
    case 4: value = input.word(atByte: place).map { UInt64(littleEndian: $0) }
    default: return
    }
    guard value == output.checkValue() else { throw .checksumWrong }
  }

  /// Passes over the index at `start` and the footer behind it.
  private static func indexEnd(
    _ input: RawSpan, at start: Int
  ) throws(DecompressionError) -> Int {
    var next = start &+ 1
    let count = try variableInteger(input, &next)
    for _ in 0..<count {
      _ = try variableInteger(input, &next)
      _ = try variableInteger(input, &next)
    }
    next = next &+ (start &- next) & 3 &+ 4
    guard next &+ footerByteCount <= input.byteCount else { throw .inputEnds }
    guard input.byte(at: next &+ 10) == 0x59, input.byte(at: next &+ 11) == 0x5a else {
      throw .blockTypeWrong
    }
    return next &+ footerByteCount
  }

  /// Section 1.2, "Multibyte Integers".
  private static func variableInteger(
    _ input: RawSpan, _ next: inout Int
  ) throws(DecompressionError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard let byte = input.byte(at: next) else { throw .inputEnds }
      next &+= 1
      value |= UInt64(byte & 0x7f) &<< UInt64(7 &* index)
      if byte < 0x80 { return value }
    }
    throw .lengthWrong
  }

  /// The largest dictionary of the blocks of the first stream that can be found without decoding: the
  /// first block's, since all blocks of a file are made alike.
  static func windowByteCount(of input: RawSpan) throws(DecompressionError) -> Int {
    guard let size = input.byte(at: 12), size != 0 else { return 1 << 16 }
    let byteCount = try BlockHeader(input, at: 12).dictionaryByteCount
    let limit = StreamCompression.largestWindowByteCount
    guard byteCount <= limit else { throw .windowTooLarge(byteCount: byteCount, limit: limit) }
    return max(Int(byteCount), 1 << 16)
  }

  /// Section 3.1, "Block Header".
  private struct BlockHeader {
    /// How far a match may reach back.
    let dictionaryByteCount: UInt64
    /// Where the chunks begin.
    let end: Int

    init(_ input: RawSpan, at start: Int) throws(DecompressionError) {
      guard let size = input.byte(at: start), let flags = input.byte(at: start &+ 1) else {
        throw .inputEnds
      }
      let byteCount = (Int(size) &+ 1) &* 4
      end = start &+ byteCount
      guard byteCount >= 8, end <= input.byteCount,
        let sum = input.uint32(atByte: end &- 4)
      else { throw .inputEnds }
      var crc = CRC32.ieee
      crc.update(input.extracting(start..<end &- 4))
      guard crc.value == UInt32(littleEndian: sum) else { throw .checksumWrong }
      // One filter, and no flag that is not known.
      guard flags & 0x3f == 0 else { throw .featureUnsupported }
      var next = start &+ 2
      for flag in [0x40, 0x80] as [UInt8] where flags & flag != 0 {
        _ = try XZFile.variableInteger(input, &next)
      }
      guard try XZFile.variableInteger(input, &next) == 0x21,
        try XZFile.variableInteger(input, &next) == 1, let bits = input.byte(at: next), bits <= 40
      else { throw .featureUnsupported }
      // 4 KiB, 6 KiB, 8 KiB, 12 KiB, …
      dictionaryByteCount =
        bits == 40 ? UInt64(UInt32.max) : (2 | UInt64(bits & 1)) << (11 + UInt64(bits / 2))
    }
  }
}
