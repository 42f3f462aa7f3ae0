extension RawSpan {
  /// The byte at `offset`.
  ///
  /// - Precondition: there is one.
  @inlinable
  public subscript(offset: Int) -> UInt8 {
    // SAFETY: the offset is checked, and every bit pattern is a byte.
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// A copy of the bytes.
  public var array: [UInt8] {
    // SAFETY: copied before the pointer goes.
    unsafe withUnsafeBytes { unsafe Array($0) }
  }

  /// The bytes as text; what is not UTF-8 is replaced.
  public var text: String { String(decoding: array, as: UTF8.self) }

  /// Whether the bytes are the same as those of `other`.
  public func hasSameBytes(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    for index in 0..<byteCount where self[index] != other[index] { return false }
    return true
  }

  /// Whether the bytes are those of `word`, in upper or lower case.
  ///
  /// - Precondition: `word` is in lower case.
  public func isWord(_ word: StaticString) -> Bool {
    guard byteCount == word.utf8CodeUnitCount else { return false }
    // SAFETY: as many bytes as were just compared; a static string is not a single scalar here.
    let start = unsafe word.utf8Start
    for index in 0..<byteCount {
      guard unsafe self[index].lowercased == start[index] else { return false }
    }
    return true
  }
}

extension UInt8 {
  /// The byte, in lower case where it is a letter of ASCII.
  @inlinable
  public var lowercased: UInt8 {
    self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
  }
}

extension Array<UInt8> {
  /// The bytes.
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: bytes have no padding.
      unsafe span.bytes
    }
  }
}
