public import MemoryAccess

/// Why the page allocator refused. Nothing has changed then.
@nonexhaustive
public enum BuddyAllocatorError: Error, Hashable, Sendable {
  /// No free block holds as many frames in one piece.
  case outOfFrames(frameCount: UInt64)
  /// No range of frames has room for the allocator's own map.
  case noRoomForMap(byteCount: UInt64)
  /// The allocator does not have the frame: a hole, frame 0, a page of its map.
  case notManaged(FrameNumber)
  /// The frame is to be freed and is free.
  case alreadyFree(FrameNumber)
  /// The frame is to be taken and is not free.
  case notFree(FrameNumber)
  /// The address is not a multiple of the block's size.
  case misaligned(PhysicalBlock)
}
