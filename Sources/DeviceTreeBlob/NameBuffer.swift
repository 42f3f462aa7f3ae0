/// A checked name on the stack, whatever it came from.
struct NameBuffer {
  private var storage = InlineArray<256, UInt8>(repeating: 0)
  /// The length in bytes, at most ``DeviceTree/maximumNameByteCount``.
  private(set) var byteCount = 0

  /// A name that a caller chose: not empty, no NUL, no slash.
  init(checking name: String) throws(DeviceTreeWriterError) {
    let bytes = name.utf8Span.span
    for index in bytes.indices {
      let byte = bytes[index]
      guard byte != 0 else { throw .nameContainsNUL(offset: byteCount) }
      guard byte != UInt8(ascii: "/") else { throw .nameContainsSlash(offset: byteCount) }
      guard append(byte) else { throw .nameTooLong(byteCount: bytes.count) }
    }
    guard byteCount > 0 else { throw .emptyName }
  }

  /// A name out of another tree, taken over as it is up to a NUL.
  init(copying name: RawSpan) throws(DeviceTreeWriterError) {
    while let byte = name.byte(at: byteCount), byte != 0 {
      guard append(byte) else { throw .nameTooLong(byteCount: name.byteCount) }
    }
    guard byteCount > 0 else { throw .emptyName }
  }

  /// The byte at `index`; 0, the terminator, behind the last.
  subscript(index: Int) -> UInt8 {
    index >= 0 && index < byteCount ? storage[index] : 0
  }

  private mutating func append(_ byte: UInt8) -> Bool {
    guard byteCount < DeviceTree.maximumNameByteCount else { return false }
    storage[byteCount] = byte
    byteCount &+= 1
    return true
  }
}
