public import MemoryModel

extension RadixTree {
  /// Calls `body` with every run of blocks of equal order that follow each other without a gap, in
  /// the order of their keys.
  ///
  /// The way to look at dense memory: a word of 64 marked blocks is one comparison.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + runs).
  @inlinable
  public func forEachRange<Failure: Error>(
    _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    // Keys in `start..<end` are marked and not told yet.
    var start: UInt64 = 0
    var end: UInt64 = 0
    try forEachLeaf { (leaf, words) throws(Failure) in
      var base = leaf.firstKey.rawValue
      for index in 0..<words.count {
        var word = words.load(index)
        var bit: UInt64 = 0
        while word != 0 {
          let gap = UInt64(word.trailingZeroBitCount)
          word &>>= gap
          bit &+= gap
          let length = UInt64((~word).trailingZeroBitCount)
          if base &+ bit != end {
            try emitRuns(from: start, to: end, body)
            start = base &+ bit
          }
          end = base &+ bit &+ length
          // All 64 marked: shifting by 64 is not what `&>>` does.
          word = length == 64 ? 0 : word &>> length
          bit &+= length
        }
        base &+= 64
      }
    }
    try emitRuns(from: start, to: end, body)
  }

  /// Tells the keys in `start..<end`, cut where one order's keys end and the next one's begin.
  @inlinable
  func emitRuns<Failure: Error>(
    from start: UInt64, to end: UInt64, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    var first = start
    while first < end {
      // The next order's first key has only its highest bit set.
      let orderEnd = (1 as UInt64) &<< UInt64(64 &- first.leadingZeroBitCount)
      let last = min(end, orderEnd)
      try body(BlockRun(firstKey: first, keyCount: last &- first, in: geometry.page))
      first = last
    }
  }
}
