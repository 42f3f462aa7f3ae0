public import MemoryAccess

/// Single frames, filled with zeros, for structures made of pages.
extension BuddyAllocator: FrameSource {
  /// Takes one frame, filled with zeros; nil when none is free.
  ///
  /// - Complexity: O(orders · log frames + page size).
  @inlinable
  public mutating func takeFrame() -> PhysicalAddress? {
    guard let frame = takeUnclearedFrame() else { return nil }
    memory.withWords(at: frame, count: geometry.pageWordCount) { $0.clear() }
    return frame
  }

  /// Takes one frame, with whatever it holds; nil when none is free.
  ///
  /// - Complexity: O(orders · log frames).
  @inlinable
  public mutating func takeUnclearedFrame() -> PhysicalAddress? {
    do throws(BuddyAllocatorError) { return try allocate(.zero).address } catch { return nil }
  }

  /// Gives back a frame.
  ///
  /// - Precondition: the frame is managed and not free.
  /// - Complexity: O(orders · log frames).
  @inlinable
  public mutating func giveBack(_ frame: PhysicalAddress) {
    do throws(BuddyAllocatorError) {
      try free(PhysicalBlock(address: frame, order: .zero))
    } catch {
      Panic.end("frame given back to an allocator that did not hand it out")
    }
  }
}
