extension RawSpan {
  /// The 64-bit word at byte `offset`, in the machine's byte order; nil when it does not fit.
  @inlinable
  public func word(atByte offset: Int) -> UInt64? {
    guard offset >= 0, byteCount >= 8, offset <= byteCount &- 8 else { return nil }
    // SAFETY: eight bytes from `offset` on are inside the span; any bit pattern is a UInt64.
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
  }

  /// The 32-bit word at byte `offset`, in the machine's byte order; nil when it does not fit.
  @inlinable
  public func uint32(atByte offset: Int) -> UInt32? {
    guard offset >= 0, byteCount >= 4, offset <= byteCount &- 4 else { return nil }
    // SAFETY: four bytes from `offset` on are inside the span; any bit pattern is a UInt32.
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)
  }

  /// The first offset from `start` on, a multiple of 8 bytes, at which the 64-bit word `word` is stored in
  /// the machine's byte order; nil where there is none.
  ///
  /// - Parameter word: the word.
  /// - Parameter start: the offset to begin at, rounded up to a multiple of 8.
  /// - Complexity: O(bytes).
  public func firstOffset(ofWord word: UInt64, from start: Int = 0) -> Int? {
    guard start >= 0, start <= byteCount else { return nil }
    // Each offset that is visited has eight bytes behind it.
    var offset = (start &+ 7) & ~7
    while offset <= byteCount &- 8 {
      // SAFETY: eight bytes from `offset` on are inside the span; any bit pattern is a UInt64.
      if unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self) == word {
        return offset
      }
      offset &+= 8
    }
    return nil
  }
}
