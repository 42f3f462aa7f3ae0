public import Synchronization

extension RawSpan {
  /// The byte at `offset`, loaded once; nil outside the span.
  @inlinable
  public func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    // SAFETY: the byte is inside the span, so it has an address; the atomic has the layout of the byte.
    return unsafe withUnsafeBytes { bytes in
      unsafe (bytes.baseAddress.unsafelyUnwrapped + offset)
        .assumingMemoryBound(to: Atomic<UInt8>.self).pointee.load(ordering: .relaxed)
    }
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
