// Values in big-endian byte order, as in the device trees of machines.
//
// Source: Devicetree Specification v0.4, section 2.2.4.2.

extension DeviceTreeProperty {
  /// The value as a big-endian 64-bit integer; nil unless it has 8 bytes.
  public var bigEndianUInt64: UInt64? {
    byteCount == 8 ? nativeUInt64.map { UInt64(bigEndian: $0) } : nil
  }

  /// The value as a big-endian 32-bit integer; nil unless it has 4 bytes.
  public var bigEndianUInt32: UInt32? {
    byteCount == 4 ? bytes.bigEndianWord(at: 0) : nil
  }

  /// The value as two big-endian 64-bit integers, such as an address and a size; nil unless it
  /// has 16 bytes.
  public var bigEndianUInt64Pair: (first: UInt64, second: UInt64)? {
    guard byteCount == 16, let first = bytes.uint64(at: 0),
      let second = bytes.uint64(at: 8)
    else { return nil }
    return (UInt64(bigEndian: first), UInt64(bigEndian: second))
  }

  /// The number of 32-bit cells of the value; nil when its length is not a multiple of 4.
  public var bigEndianCellCount: Int? { byteCount & 3 == 0 ? byteCount / 4 : nil }

  /// The big-endian cell at `index`; nil beyond the last, and when the value does not consist of
  /// whole cells.
  public func bigEndianCell(at index: Int) -> UInt32? {
    guard let count = bigEndianCellCount, index >= 0, index < count else { return nil }
    return bytes.bigEndianWord(at: index &* 4)
  }
}
