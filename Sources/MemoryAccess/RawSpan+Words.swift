public import Synchronization

/// Loads from memory that another process or a kernel may write at the same time.
///
/// Each byte is loaded once, by relaxed atomic loads: the compiler may not load a value a second time, after a check,
/// and get another one. What a reader checks is therefore what it uses.
extension RawSpan {
  /// The 64-bit word at byte `offset`, in the machine's byte order; nil when it does not fit.
  ///
  /// A word at a multiple of 8 is loaded as a whole, any other byte by byte: while it is written, such a word can be
  /// partly old and partly new.
  @inlinable
  public func word(atByte offset: Int) -> UInt64? {
    guard offset >= 0, byteCount >= 8, offset <= byteCount &- 8 else { return nil }
    // SAFETY: eight bytes from `offset` on are inside the span, so it has an address. The atomic has the layout of
    // the word that it holds, and the address is a multiple of its alignment.
    let word: UInt64? = unsafe withUnsafeBytes { bytes in
      let place = unsafe bytes.baseAddress.unsafelyUnwrapped + offset
      guard Int(bitPattern: place) & 7 == 0 else { return nil }
      return unsafe place.assumingMemoryBound(to: Atomic<UInt64>.self).pointee
        .load(ordering: .relaxed)
    }
    return word ?? bytewise(offset, byteCount: 8)
  }

  /// The 32-bit word at byte `offset`, in the machine's byte order; nil when it does not fit.
  ///
  /// A word at a multiple of 4 is loaded as a whole, any other byte by byte.
  @inlinable
  public func uint32(atByte offset: Int) -> UInt32? {
    guard offset >= 0, byteCount >= 4, offset <= byteCount &- 4 else { return nil }
    // SAFETY: as for `word(atByte:)`, with four bytes.
    let word: UInt32? = unsafe withUnsafeBytes { bytes in
      let place = unsafe bytes.baseAddress.unsafelyUnwrapped + offset
      guard Int(bitPattern: place) & 3 == 0 else { return nil }
      return unsafe place.assumingMemoryBound(to: Atomic<UInt32>.self).pointee
        .load(ordering: .relaxed)
    }
    return word ?? UInt32(truncatingIfNeeded: bytewise(offset, byteCount: 4))
  }

  /// The integer of `byteCount` bytes at `offset`, all inside the span, loaded byte by byte.
  @usableFromInline
  func bytewise(_ offset: Int, byteCount: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<byteCount {
      value |= UInt64(byte(at: offset &+ index) ?? 0) &<< UInt64(8 &* index)
    }
    #if _endian(big)
      return value.byteSwapped &>> UInt64(64 &- 8 &* byteCount)
    #else
      return value
    #endif
  }

  /// The 64-bit word at byte `offset`, for checksums and decoders, which do not check a word and load it again; nil
  /// when it does not fit.
  ///
  /// A plain load: the compiler may make it again. It is as fast at any address.
  @inlinable
  package func plainWord(atByte offset: Int) -> UInt64? {
    guard offset >= 0, byteCount >= 8, offset <= byteCount &- 8 else { return nil }
    // SAFETY: eight bytes from `offset` on are inside the span; any bit pattern is a UInt64.
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
  }

  /// The 32-bit word at byte `offset`, as ``plainWord(atByte:)``.
  @inlinable
  package func plainUInt32(atByte offset: Int) -> UInt32? {
    guard offset >= 0, byteCount >= 4, offset <= byteCount &- 4 else { return nil }
    // SAFETY: four bytes from `offset` on are inside the span; any bit pattern is a UInt32.
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)
  }

  /// The first offset from `start` on, a multiple of 8 bytes, at which the 64-bit word `word` is stored in
  /// the machine's byte order; `nil` if no such offset contains it.
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
