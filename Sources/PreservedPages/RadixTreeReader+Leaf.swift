public import MemoryAccess

extension RadixGeometry {
  /// Calls `body` with every run of blocks that the bits of `leaf` mark, in the order of their keys; a run
  /// has one order.
  ///
  /// For visitors of untrusted leaves. Needs no heap. Numbers 0 and 1, which name no block, are passed over.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(page size + runs).
  @inlinable
  public func forEachRun<Failure: Error>(
    of leaf: RadixNode, bits: RawSpan, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    let first = leaf.firstKey.rawValue
    // Bits in `start..<end` are set and not reported yet.
    var start: UInt64 = 0
    var end: UInt64 = 0
    var bit: UInt64 = 0
    while bit < leafKeyCount {
      var word = bits.word(atByte: Int(truncatingIfNeeded: bit &>> 3)) ?? 0
      if first == 0, bit == 0 { word &= ~3 }
      while word != 0 {
        let skipped = UInt64(truncatingIfNeeded: word.trailingZeroBitCount)
        let length = UInt64(truncatingIfNeeded: (~(word &>> skipped)).trailingZeroBitCount)
        let from = bit &+ skipped
        if from != end {
          try report(first &+ start, first &+ end, body)
          start = from
        }
        end = from &+ length
        // Shifted in two steps: a run of 64 bits clears the word.
        word = skipped &+ length >= 64 ? 0 : word & (UInt64.max &<< (skipped &+ length))
      }
      bit &+= 64
    }
    try report(first &+ start, first &+ end, body)
  }

  /// Visits the keys in `start..<end`, cut where one order's keys end and the next one's begin.
  @inlinable
  func report<Failure: Error>(
    _ start: UInt64, _ end: UInt64, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    var from = start
    while from < end {
      let orderEnd = (1 as UInt64) &<< UInt64(64 &- from.leadingZeroBitCount)
      let last = min(end, orderEnd)
      if RadixKey(rawValue: from).order(in: page) != nil {
        try body(BlockRun(firstKey: from, keyCount: last &- from, in: page))
      }
      from = last
    }
  }
}
