public import MemoryAccess

extension RadixTree {
  /// Calls `body` with every run of blocks that overlap `range`, cut to those blocks: the small orders first, each in
  /// the order of its addresses.
  ///
  /// A part of memory for each thread: the pages that a part's runs have in `range` are those that the tree preserves
  /// there, whatever the orders of their blocks.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(leaves that have keys of such blocks · page size + runs in them + orders · levels).
  @inlinable
  public func forEachRange<Failure: Error>(
    overlapping range: PhysicalRange, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    guard let last = range.last else { return }
    let page = geometry.page
    let leafMask = geometry.leafKeyCount &- 1
    var order = PageOrder.zero
    while order <= page.maximumOrder {
      let firstKey = RadixKey(
        PhysicalBlock(holding: range.start, order: order, in: page), in: page
      ).rawValue
      let lastKey = RadixKey(PhysicalBlock(holding: last, order: order, in: page), in: page)
        .rawValue
      let start = firstKey & ~leafMask
      let part = RadixTreePart(start: start, end: min((lastKey | leafMask) &+ 1, geometry.keyEnd))
      if start < part.end {
        // A leaf of the largest orders has keys of several.
        try forEachRange(in: part) { (run) throws(Failure) in
          guard run.order == order else { return }
          let key = RadixKey(run.address, order: order, in: page).rawValue
          let from = max(key, firstKey)
          let end = min(key &+ run.blockCount, lastKey &+ 1)
          if from < end {
            try body(BlockRun(firstKey: from, keyCount: end &- from, in: page))
          }
        }
      }
      order = PageOrder(Int(order.rawValue) &+ 1)
    }
  }
}
