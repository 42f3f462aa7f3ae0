import MemoryAccess

extension RawSpan {
  /// The first bit in `range` that is set; `nil` if none is. Bits outside the span are not set.
  func firstBit(in range: Range<Int>) -> Int? {
    var bit = range.lowerBound
    while bit < range.upperBound {
      let word = (word(atByte: (bit &>> 6) &* 8) ?? 0) &>> UInt64(bit & 63)
      if word != 0 {
        bit &+= word.trailingZeroBitCount
        return bit < range.upperBound ? bit : nil
      }
      bit = (bit | 63) &+ 1
    }
    return nil
  }

  /// The last bit in `range` that is set, or that is not; `nil` if none is. Bits outside the span are not set.
  func lastBit(in range: Range<Int>, isSet: Bool) -> Int? {
    var end = range.upperBound
    while end > range.lowerBound {
      // The bits of one word, below `end`.
      let first = max((end &- 1) & ~63, range.lowerBound)
      let word = word(atByte: (first &>> 6) &* 8) ?? 0
      let mask = (UInt64.max &>> UInt64(64 &- (end &- first))) &<< UInt64(first & 63)
      let found = (isSet ? word : ~word) & mask
      if found != 0 { return (first & ~63) &+ 63 &- found.leadingZeroBitCount }
      end = first
    }
    return nil
  }
}
