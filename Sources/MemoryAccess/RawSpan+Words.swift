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
}
