internal import MemoryAccess

/// zlib streams. Source: RFC 1950 (zlib), RFC 1951 (DEFLATE).
enum ZlibStream {
  /// Decodes the stream at the start of `input`, and compares its checksum.
  static func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    guard let first = input.byte(at: 0), let second = input.byte(at: 1) else { throw .inputEnds }
    let header = UInt16(first) << 8 | UInt16(second)
    // Method 8 with a window of at most 32 KiB, and a check over both bytes.
    guard first & 15 == 8, first >> 4 <= 7, header % 31 == 0 else { throw .headerWrong(header) }
    guard second & 0x20 == 0 else { throw .dictionaryNeeded }
    output.beginCheck(.adler32(Adler32()))
    var inflater = Inflater(startingAt: 2)
    try inflater.run(input, into: &output)
    guard let sum = input.uint32(atByte: inflater.end()) else { throw .inputEnds }
    guard UInt64(UInt32(bigEndian: sum)) == output.checkValue() else { throw .checksumWrong }
  }
}
