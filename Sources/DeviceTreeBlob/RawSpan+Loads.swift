// The one file of the target with unsafe code: every load and store is checked here.

extension RawSpan {
  /// The byte at `offset`; nil outside the span.
  func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    // SAFETY: the byte was just found inside the span; any bit pattern is a UInt8.
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// The integer at `offset` as it is in memory, aligned or not; nil when it does not fit.
  func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Value.Type
  ) -> Value? {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, byteCount >= size, offset <= byteCount &- size else { return nil }
    // SAFETY: all `size` bytes were just found inside the span; integers have no invalid bits.
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Value.self)
  }

  /// The big-endian 32-bit word at `offset`, the container's unit; nil when it does not fit.
  func bigEndianWord(at offset: Int) -> UInt32? {
    guard let word = integer(at: offset, as: UInt32.self) else { return nil }
    return UInt32(bigEndian: word)
  }
}

extension MutableSpan<UInt8> {
  /// The bytes of the elements.
  package var rawBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // SAFETY: any byte stored is a valid UInt8, and the result borrows this span.
      unsafe mutableBytes
    }
  }
}

extension MutableRawSpan {
  /// The byte at `offset`; nil outside the span.
  func byte(at offset: Int) -> UInt8? { bytes.byte(at: offset) }

  /// Stores `value` as it is, aligned or not.
  ///
  /// - Precondition: it fits; checked by the standard library.
  @_lifetime(self: copy self)
  mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  /// Stores `value` as a big-endian word.
  ///
  /// - Precondition: it fits; checked by the standard library.
  @_lifetime(self: copy self)
  mutating func storeBigEndian(_ value: UInt32, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Moves `range` to start at the lower offset `destination`; the two may overlap.
  @_lifetime(self: copy self)
  mutating func moveDown(_ range: Range<Int>, to destination: Int) {
    var target = destination
    for source in range {
      guard let byte = byte(at: source) else { return }
      store(byte, at: target)
      target &+= 1
    }
  }

  /// Sets `range` to zero.
  @_lifetime(self: copy self)
  mutating func clear(_ range: Range<Int>) {
    for offset in range { store(0 as UInt8, at: offset) }
  }

  /// Reverses the order of the bytes of `range`.
  @_lifetime(self: copy self)
  mutating func reverse(_ range: Range<Int>) {
    var low = range.lowerBound
    var high = range.upperBound &- 1
    while low < high, let first = byte(at: low), let last = byte(at: high) {
      store(last, at: low)
      store(first, at: high)
      low &+= 1
      high &-= 1
    }
  }
}
