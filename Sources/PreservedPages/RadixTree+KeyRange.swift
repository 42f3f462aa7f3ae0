public import MemoryAccess

// Questions about keys that follow each other. They read the words of those keys and nothing behind them,
// so that what they cost does not depend on what else is in the tree.

extension RadixTree {
  /// The smallest key from `first` to `last`; `nil` if the tree contains none of them.
  ///
  /// - Complexity: O(levels + words of the range in leaves that are there).
  @inlinable
  public func firstKey(from first: RadixKey, through last: RadixKey) -> RadixKey? {
    guard geometry.holds(last) else { return nil }
    var from = first.rawValue
    while from <= last.rawValue {
      let (leaf, end) = leaf(holding: from)
      if leaf != .zero,
        let found = firstMark(in: leaf, from: from, through: min(last.rawValue, end &- 1))
      {
        return RadixKey(rawValue: found)
      }
      from = end
    }
    return nil
  }

  /// The first block of `run` that is marked; nil when none is.
  ///
  /// - Precondition: the blocks are aligned to their size, of an order up to the geometry's largest,
  ///   and end at 2^64 bytes at the latest.
  /// - Complexity: as ``firstKey(from:through:)``.
  @inlinable
  public func firstMarked(of run: BlockRun) -> PhysicalBlock? {
    guard let keys = RadixKeyRange(run, in: geometry) else { return nil }
    return firstKey(from: keys.first, through: keys.last)?.decoded(in: geometry.page)
  }

  /// Calls `body` with the blocks of `run` that are marked, as runs, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Precondition: the blocks are aligned to their size, of an order up to the geometry's largest,
  ///   and end at 2^64 bytes at the latest; the tree has a place for them.
  /// - Complexity: O(levels + words of the range in leaves that are there + runs).
  @inlinable
  public func forEachMarkedRun<Failure: Error>(
    of run: BlockRun, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachRun(of: run, marked: true, body)
  }

  /// Calls `body` with the blocks of `run` that are not marked, as runs, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Precondition: as ``forEachMarkedRun(of:_:)``.
  /// - Complexity: as there.
  @inlinable
  public func forEachUnmarkedRun<Failure: Error>(
    of run: BlockRun, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachRun(of: run, marked: false, body)
  }

  @inlinable
  @inline(__always)
  func forEachRun<Failure: Error>(
    of run: BlockRun, marked: Bool, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    guard let keys = RadixKeyRange(run, in: geometry) else { return }
    require(that: geometry.holds(keys.last), "a run that the tree has no place for")
    let end = keys.last.rawValue &+ 1
    var from = keys.first.rawValue
    // While a run is open, it is of the keys from `start` on.
    var start = from
    var isOpen = false
    while from < end {
      let (leaf, behind) = leaf(holding: from)
      let stop = min(behind, end)
      if leaf == .zero, isOpen == marked {
        if isOpen {
          try body(BlockRun(firstKey: start, keyCount: from &- start, in: geometry.page))
        }
        isOpen.toggle()
        start = from
      } else if leaf != .zero {
        try withNode(leaf) { (words) throws(Failure) in
          var key = from
          while key < stop {
            // The bits that go on as it is now are zeros here, also those shifted in from above.
            let index = Int(truncatingIfNeeded: (key & (geometry.leafKeyCount &- 1)) &>> 6)
            let isSame = isOpen == marked
            let word = words.load(index)
            let bits = (isSame ? ~word : word) &>> (key & 63)
            if bits == 0 {
              let next = words.firstIndex(from: index &+ 1, notAll: isSame)
              key = (key | 63) &+ 1 &+ UInt64(truncatingIfNeeded: next &- index &- 1) &* 64
              continue
            }
            key &+= UInt64(truncatingIfNeeded: bits.trailingZeroBitCount)
            if key >= stop { break }
            if isOpen {
              try body(BlockRun(firstKey: start, keyCount: key &- start, in: geometry.page))
            }
            isOpen.toggle()
            start = key
          }
        }
      }
      from = stop
    }
    if isOpen {
      try body(BlockRun(firstKey: start, keyCount: end &- start, in: geometry.page))
    }
  }

  /// The leaf that holds the key `number`, `.zero` where the path ends at an empty slot, and the first key
  /// behind what that leaf or that slot has room for.
  @inlinable
  @inline(__always)
  func leaf(holding number: UInt64) -> (leaf: PhysicalAddress, end: UInt64) {
    let key = RadixKey(rawValue: number)
    var node = root
    var level = geometry.rootLevel
    while level > 0 {
      let below = nodes.pointer(in: node, slot: geometry.slot(of: key, level: level))
      if below == .zero {
        let shift = UInt64(truncatingIfNeeded: geometry.slotShift(level: level))
        return (.zero, (number &>> shift &+ 1) &<< shift)
      }
      node = below
      level &-= 1
    }
    return (node, (number | (geometry.leafKeyCount &- 1)) &+ 1)
  }

  /// The first key of a leaf that is marked, from `first` to `last`, which are both in the leaf.
  @inlinable
  func firstMark(in leaf: PhysicalAddress, from first: UInt64, through last: UInt64) -> UInt64? {
    let inLeaf = geometry.leafKeyCount &- 1
    return withNode(leaf) { words in
      var index = Int(truncatingIfNeeded: (first & inLeaf) &>> 6)
      let lastIndex = Int(truncatingIfNeeded: (last & inLeaf) &>> 6)
      var word = words.load(index) & (UInt64.max &<< (first & 63))
      while word == 0 {
        index &+= 1
        if index > lastIndex { return nil }
        word = words.load(index)
      }
      let bit = UInt64(truncatingIfNeeded: index &* 64 &+ word.trailingZeroBitCount)
      let found = first & ~inLeaf | bit
      return found <= last ? found : nil
    }
  }
}
