internal import MemoryAccess

/// zstd files: frames one after the other. Source: RFC 8878, section 3.
enum ZstdFrames {
  /// Decodes all frames; frames of the user's own are passed over.
  static func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var start = 0
    repeat {
      if let end = try skippableEnd(input, at: start) {
        start = end
      } else {
        start = try decodeFrame(input, at: start, into: &output)
      }
    } while start < input.byteCount
  }

  /// Where the frame ends that is passed over; nil of any other.
  private static func skippableEnd(
    _ input: RawSpan, at start: Int
  ) throws(DecompressionError) -> Int? {
    guard let word = input.uint32(atByte: start) else { throw .inputEnds }
    let magic = UInt32(littleEndian: word)
    guard magic & ~15 == ZstdFrameHeader.skippableMagic else {
      guard magic == ZstdFrameHeader.magic else {
        throw .headerWrong(UInt16(truncatingIfNeeded: magic.byteSwapped >> 16))
      }
      return nil
    }
    guard let size = input.uint32(atByte: start &+ 4) else { throw .inputEnds }
    let end = start &+ 8 &+ Int(UInt32(littleEndian: size))
    guard end <= input.byteCount else { throw .inputEnds }
    return end
  }

  private static func decodeFrame(
    _ input: RawSpan, at start: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) -> Int {
    let header = try ZstdFrameHeader(input, at: start)
    var next = header.end
    var decoder = ZstdBlockDecoder()
    let before = output.totalCount
    if header.hasChecksum { output.beginCheck(.xxh64(XXH64())) }
    var isLast = false
    while !isLast {
      let block = try ZstdBlockHeader(input, at: next)
      switch block.kind {
      case .raw:
        try output.append(input, from: block.range.lowerBound, byteCount: block.size)
      case .repeated:
        try output.append(
          repeating: input.byte(at: block.range.lowerBound) ?? 0, byteCount: block.size)
      case .compressed:
        try decoder.decode(
          input, block.range, written: output.totalCount &- before, into: &output)
      }
      next = block.range.upperBound
      isLast = block.isLast
    }
    let byteCount = output.totalCount &- before
    if let expected = header.contentByteCount, expected != UInt64(byteCount) {
      throw .outputTooShort(byteCount: byteCount, expectedByteCount: Int(clamping: expected))
    }
    guard header.hasChecksum else { return next }
    guard let sum = input.uint32(atByte: next) else { throw .inputEnds }
    guard UInt32(littleEndian: sum) == UInt32(truncatingIfNeeded: output.checkValue()) else {
      throw .checksumWrong
    }
    output.beginCheck(.none)
    return next &+ 4
  }

  /// The largest window of the frames, as far as their headers can be read.
  ///
  /// - Complexity: O(blocks); their content is not read.
  static func windowByteCount(of input: RawSpan) throws(DecompressionError) -> Int {
    var largest: UInt64 = 0
    var start = 0
    do throws(DecompressionError) {
      while start < input.byteCount {
        if let end = try skippableEnd(input, at: start) {
          start = end
          continue
        }
        let header = try ZstdFrameHeader(input, at: start)
        largest = max(largest, header.windowByteCount)
        start = header.end
        var isLast = false
        while !isLast {
          let block = try ZstdBlockHeader(input, at: start)
          start = block.range.upperBound
          isLast = block.isLast
        }
        if header.hasChecksum { start &+= 4 }
      }
    } catch {
      // The decoder meets the fault again, and says what it is.
    }
    let limit = StreamCompression.largestWindowByteCount
    guard largest <= limit else { throw .windowTooLarge(byteCount: largest, limit: limit) }
    return max(Int(largest), ZstdBlockDecoder.largestByteCount)
  }
}
