public import MemoryAccess

extension BuddyAllocator {
  /// The number of managed frames that are in use.
  @inlinable
  public var usedFrameCount: UInt64 { managedFrameCount &- freeFrameCount }

  /// The number of free blocks of exactly `order`.
  @inlinable
  public func freeBlockCount(_ order: PageOrder) -> UInt64 {
    freeBlockCounts[Int(order.rawValue)]
  }

  /// The largest order that can be allocated now; nil when nothing is free.
  @inlinable
  public var largestFreeOrder: PageOrder? {
    ordersWithFreeBlocks == 0 ? nil : PageOrder(63 &- ordersWithFreeBlocks.leadingZeroBitCount)
  }

  /// How scattered the free memory is for blocks of `order`: the share of free frames, in
  /// thousandths rounded down, that are in smaller blocks. 0 when nothing is free.
  ///
  /// - Complexity: O(orders).
  public func fragmentation(_ order: PageOrder) -> Int {
    guard freeFrameCount > 0 else { return 0 }
    var scattered: UInt64 = 0
    for smaller in 0..<Int(order.rawValue) {
      scattered &+= freeBlockCounts[smaller] &<< UInt64(smaller)
    }
    let product = scattered.multipliedFullWidth(by: 1000)
    return Int(freeFrameCount.dividingFullWidth(product).quotient)
  }

  /// Whether `frame` is the allocator's, free or in use.
  @inlinable
  public func isManaged(_ frame: FrameNumber) -> Bool {
    managedRun.contains(frame)
      || frames.contains(frame)
        && managed.first(
          in: FrameRange(start: frame, frameCount: 1), isMember: true, in: map) != nil
  }

  /// Whether `frame` is free.
  ///
  /// - Complexity: O(orders).
  @inlinable
  public func isFree(_ frame: FrameNumber) -> Bool {
    frames.contains(frame) && orderOfFreeBlock(holding: frame.rawValue) != nil
  }

  /// The free block of the lowest address that starts at `frame` or after it.
  ///
  /// - Complexity: O(orders · log frames).
  public func firstFreeBlock(atOrAfter frame: FrameNumber) -> PhysicalBlock? {
    let from = max(frame, frames.start)
    guard from < frames.end else { return nil }
    var found: (frame: UInt64, order: Int)?
    var orders = ordersWithFreeBlocks
    while orders != 0 {
      let order = orders.trailingZeroBitCount
      orders &= orders &- 1
      // A block that starts before `from` does not count: round up.
      let mask = (1 as UInt64) &<< UInt64(order) &- 1
      let bit = bit(of: from.rawValue, order: order) &+ (from.rawValue & mask == 0 ? 0 : 1)
      guard let hit = freeBlocks[order].first(atOrAfter: bit, in: map) else { continue }
      let start = self.frame(of: hit, order: order)
      if start < found?.frame ?? .max { found = (start, order) }
    }
    return found.map {
      PhysicalBlock(
        address: FrameNumber($0.frame).address(in: geometry), order: PageOrder($0.order))
    }
  }

  /// Calls `body` with every free block, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(free blocks · orders · log frames).
  public func forEachFreeBlock<Failure: Error>(
    _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    var from = frames.start
    while let block = firstFreeBlock(atOrAfter: from) {
      try body(block)
      let start = FrameNumber(containing: block.address, in: geometry)
      from = FrameNumber(start.rawValue &+ block.order.frameCount)
    }
  }

  /// Calls `body` with every longest run of free frames, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: as ``forEachFreeBlock(_:)``.
  public func forEachFreeRange<Failure: Error>(
    _ body: (FrameRange) throws(Failure) -> Void
  ) throws(Failure) {
    var run: FrameRange?
    try forEachFreeBlock { (block) throws(Failure) in
      let start = FrameNumber(containing: block.address, in: geometry)
      if let before = run, before.end == start {
        run = FrameRange(
          start: before.start, frameCount: before.frameCount &+ block.order.frameCount)
      } else {
        if let run { try body(run) }
        run = FrameRange(start: start, frameCount: block.order.frameCount)
      }
    }
    if let run { try body(run) }
  }
}
