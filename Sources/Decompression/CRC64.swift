internal import MemoryAccess

/// The cyclic redundancy check of 64 bits that .xz files have by default (ECMA-182, bit-reflected).
///
/// Source: The .xz File Format 1.1.0, section 6.
struct CRC64 {
  private let table = Self.table
  private var sum: UInt64 = .max

  var value: UInt64 { ~sum }

  mutating func update(_ bytes: RawSpan) {
    var sum = self.sum
    var index = 0
    while let byte = bytes.byte(at: index) {
      sum = sum &>> 8 ^ table[Int(truncatingIfNeeded: sum & 0xff) ^ Int(byte)]
      index &+= 1
    }
    self.sum = sum
  }

  private static let table: [UInt64] = (0..<256 as Range<UInt64>).map { byte in
    var sum = byte
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xc96c_5795_d787_0f42 : sum >> 1 }
    return sum
  }
}
