// Numbers in unchecked bytes: a number that does not fit is nil.

extension [UInt8] {
  func littleEndian16(at offset: Int) -> UInt16? {
    littleEndian(at: offset, byteCount: 2).map { UInt16(truncatingIfNeeded: $0) }
  }

  func littleEndian32(at offset: Int) -> UInt32? {
    littleEndian(at: offset, byteCount: 4).map { UInt32(truncatingIfNeeded: $0) }
  }

  func littleEndian64(at offset: Int) -> UInt64? {
    littleEndian(at: offset, byteCount: 8)
  }

  private func littleEndian(at offset: Int, byteCount: Int) -> UInt64? {
    guard offset >= 0, byteCount <= count, offset <= count &- byteCount else { return nil }
    return self[offset..<offset &+ byteCount].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension MappedFile {
  /// A copy of `count` bytes from `offset` on; fewer, or none, where the file ends earlier.
  func copiedBytes(at offset: UInt64, count: UInt64) -> [UInt8] {
    guard offset < byteCount else { return [] }
    let length = min(count, byteCount &- offset)
    return gatheredBytes(of: [offset..<offset &+ length], byteCount: Int(length))
  }
}
