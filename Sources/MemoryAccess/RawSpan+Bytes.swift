extension RawSpan {
  /// The byte at `offset`; nil outside the span.
  @inlinable
  public func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    // SAFETY: the byte is inside the span; any bit pattern is a UInt8.
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// A copy of the bytes, which no other process can change.
  ///
  /// - Complexity: O(bytes).
  public func copiedBytes() -> [UInt8] {
    // SAFETY: the buffer is read inside the call that lends it.
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension [UInt8] {
  /// Calls `body` with the bytes of the array.
  @inlinable
  public func withRawSpan<Result: ~Copyable, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a byte has no padding that could be read.
    try body(unsafe span.bytes)
  }
}
