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

  /// The remainder of each byte that has 0 to 7 bytes of zeros behind it: 256 for each number of zeros.
  private static let table: [UInt64] = {
    var table = [UInt64]()
    table.reserveCapacity(8 * 256)
    for byte in 0..<256 {
      table.append(
        (0..<8).reduce(UInt64(byte)) { remainder, _ in
          remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0xc96c_5795_d787_0f42
        })
    }
    for index in 256..<8 * 256 {
      let remainder = table[index - 256]
      table.append(remainder >> 8 ^ table[Int(remainder & 0xff)])
    }
    return table
  }()

  /// Takes the next byte.
  package mutating func append(_ byte: UInt8) {
    let index = Int(truncatingIfNeeded: (remainder ^ UInt64(byte)) & 0xff)
    remainder = remainder &>> 8 ^ Self.table[index]
  }

  /// Takes the bytes of the next word, as they are in memory: eight look-ups that do not wait for each other.
  package mutating func append(_ word: UInt64) {
    let table = Self.table
    let rest = remainder ^ word.littleEndian
    remainder =
      table[0x700 &+ Int(rest & 0xff)] ^ table[0x600 &+ Int(rest &>> 8 & 0xff)]
      ^ table[0x500 &+ Int(rest &>> 16 & 0xff)] ^ table[0x400 &+ Int(rest &>> 24 & 0xff)]
      ^ table[0x300 &+ Int(rest &>> 32 & 0xff)] ^ table[0x200 &+ Int(rest &>> 40 & 0xff)]
      ^ table[0x100 &+ Int(rest &>> 48 & 0xff)] ^ table[Int(rest &>> 56)]
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
