import DeviceTreeBlob
import MemoryAccess

extension RawSpan {
  /// The text in the field of `byteCount` bytes at `offset`, up to its NUL; nil when it is empty or
  /// has no end.
  ///
  /// Bytes that are not UTF-8 become U+FFFD.
  func text(atByte offset: Int, byteCount: Int) -> String? {
    var copy: [UInt8] = []
    while copy.count < byteCount, let byte = byte(at: offset &+ copy.count) {
      if byte == 0 { return copy.isEmpty ? nil : String(repairing: copy) }
      copy.append(byte)
    }
    return nil
  }

  /// The 16-bit word at byte `offset`, in the machine's byte order; nil when it does not fit.
  func quarterWord(atByte offset: Int) -> UInt16? {
    guard let low = byte(at: offset), let high = byte(at: offset &+ 1) else { return nil }
    return UInt16(littleEndian: UInt16(high) &<< 8 | UInt16(low))
  }
}

extension MutableRawSpan {
  /// Stores the UTF-8 of `text` from `offset` on.
  @_lifetime(self: copy self)
  mutating func store(text: String, atByte offset: Int) {
    let bytes = text.utf8Span.span
    for index in bytes.indices {
      storeBytes(of: bytes[index], toByteOffset: offset &+ index, as: UInt8.self)
    }
  }
}

extension String {
  /// Whether it has 1 to `limit` bytes of UTF-8, none of them 0.
  func canBeWritten(atMost limit: Int) -> Bool {
    let bytes = utf8Span.span
    guard bytes.count >= 1, bytes.count <= limit else { return false }
    for index in bytes.indices where bytes[index] == 0 { return false }
    return true
  }
}
