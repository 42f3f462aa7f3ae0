internal import MemoryAccess

/// Chunks of LZMA and of bytes as they are. Source: the .xz file format, section 5.3.1, and XZ Embedded's
/// description of LZMA2 chunks.
enum LZMA2Stream {
  /// Decodes the chunks from `start` on, to the end mark; returns where it ends.
  static func decode(
    _ input: RawSpan, from start: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) -> Int {
    var next = start
    var decoder = LZMADecoder()
    var dictionaryStart: Int? = nil
    var hasProperties = false
    while true {
      guard let control = input.byte(at: next) else { throw .inputEnds }
      if control == 0 { return next &+ 1 }
      guard let size = number(input, at: next &+ 1) else { throw .inputEnds }
      if control == 1 || control >= 0xe0 { dictionaryStart = output.totalCount }
      guard let dictionaryStart else { throw .dictionaryNeeded }
      guard control >= 0x80 else {
        guard control <= 2 else { throw .blockTypeWrong }
        try output.append(input, from: next &+ 3, byteCount: size &+ 1)
        next &+= 4 &+ size
        // A chunk without LZMA ends the use of the state before it.
        if control == 1 { hasProperties = false }
        continue
      }
      guard let compressed = number(input, at: next &+ 3) else { throw .inputEnds }
      next &+= 5
      if control >= 0xc0 {
        guard let properties = input.byte(at: next) else { throw .inputEnds }
        try decoder.setProperties(properties)
        hasProperties = true
        next &+= 1
      }
      guard hasProperties else { throw .dictionaryNeeded }
      if control >= 0xa0 { decoder.resetState() }
      let end = next &+ compressed &+ 1
      guard end <= input.byteCount else { throw .inputEnds }
      try decoder.decode(
        input, next..<end, byteCount: Int(control & 0x1f) &<< 16 &+ size &+ 1,
        dictionaryStart: dictionaryStart, into: &output)
      next = end
    }
  }

  /// A big-endian number of two bytes.
  private static func number(_ input: RawSpan, at place: Int) -> Int? {
    guard let high = input.byte(at: place), let low = input.byte(at: place &+ 1) else { return nil }
    return Int(high) << 8 | Int(low)
  }
}
