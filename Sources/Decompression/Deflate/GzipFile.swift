internal import MemoryAccess

/// gzip files: members one after the other. Source: RFC 1952.
enum GzipFile {
  static let windowByteCount = 32 << 10

  /// Decodes all members; zeros behind the last one are padding.
  static func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var start = 0
    repeat {
      start = try decodeMember(input, from: start, into: &output)
      while input.byte(at: start) == 0 { start &+= 1 }
    } while start < input.byteCount
  }

  /// Decodes the member at `start`; returns where it ends.
  private static func decodeMember(
    _ input: RawSpan, from start: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) -> Int {
    guard let first = input.byte(at: start), let second = input.byte(at: start &+ 1),
      let method = input.byte(at: start &+ 2), let flags = input.byte(at: start &+ 3)
    else { throw .inputEnds }
    guard first == 0x1f, second == 0x8b else {
      throw .headerWrong(UInt16(first) << 8 | UInt16(second))
    }
    // Deflate, and no flag that is not known.
    guard method == 8, flags & 0xe0 == 0 else { throw .featureUnsupported }
    var next = start &+ 10
    if flags & 4 != 0 {
      guard let low = input.byte(at: next), let high = input.byte(at: next &+ 1) else {
        throw .inputEnds
      }
      next &+= 2 &+ (Int(high) << 8 | Int(low))
    }
    // The name and the comment end with a zero.
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {
      while let byte = input.byte(at: next), byte != 0 { next &+= 1 }
      next &+= 1
    }
    if flags & 2 != 0 { next &+= 2 }

    output.beginCheck(.crc32(.ieee))
    let before = output.totalCount
    var inflater = Inflater(startingAt: next)
    try inflater.run(input, into: &output)
    let end = inflater.end()
    guard let sum = input.uint32(atByte: end), let length = input.uint32(atByte: end &+ 4)
    else {
      throw .inputEnds
    }
    guard UInt64(UInt32(littleEndian: sum)) == output.checkValue(),
      UInt32(littleEndian: length) == UInt32(truncatingIfNeeded: output.totalCount &- before)
    else { throw .checksumWrong }
    return end &+ 8
  }
}
