public import MemoryAccess

extension BuddyAllocator {
  /// Takes a block. Its content is whatever was there.
  ///
  /// - Throws: ``BuddyAllocatorError/outOfFrames(frameCount:)`` when no block is as large, as none
  ///   ever is of more than ``maximumOrder``.
  /// - Complexity: O(orders · log frames).
  @inlinable
  public mutating func allocate(_ order: PageOrder) throws(BuddyAllocatorError) -> PhysicalBlock {
    let large = ordersWithFreeBlocks & (0 &- order.frameCount)
    guard large != 0 else { throw .outOfFrames(frameCount: order.frameCount) }
    let wanted = Int(order.rawValue)
    var found = large.trailingZeroBitCount
    guard let bit = freeBlocks[found].first(atOrAfter: 0, in: map) else {
      Panic.end("a free block that is counted is not in the map")
    }
    let frame = frame(of: bit, order: found)
    removeBlock(frame, order: found)
    // The lower half is kept, and halved again; upper halves have buddies in use, so none joins.
    while found > wanted {
      found &-= 1
      insertBlock(frame &+ 1 &<< UInt64(found), order: found)
    }
    return PhysicalBlock(address: FrameNumber(frame).address(in: geometry), order: order)
  }

  /// Takes exactly `frameCount` frames in one piece: of the block that holds them, or of the largest
  /// blocks that do together, the rest stays free.
  ///
  /// - Throws: ``BuddyAllocatorError/outOfFrames(frameCount:)`` when no free block holds as many, nor
  ///   free blocks of ``maximumOrder`` that follow each other.
  /// - Precondition: `frameCount` is in 1…2^63.
  /// - Complexity: O(orders · log frames); of more frames than the largest block has, O(free blocks of
  ///   the largest order).
  @inlinable
  public mutating func allocate(
    frameCount: UInt64
  ) throws(BuddyAllocatorError) -> FrameRange {
    require(that: frameCount > 0 && frameCount <= 1 << 63, "frame count outside 1…2^63")
    let order = PageOrder(64 &- (frameCount &- 1).leadingZeroBitCount)
    if order > maximumOrder { return try allocateRun(frameCount) }
    guard ordersWithFreeBlocks &>> UInt64(order.rawValue) != 0 else {
      throw .outOfFrames(frameCount: frameCount)
    }
    let block = try allocate(order)
    let start = FrameNumber(containing: block.address, in: geometry)
    releaseRun(start.rawValue &+ frameCount, order.frameCount &- frameCount)
    return FrameRange(start: start, frameCount: frameCount)
  }

  /// Takes more frames than the largest block has: the lowest run of largest blocks that are all free.
  @inlinable
  @inline(never)
  mutating func allocateRun(_ frameCount: UInt64) throws(BuddyAllocatorError) -> FrameRange {
    let order = Int(maximumOrder.rawValue)
    let blockFrameCount = maximumOrder.frameCount
    let blockCount =
      frameCount &>> UInt64(order) &+ (frameCount & (blockFrameCount &- 1) == 0 ? 0 : 1)
    let pyramid = freeBlocks[order]
    var from: UInt64 = 0
    while let first = pyramid.first(atOrAfter: from, in: map) {
      var count: UInt64 = 1
      while count < blockCount, pyramid.contains(first &+ count, in: map) { count &+= 1 }
      guard count == blockCount else {
        from = first &+ count &+ 1
        continue
      }
      let start = frame(of: first, order: order)
      for index in 0..<blockCount {
        removeBlock(start &+ index &<< UInt64(order), order: order)
      }
      releaseRun(start &+ frameCount, blockCount &<< UInt64(order) &- frameCount)
      return FrameRange(start: FrameNumber(start), frameCount: frameCount)
    }
    throw .outOfFrames(frameCount: frameCount)
  }

  /// Takes those very frames.
  ///
  /// - Throws: ``BuddyAllocatorError/notManaged(_:)`` or ``BuddyAllocatorError/notFree(_:)`` of the
  ///   first frame that cannot be taken.
  /// - Complexity: O(blocks · orders · log frames).
  @inlinable
  public mutating func allocate(_ range: FrameRange) throws(BuddyAllocatorError) {
    guard range.frameCount > 0 else { return }
    if let stranger = firstUnmanaged(in: range) { throw .notManaged(stranger) }
    var frame = range.start.rawValue
    while frame < range.end.rawValue {
      guard let order = orderOfFreeBlock(holding: frame) else {
        throw .notFree(FrameNumber(frame))
      }
      frame = (frame &>> UInt64(order) &+ 1) &<< UInt64(order)
    }
    frame = range.start.rawValue
    while frame < range.end.rawValue, let order = orderOfFreeBlock(holding: frame) {
      let start = frame & (0 &- 1 &<< UInt64(order))
      let end = start &+ 1 &<< UInt64(order)
      removeBlock(start, order: order)
      // What the block holds before and after the range stays free.
      releaseRun(start, frame &- start)
      if end > range.end.rawValue { releaseRun(range.end.rawValue, end &- range.end.rawValue) }
      frame = end
    }
  }
}
