internal import MemoryAccess

/// The checksum of zlib streams. Source: RFC 1950, section 8.2.
struct Adler32 {
  private var low: UInt32 = 1
  private var high: UInt32 = 0

  var value: UInt32 { high &<< 16 | low }

  mutating func update(_ bytes: RawSpan) {
    // 3,800 bytes at once: sums of more could run past 32 bits.
    var start = 0
    while start < bytes.byteCount {
      let end = min(start &+ 3_800, bytes.byteCount)
      var index = start
      while index &+ 8 <= end, let word = bytes.plainWord(atByte: index) {
        var word = UInt64(littleEndian: word)
        for _ in 0..<8 {
          low &+= UInt32(truncatingIfNeeded: word & 0xff)
          high &+= low
          word &>>= 8
        }
        index &+= 8
      }
      while index < end, let byte = bytes.byte(at: index) {
        low &+= UInt32(byte)
        high &+= low
        index &+= 1
      }
      low %= 65_521
      high %= 65_521
      start = end
    }
  }
}
