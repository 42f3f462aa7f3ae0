public import MemoryAccess

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
    try forEachRange(in: allLeaves, body)
  }

  /// Calls `body` with every run of a part of the tree, cut where the part ends.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: as ``forEachRange(_:)``, of the part.
  @inlinable
  public func forEachRange<Failure: Error>(
    in part: RadixTreePart, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    // Keys in `start..<end` are marked and not reported yet.
    var start: UInt64 = 0
    var end: UInt64 = 0
    try forEachLeaf(in: part) { (leaf, words) throws(Failure) in
      let first = leaf.firstKey.rawValue
      var index = 0
      while index < words.count {
        let word = words.load(index)
        if word == 0 {
          index = words.firstIndex(from: index &+ 1, notAll: false)
          continue
        }
        let base = first &+ UInt64(index) &* 64
        if word == .max {
          index = words.firstIndex(from: index &+ 1, notAll: true)
          if base != end {
            try emit(from: start, to: end, body)
            start = base
          }
          end = first &+ UInt64(index) &* 64
          continue
        }
        var rest = word
        repeat {
          let from = base &+ UInt64(rest.trailingZeroBitCount)
          // The lowest run, and the zeros below it, carry into the bit behind the run.
          let carried = (rest | (rest &- 1)) &+ 1
          if from != end {
            try emit(from: start, to: end, body)
            start = from
          }
          end = base &+ UInt64(carried.trailingZeroBitCount)
          rest &= carried
        } while rest != 0
        index &+= 1
      }
    }
    try emit(from: start, to: end, body)
  }

  /// Visits the keys in `start..<end`, which may be none.
  @inlinable
  @inline(__always)
  func emit<Failure: Error>(
    from start: UInt64, to end: UInt64, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    // The first and the last key have the same highest bit: they are of one order, as nearly always.
    if _fastPath(start ^ (end &- 1) < start) {
      return try body(BlockRun(firstKey: start, keyCount: end &- start, in: geometry.page))
    }
    try emitRuns(from: start, to: end, body)
  }

  /// Visits the keys in `start..<end`, cut where one order's keys end and the next one's begin.
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
