import MemoryAccess

extension Memory {
  /// Fills `range` with words that follow from `seed`.
  func fill(_ range: PhysicalRange, from seed: UInt64) {
    var value = seed | 1
    withWords(at: range.start, count: Int(range.byteCount / 8)) { words in
      for index in 0..<words.count {
        value ^= value << 13
        value ^= value >> 7
        value ^= value << 17
        words.publish(value, at: index)
      }
    }
  }

  /// The sum of all words of `range`, modulo 2^32 − 1.
  func sum(_ range: PhysicalRange) -> UInt64 {
    withWords(at: range.start, count: Int(range.byteCount / 8)) { words in
      var low: UInt64 = 0
      var high: UInt64 = 0
      for index in 0..<words.count {
        let word = words.load(index)
        low &+= word & 0xffff_ffff
        high &+= word >> 32
      }
      return (low % 0xffff_ffff + high % 0xffff_ffff) % 0xffff_ffff
    }
  }
}
