internal import MemoryAccess

/// A chunk of snappy's framing format: where it is in the input, and what it gives.
///
/// ```
///  u8 type │ u24 length │ u32 masked CRC-32C of the output │ bytes or a snappy block of at most 64 KiB
/// ```
///
/// Source: snappy, framing_format.txt.
public struct SnappyChunk: Hashable, Sendable {
  /// The most bytes of output of a chunk.
  public static let largestByteCount = 1 << 16

  /// Where the chunk ends.
  public let end: Int
  /// How many bytes of output it gives; 0 of one that gives none.
  public let byteCount: Int
  private let isCompressed: Bool
  /// Where the bytes or the block begin.
  private let content: Int

  /// Reads the header of the chunk at `start`, and the length that its block announces.
  ///
  /// - Throws: ``DecompressionError`` for the rule that the chunk breaks.
  /// - Complexity: O(1).
  public init(of input: RawSpan, at start: Int) throws(DecompressionError) {
    guard let word = input.uint32(atByte: start) else { throw .inputEnds }
    let header = UInt32(littleEndian: word)
    let type = header & 0xff
    let length = Int(header >> 8)
    content = start &+ 8
    end = start &+ 4 &+ length
    guard end <= input.byteCount else { throw .inputEnds }
    isCompressed = type == 0
    switch type {
    case 0, 1:
      guard length >= 4 else { throw .lengthWrong }
      byteCount =
        isCompressed ? try SnappyBlock.header(of: input, from: content).byteCount : length &- 4
      guard byteCount <= Self.largestByteCount else { throw .lengthWrong }
    case 0xff:
      guard length == 6, input.extracting(start &+ 4..<end).copiedBytes() == Array("sNaPpY".utf8)
      else { throw .headerWrong(UInt16(truncatingIfNeeded: word)) }
      byteCount = 0
    case 0x80...0xfe: byteCount = 0
    default: throw .blockTypeWrong
    }
  }

  /// The output of the chunk, compared with its checksum.
  ///
  /// - Throws: ``DecompressionError`` for the rule that the chunk breaks.
  /// - Complexity: O(bytes).
  public func decoded(_ input: RawSpan) throws(DecompressionError) -> [UInt8] {
    guard byteCount > 0 else { return [] }
    var output = DecodedOutput(limit: byteCount)
    output.beginCheck(.crc32(.castagnoli))
    if isCompressed {
      try SnappyBlock.decode(input, content..<end, into: &output)
    } else {
      try output.append(input, from: content, byteCount: byteCount)
    }
    guard let word = input.uint32(atByte: content &- 4) else { throw .inputEnds }
    let sum = UInt32(truncatingIfNeeded: output.checkValue())
    let masked = (sum &>> 15 | sum &<< 17) &+ 0xa282_ead8
    guard UInt32(littleEndian: word) == masked else { throw .checksumWrong }
    return output.copiedBytes()
  }
}
