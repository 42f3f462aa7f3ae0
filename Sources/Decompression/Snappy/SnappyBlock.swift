internal import MemoryAccess

/// Snappy without a frame. Source: snappy, format_description.txt.
///
/// ```
///  varint length │ LLLLLL00 [length] literals │ HHHLLL01 DDDDDDDD │ LLLLLL10 + 2 bytes │ LLLLLL11 + 4 bytes
/// ```
enum SnappyBlock {
  /// The length of the output that the block announces, and where its elements begin.
  static func header(
    of input: RawSpan, from start: Int
  ) throws(DecompressionError) -> (byteCount: Int, end: Int) {
    var value: UInt64 = 0
    for index in 0..<5 {
      guard let byte = input.byte(at: start &+ index) else { throw .inputEnds }
      value |= UInt64(byte & 0x7f) &<< UInt64(7 &* index)
      if byte < 0x80 {
        guard value <= UInt32.max else { throw .lengthWrong }
        return (Int(value), start &+ index &+ 1)
      }
    }
    throw .lengthWrong
  }

  /// Decodes the block of `range` of the input.
  static func decode(
    _ input: RawSpan, _ range: Range<Int>, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    let input = input.extracting(first: range.upperBound)
    let (byteCount, elements) = try header(of: input, from: range.lowerBound)
    let start = output.totalCount
    var place = elements
    while place < input.byteCount {
      guard let tag = input.byte(at: place) else { throw .inputEnds }
      place &+= 1
      let code = Int(tag)
      let distance: Int
      let matched: Int
      switch code & 3 {
      case 0:
        var count = code &>> 2 &+ 1
        if count > 60 {
          let lengthByteCount = count &- 60
          count = try number(input, at: place, byteCount: lengthByteCount) &+ 1
          place &+= lengthByteCount
        }
        guard count <= byteCount &- (output.totalCount &- start) else {
          throw .outputTooLong(expectedByteCount: byteCount)
        }
        try output.append(input, from: place, byteCount: count)
        place &+= count
        continue
      case 1:
        guard let low = input.byte(at: place) else { throw .inputEnds }
        place &+= 1
        matched = code &>> 2 & 7 &+ 4
        distance = (code & 0xe0) &<< 3 | Int(low)
      case 2:
        guard let low = input.byte(at: place), let high = input.byte(at: place &+ 1) else {
          throw .inputEnds
        }
        place &+= 2
        matched = code &>> 2 &+ 1
        distance = Int(high) &<< 8 | Int(low)
      default:
        guard let word = input.uint32(atByte: place) else { throw .inputEnds }
        place &+= 4
        matched = code &>> 2 &+ 1
        distance = Int(UInt32(littleEndian: word))
      }
      let written = output.totalCount &- start
      guard distance <= written else { throw .distanceTooFar(distance) }
      guard matched <= byteCount &- written else {
        throw .outputTooLong(expectedByteCount: byteCount)
      }
      try output.copyMatch(distance: distance, byteCount: matched)
    }
    let written = output.totalCount &- start
    guard written == byteCount else {
      throw .outputTooShort(byteCount: written, expectedByteCount: byteCount)
    }
  }

  /// A little-endian number of one to four bytes.
  private static func number(
    _ input: RawSpan, at place: Int, byteCount: Int
  ) throws(DecompressionError) -> Int {
    var value = 0
    for index in 0..<byteCount {
      guard let byte = input.byte(at: place &+ index) else { throw .inputEnds }
      value |= Int(byte) &<< (8 &* index)
    }
    return value
  }
}
