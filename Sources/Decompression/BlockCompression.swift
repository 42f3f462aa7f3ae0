internal import MemoryAccess

/// How a block whose length is known, as a page of a dump, can be compressed.
///
/// Decoding never gives more bytes than the caller asks for, and its work is bounded by the input and
/// that length, so that the input may be anything.
///
/// Source: RFC 1950 and RFC 1951 (zlib), Documentation/staging/lzo.rst of Linux (LZO1X),
/// format_description.txt of snappy, RFC 8878 (zstd).
@nonexhaustive
public enum BlockCompression: Hashable, Sendable, CaseIterable {
  case zlib
  case lzo
  case snappy
  case zstd

  /// The output of the stream at the start of `input`, which is `byteCount` bytes long.
  ///
  /// Bytes after a stream that marks its end (all but snappy) are not read.
  ///
  /// - Throws: ``DecompressionError`` for the rule that the input breaks;
  ///   ``DecompressionError/outputTooShort(byteCount:expectedByteCount:)`` and
  ///   ``DecompressionError/outputTooLong(expectedByteCount:)`` where the length is another.
  /// - Complexity: O(input + `byteCount`).
  public func decompress(
    _ input: RawSpan, byteCount: Int
  ) throws(DecompressionError) -> [UInt8] {
    var output = DecodedOutput(limit: byteCount)
    try decode(input, into: &output)
    guard output.totalCount == byteCount else {
      throw .outputTooShort(byteCount: output.totalCount, expectedByteCount: byteCount)
    }
    return output.copiedBytes()
  }

  /// The first `byteCount` bytes of the output of the stream at the start of `input`; fewer if
  /// it has fewer.
  ///
  /// What comes after them is not read: neither the rest of the stream nor its checksum.
  ///
  /// - Throws: ``DecompressionError`` for the rule that the input breaks as far as it is read.
  /// - Complexity: O(input that is needed for them); zstd decodes a block of its own at a time.
  public func decompressStart(
    of input: RawSpan, byteCount: Int
  ) throws(DecompressionError) -> [UInt8] {
    var output = DecodedOutput(limit: byteCount)
    do throws(DecompressionError) {
      try decode(input, into: &output)
    } catch .outputTooLong where output.totalCount == byteCount {
      // As many as were asked for.
    }
    return output.copiedBytes()
  }

  private func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    switch self {
    case .zlib: try ZlibStream.decode(input, into: &output)
    case .lzo: try LZO1X.decode(input, into: &output)
    case .snappy: try SnappyBlock.decode(input, 0..<input.byteCount, into: &output)
    case .zstd: try ZstdFrames.decode(input, into: &output)
    }
  }
}

extension BlockCompression: CustomStringConvertible {
  /// The name as makedumpfile's manual has it.
  public var description: String {
    switch self {
    case .zlib: "zlib"
    case .lzo: "LZO"
    case .snappy: "snappy"
    case .zstd: "zstd"
    }
  }
}
