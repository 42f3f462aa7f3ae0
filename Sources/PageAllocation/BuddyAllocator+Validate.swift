import MemoryAccess

extension BuddyAllocator {
  /// Checks the whole map: summaries, counts, that free blocks are managed, apart from each other,
  /// and no two of them buddies that should be one.
  ///
  /// - Throws: the first invariant that does not hold.
  /// - Complexity: O(map + free blocks · orders · log frames).
  public func validate() throws(AllocatorDamage) {
    for order in 0...Int(maximumOrder.rawValue) {
      let pyramid = freeBlocks[order]
      guard pyramid.isSound(in: map) else { throw .summary(PageOrder(order)) }
      var count: UInt64 = 0
      var bit: UInt64 = 0
      while let hit = pyramid.first(atOrAfter: bit, in: map) {
        count &+= 1
        bit = hit &+ 1
      }
      guard count == freeBlockCounts[order],
        (count > 0) == (ordersWithFreeBlocks &>> UInt64(order) & 1 != 0)
      else { throw .freeBlockCount(PageOrder(order)) }
    }
    try validateBlocks()
    var rest = frames
    var managedCount: UInt64 = 0
    while let start = managed.first(in: rest, isMember: true, in: map) {
      let tail = FrameRange(start: start, frameCount: rest.end.rawValue &- start.rawValue)
      let end = managed.first(in: tail, isMember: false, in: map) ?? tail.end
      managedCount &+= end.rawValue &- start.rawValue
      rest = FrameRange(start: end, frameCount: rest.end.rawValue &- end.rawValue)
    }
    // What the run has in common with the map was counted there; the rest is its own.
    var first = managedRun.start
    while first < managedRun.end {
      let tail = FrameRange(
        start: first, frameCount: managedRun.end.rawValue &- first.rawValue)
      guard let start = managed.first(in: tail, isMember: false, in: map) else { break }
      let holes = FrameRange(start: start, frameCount: tail.end.rawValue &- start.rawValue)
      let end = managed.first(in: holes, isMember: true, in: map) ?? holes.end
      managedCount &+= end.rawValue &- start.rawValue
      first = end
    }
    guard managedCount == managedFrameCount else { throw .frameCount }
  }

  private func validateBlocks() throws(AllocatorDamage) {
    var before: PhysicalBlock?
    var freeCount: UInt64 = 0
    // By address, and a block that starts inside another one follows it, or shares its start.
    try forEachFreeBlockOfAnyOrder { (block) throws(AllocatorDamage) in
      let start = FrameNumber(containing: block.address, in: geometry)
      let range = FrameRange(start: start, frameCount: block.order.frameCount)
      if let stranger = firstUnmanaged(in: range) { throw .unmanagedFrame(stranger) }
      freeCount &+= range.frameCount
      if let before {
        let lower = FrameNumber(containing: before.address, in: geometry).rawValue
        let overlaps = lower &+ before.order.frameCount > start.rawValue
        let areBuddies =
          before.order == block.order && block.order < maximumOrder
          && lower ^ block.order.frameCount == start.rawValue
        if overlaps || areBuddies { throw .freeBlocks(before, block) }
      }
      before = block
    }
    guard freeCount == freeFrameCount else { throw .frameCount }
  }

  /// Calls `body` with every free block by address; of those that share their start, the smaller
  /// first.
  private func forEachFreeBlockOfAnyOrder(
    _ body: (PhysicalBlock) throws(AllocatorDamage) -> Void
  ) throws(AllocatorDamage) {
    var from = frames.start
    while let block = firstFreeBlock(atOrAfter: from) {
      let start = FrameNumber(containing: block.address, in: geometry)
      for order in 0...Int(maximumOrder.rawValue)
      where start.rawValue & (PageOrder(order).frameCount &- 1) == 0
        && isFreeBlock(start.rawValue, order: order)
      {
        try body(PhysicalBlock(address: block.address, order: PageOrder(order)))
      }
      from = FrameNumber(start.rawValue &+ 1)
    }
  }
}
