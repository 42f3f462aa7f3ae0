public import MemoryAccess

/// Blocks and runs of frames, for those that take nil for an answer.
extension BuddyAllocator: BlockSource {
  /// Takes a block; nil when no free one is as large.
  ///
  /// - Complexity: O(orders · log frames).
  @inlinable
  public mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? {
    do throws(BuddyAllocatorError) { return try allocate(order) } catch { return nil }
  }

  /// Takes `frameCount` frames in one piece; nil when no free block holds as many, nor do largest blocks
  /// that follow each other.
  ///
  /// - Precondition: `frameCount` is not 0.
  /// - Complexity: O(orders · log frames).
  @inlinable
  public mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? {
    guard frameCount <= 1 << 63 else { return nil }
    do throws(BuddyAllocatorError) { return try allocate(frameCount: frameCount) } catch {
      return nil
    }
  }

  /// Gives back frames.
  ///
  /// - Precondition: all are managed and none is free.
  /// - Complexity: O(maximal blocks · orders · log frames + frames / 64).
  @inlinable
  public mutating func giveBack(_ frames: FrameRange) {
    do throws(BuddyAllocatorError) { try free(frames) } catch {
      Panic.end("frames given back to an allocator that did not hand them out")
    }
  }
}
