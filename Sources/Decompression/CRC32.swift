internal import MemoryAccess

/// A cyclic redundancy check of 32 bits, bit-reflected, eight bytes at a time.
///
/// Source: RFC 1952, section 8 (gzip); RFC 3720, appendix B.4 (Castagnoli, as snappy's framing has it).
struct CRC32 {
  /// For each byte, eight times: what it makes of the sum when 0 to 7 bytes follow it.
  private let tables: [UInt32]
  private var sum: UInt32 = .max

  private init(_ tables: [UInt32]) { self.tables = tables }

  /// The sum of gzip and xz.
  static var ieee: CRC32 { CRC32(ieeeTables) }
  /// The sum of snappy's framing format.
  static var castagnoli: CRC32 { CRC32(castagnoliTables) }

  var value: UInt32 { ~sum }

  mutating func update(_ bytes: RawSpan) {
    var sum = self.sum
    var index = 0
    while let word = bytes.plainWord(atByte: index) {
      let word = UInt64(littleEndian: word) ^ UInt64(sum)
      var next: UInt32 = 0
      for place in 0..<8 {
        let byte = Int(truncatingIfNeeded: word &>> UInt64(place &* 8)) & 0xff
        next ^= tables[(7 &- place) &<< 8 | byte]
      }
      sum = next
      index &+= 8
    }
    while let byte = bytes.byte(at: index) {
      sum = sum &>> 8 ^ tables[Int((sum ^ UInt32(byte)) & 0xff)]
      index &+= 1
    }
    self.sum = sum
  }

  private static let ieeeTables = tables(polynomial: 0xedb8_8320)
  private static let castagnoliTables = tables(polynomial: 0x82f6_3b78)

  private static func tables(polynomial: UInt32) -> [UInt32] {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var sum = UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ polynomial : sum >> 1 }
      tables[byte] = sum
    }
    for place in 1..<8 {
      for byte in 0..<256 {
        let previous = tables[(place - 1) << 8 | byte]
        tables[place << 8 | byte] = previous >> 8 ^ tables[Int(previous & 0xff)]
      }
    }
    return tables
  }
}
