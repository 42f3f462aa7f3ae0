internal import MemoryAccess

/// Undoes zlib's compression, of input that nobody vouches for.
///
/// The caller says how long the output is, so that no input makes it larger; the work is bounded by
/// the input and that length.
///
/// Source: RFC 1950 (zlib), RFC 1951 (DEFLATE).
public enum ZlibStream {
  /// The output of the stream at the start of `input`, which is `byteCount` bytes long.
  ///
  /// Bytes behind the stream are not looked at.
  ///
  /// - Throws: for the rule that the input breaks; ``ZlibError/outputTooShort(byteCount:expectedByteCount:)``
  ///   and ``ZlibError/outputTooLong(expectedByteCount:)`` where the length is another.
  /// - Complexity: O(input + `byteCount`).
  public static func inflate(
    _ input: RawSpan, byteCount: Int
  ) throws(ZlibError) -> [UInt8] {
    var inflater = try Inflater(input, byteCount: byteCount)
    try inflater.run(input)
    guard inflater.outputCount == byteCount else {
      throw .outputTooShort(byteCount: inflater.outputCount, expectedByteCount: byteCount)
    }
    try inflater.check(input)
    return inflater.output
  }

  /// The first `byteCount` bytes of the output of the stream at the start of `input`; fewer where
  /// there are no more.
  ///
  /// What comes behind them is not looked at: neither the rest of the stream nor its checksum.
  ///
  /// - Throws: for the rule that the input breaks as far as it is read.
  /// - Complexity: O(input that is needed for them).
  public static func inflateStart(
    of input: RawSpan, byteCount: Int
  ) throws(ZlibError) -> [UInt8] {
    var inflater = try Inflater(input, byteCount: byteCount)
    inflater.endsWhenFull = true
    try inflater.run(input)
    return Array(inflater.output.prefix(inflater.outputCount))
  }
}
