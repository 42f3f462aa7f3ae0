public import MemoryAccess

/// An invariant of an allocator that does not hold: a defect in it, or memory of its own that
/// another program has written.
@nonexhaustive
public enum AllocatorDamage: Error, Hashable, Sendable {
  /// Regions of the list are empty, out of order, overlap, or could be one.
  case regions(MemblockList)
  /// The pages of a list are not reserved as such.
  case listStorage(PhysicalRange)
  /// A summary of the free blocks of an order does not agree with what it sums up.
  case summary(PageOrder)
  /// The number of free blocks of an order is not what the map holds.
  case freeBlockCount(PageOrder)
  /// A free block holds a frame that the allocator does not manage.
  case unmanagedFrame(FrameNumber)
  /// Two free blocks share a frame, or are buddies that should be one.
  case freeBlocks(PhysicalBlock, PhysicalBlock)
  /// A number of frames is not what the map holds.
  case frameCount
}
