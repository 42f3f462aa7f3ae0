import MemoryAccess

extension RawSpan {
  /// How many of `count` bits from bit `first` on are set; bits outside the span are not.
  ///
  /// Bit i is bit i mod 64 of word i / 64.
  func countOfBits(from first: Int, count: Int) -> UInt64 {
    var sum: UInt64 = 0
    var bit = first
    let end = first &+ count
    while bit < end {
      let inWord = bit & 63
      let taken = min(64 &- inWord, end &- bit)
      let word = word(atByte: (bit &>> 6) &* 8) ?? 0
      let mask = (UInt64.max &>> UInt64(64 &- taken)) &<< UInt64(inWord)
      sum &+= UInt64((word & mask).nonzeroBitCount)
      bit &+= taken
    }
    return sum
  }
}
