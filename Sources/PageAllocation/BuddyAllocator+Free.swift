public import MemoryAccess

extension BuddyAllocator {
  /// Gives back a block.
  ///
  /// Blocks need not come back as they were taken: each frame counts for itself.
  ///
  /// - Throws: ``BuddyAllocatorError/misaligned(_:)``; ``BuddyAllocatorError/notManaged(_:)`` or
  ///   ``BuddyAllocatorError/alreadyFree(_:)`` of the first frame that cannot be freed. Thrown, not
  ///   trapped: what a successor frees was named by its predecessor.
  /// - Complexity: O(orders · log frames + frames / 64).
  @inlinable
  public mutating func free(_ block: PhysicalBlock) throws(BuddyAllocatorError) {
    guard block.isNaturallyAligned(in: geometry) else { throw .misaligned(block) }
    try free(
      FrameRange(
        start: FrameNumber(containing: block.address, in: geometry),
        frameCount: block.order.frameCount))
  }

  /// Gives back a run of frames.
  ///
  /// - Throws: ``BuddyAllocatorError/notManaged(_:)`` or ``BuddyAllocatorError/alreadyFree(_:)`` of
  ///   the first frame that cannot be freed.
  /// - Complexity: O(maximal blocks · orders · log frames + frames / 64).
  @inlinable
  public mutating func free(_ range: FrameRange) throws(BuddyAllocatorError) {
    guard range.frameCount > 0 else { return }
    if let stranger = firstUnmanaged(in: range) { throw .notManaged(stranger) }
    if let free = firstFree(in: range) { throw .alreadyFree(free) }
    releaseRun(range.start.rawValue, range.frameCount)
  }

  /// The first frame of `range` that is not managed; nil if none exists. Inlined, as all that only
  /// reads.
  @inlinable
  @inline(__always)
  func firstUnmanaged(in range: FrameRange) -> FrameNumber? {
    if range.start < frames.start || range.start >= frames.end { return range.start }
    let end = min(range.end, frames.end)
    // Most often all of it is of the run.
    var from = range.start
    if managedRun.contains(from) { from = managedRun.end }
    while from < end {
      let covered = FrameRange(start: from, frameCount: end.rawValue &- from.rawValue)
      guard let found = managed.first(in: covered, isMember: false, in: map) else { break }
      guard managedRun.contains(found) else { return found }
      from = managedRun.end
    }
    return end < range.end ? end : nil
  }
}
