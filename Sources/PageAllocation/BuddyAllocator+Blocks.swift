public import MemoryAccess

/// The sets of free blocks, one block at a time.
///
/// What only reads is inlined: a call of it would get a copy of the allocator, of 1.6 KiB, and a rebuild
/// would take twice as long.
extension BuddyAllocator {
  /// The bit of the block of `order` that holds `frame`; out of the set's bounds where the map does
  /// not cover the block.
  @inlinable
  @inline(__always)
  func bit(of frame: UInt64, order: Int) -> UInt64 {
    frame &>> UInt64(order) &- frames.start.rawValue &>> UInt64(order)
  }

  /// The first frame of the block of `order` that has `bit`; below the map's where the block is.
  @inlinable
  @inline(__always)
  func frame(of bit: UInt64, order: Int) -> UInt64 {
    (bit &+ frames.start.rawValue &>> UInt64(order)) &<< UInt64(order)
  }

  @inlinable
  @inline(__always)
  func isFreeBlock(_ frame: UInt64, order: Int) -> Bool {
    ordersWithFreeBlocks &>> UInt64(order) & 1 != 0
      && freeBlocks[order].contains(bit(of: frame, order: order), in: map)
  }

  @inlinable
  mutating func insertBlock(_ frame: UInt64, order: Int) {
    freeBlocks[order].insert(bit(of: frame, order: order), in: map)
    freeBlockCounts[order] &+= 1
    ordersWithFreeBlocks |= 1 &<< UInt64(order)
    freeCount &+= 1 &<< UInt64(order)
  }

  @inlinable
  mutating func removeBlock(_ frame: UInt64, order: Int) {
    freeBlocks[order].remove(bit(of: frame, order: order), in: map)
    freeBlockCounts[order] &-= 1
    if freeBlockCounts[order] == 0 { ordersWithFreeBlocks &= ~(1 &<< UInt64(order)) }
    freeCount &-= 1 &<< UInt64(order)
  }

  /// Makes a block free, joined with its buddy, and the result with its, as far as they are free.
  @inlinable
  mutating func releaseBlock(_ first: UInt64, order smallest: Int) {
    var frame = first
    var order = smallest
    while order < Int(maximumOrder.rawValue) {
      let buddy = frame ^ 1 &<< UInt64(order)
      guard isFreeBlock(buddy, order: order) else { break }
      removeBlock(buddy, order: order)
      frame = min(frame, buddy)
      order &+= 1
    }
    insertBlock(frame, order: order)
  }

  /// Makes a run of frames free, in maximal blocks.
  @inlinable
  mutating func releaseRun(_ first: UInt64, _ frameCount: UInt64) {
    var frame = first
    var left = frameCount
    while left > 0 {
      // Frame 0, which would have 64 zeros, is never managed.
      let order = min(
        frame.trailingZeroBitCount, 63 &- left.leadingZeroBitCount, Int(maximumOrder.rawValue))
      releaseBlock(frame, order: order)
      frame &+= 1 &<< UInt64(order)
      left &-= 1 &<< UInt64(order)
    }
  }

  /// The order of the free block that holds `frame`; nil where it is not free.
  @inlinable
  @inline(__always)
  func orderOfFreeBlock(holding frame: UInt64) -> Int? {
    var orders = ordersWithFreeBlocks
    while orders != 0 {
      let order = orders.trailingZeroBitCount
      if freeBlocks[order].contains(bit(of: frame, order: order), in: map) { return order }
      orders &= orders &- 1
    }
    return nil
  }

  /// The first frame of `range` that is free; nil if none exists.
  ///
  /// - Precondition: `range` is not empty, and the map covers it.
  @inlinable
  @inline(__always)
  func firstFree(in range: FrameRange) -> FrameNumber? {
    let last = range.end.rawValue &- 1
    var found: UInt64?
    var orders = ordersWithFreeBlocks
    while orders != 0 {
      let order = orders.trailingZeroBitCount
      orders &= orders &- 1
      let from = bit(of: range.start.rawValue, order: order)
      let to = bit(of: last, order: order)
      // Most often one frame is freed, so one bit of each order decides.
      let hit: UInt64?
      if from == to {
        hit = freeBlocks[order].contains(from, in: map) ? from : nil
      } else {
        hit = freeBlocks[order].first(atOrAfter: from, in: map)
      }
      if let hit, hit <= to {
        let start = max(frame(of: hit, order: order), range.start.rawValue)
        found = min(found ?? start, start)
      }
    }
    return found.map { FrameNumber($0) }
  }

  /// Whether the map covers all of `range`.
  @inlinable
  func covers(_ range: FrameRange) -> Bool {
    range.start >= frames.start && range.end <= frames.end
  }
}
