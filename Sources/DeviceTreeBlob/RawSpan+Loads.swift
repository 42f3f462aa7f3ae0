import Synchronization

// The one file of the target with unsafe code: every load and store is checked here. Bytes and words of the structure
// are loaded once, since another program may change the blob while it is read. `MemoryAccess` has such loads too, but
// this target imports no other one, so that it can be used without the rest of the package.

extension RawSpan {
  /// The byte at `offset`; nil outside the span.
  func byte(at offset: Int) -> UInt8? {
    guard offset >= 0, offset < byteCount else { return nil }
    // SAFETY: the byte is inside the span, so it has an address; the atomic has the layout of the byte.
    return unsafe withUnsafeBytes { bytes in
      unsafe (bytes.baseAddress.unsafelyUnwrapped + offset)
        .assumingMemoryBound(to: Atomic<UInt8>.self).pointee.load(ordering: .relaxed)
    }
  }

  /// The 32-bit word at `offset`, in the machine's byte order; nil when it does not fit.
  func uint32(at offset: Int) -> UInt32? {
    guard offset >= 0, byteCount >= 4, offset <= byteCount &- 4 else { return nil }
    // SAFETY: four bytes from `offset` on are inside the span, so it has an address. The atomic has the layout of
    // the word, and the address is a multiple of its alignment.
    let word: UInt32? = unsafe withUnsafeBytes { bytes in
      let place = unsafe bytes.baseAddress.unsafelyUnwrapped + offset
      guard Int(bitPattern: place) & 3 == 0 else { return nil }
      return unsafe place.assumingMemoryBound(to: Atomic<UInt32>.self).pointee
        .load(ordering: .relaxed)
    }
    if let word { return word }
    var value: UInt32 = 0
    for index in 0..<4 { value = value &<< 8 | UInt32(byte(at: offset &+ index) ?? 0) }
    return UInt32(bigEndian: value)
  }

  /// The 64-bit word at `offset`, in the machine's byte order; nil when it does not fit.
  ///
  /// Values of properties begin at multiples of 4, so the two halves are loaded on their own.
  func uint64(at offset: Int) -> UInt64? {
    guard offset <= Int.max &- 4, let first = uint32(at: offset),
      let second = uint32(at: offset &+ 4)
    else { return nil }
    let high = UInt64(UInt32(bigEndian: first)) &<< 32
    return UInt64(bigEndian: high | UInt64(UInt32(bigEndian: second)))
  }

  /// The big-endian 32-bit word at `offset`, the container's unit; nil when it does not fit.
  func bigEndianWord(at offset: Int) -> UInt32? {
    uint32(at: offset).map(UInt32.init(bigEndian:))
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
