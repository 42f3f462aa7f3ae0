import MemoryAccess

/// CRC-64/XZ, which distinguishes damaged bytes from those that were written.
///
/// Source: the catalogue of CRC algorithms; polynomial 0x42f0e1eba9ea3693, reflected.
package struct CheckValue {
  private var remainder = UInt64.max

  /// The check value of no bytes.
  package init() {}

  /// The check value of `words`, as their bytes are in memory.
  package init(of words: some Sequence<UInt64>) {
    for word in words { append(word) }
  }

  /// The remainder of each byte.
  private static let table: [UInt64] = (0..<256).map { byte in
    (0..<8).reduce(UInt64(byte)) { remainder, _ in
      remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0xc96c_5795_d787_0f42
    }
  }

  /// Takes the next byte.
  package mutating func append(_ byte: UInt8) {
    let index = Int(truncatingIfNeeded: (remainder ^ UInt64(byte)) & 0xff)
    remainder = remainder &>> 8 ^ Self.table[index]
  }

  /// Takes the bytes of the next word, as they are in memory.
  package mutating func append(_ word: UInt64) {
    var rest = word.littleEndian
    for _ in 0..<8 {
      append(UInt8(truncatingIfNeeded: rest))
      rest &>>= 8
    }
  }

  /// The check value of the bytes so far.
  package var value: UInt64 { ~remainder }
}

extension RawSpan {
  /// The check value of all bytes.
  var checkValue: UInt64 {
    var check = CheckValue()
    for offset in 0..<byteCount { check.append(byte(at: offset) ?? 0) }
    return check.value
  }
}
