public import MemoryAccess

/// Marks the frames in use of one part of memory, for a ``BuddyAllocatorBuilder``.
///
/// No two parts share a word of the map, so that as many threads as there are parts can work at the same time. Each
/// goes through what is preserved in its part and may then join the free frames of the part, and the builder goes on when
/// all of them have ended.
@frozen
public struct UsedFrameMarker<Memory: WritablePhysicalMemory> {
  /// The frames of the part.
  public let frames: FrameRange
  /// The word of the map whose lowest bit is that of the first frame.
  @usableFromInline
  let firstWord: UInt64
  /// The words of the part, counted from that of the first frame of all.
  @usableFromInline
  let words: Range<UInt64>
  /// How many orders, from 0 on, the part joins by itself.
  @usableFromInline
  let joinedOrderCount: Int
  @usableFromInline
  let maker: FreeBlockMaker<Memory>
  /// How many frames all parts managed when the marker was made.
  @usableFromInline
  let managedFrameCount: UInt64

  @inlinable
  init(
    _ frames: FrameRange, words: Range<UInt64>, in allocator: borrowing BuddyAllocator<Memory>,
    joinedOrderCount: Int
  ) {
    self.frames = frames
    firstWord = allocator.freeBlocks[0].firstWord &+ words.lowerBound
    self.words = words
    self.joinedOrderCount = joinedOrderCount
    maker = FreeBlockMaker(allocator)
    managedFrameCount = allocator.managedFrameCount
  }

  /// Marks frames that are in use, managed or not; frames outside the part are passed over.
  ///
  /// - Complexity: O(frames / 64).
  @inlinable
  @inline(__always)
  public func use(_ range: FrameRange) {
    let start = max(range.start.rawValue, frames.start.rawValue)
    let end = min(range.end.rawValue, frames.end.rawValue)
    guard start < end else { return }
    let bit = start &- frames.start.rawValue
    // Most often one frame, or a few of one word.
    let count = end &- start
    if bit & 63 &+ count <= 64 {
      let mask = (UInt64.max &>> (64 &- count)) &<< (bit & 63)
      let word = firstWord &+ bit &>> 6
      maker.map.store(maker.map.load(word) | mask, at: word)
    } else {
      maker.map.setBits(from: firstWord &* 64 &+ bit, count: count)
    }
  }
}

extension UsedFrameMarker {
  /// Makes free blocks of the frames of the part that are managed and not marked, as far as that needs no other part.
  ///
  /// - Precondition: all frames in use are marked; no frame is marked after that, and this is called once.
  /// - Returns: what ``BuddyAllocatorBuilder/finish(joining:)`` takes.
  /// - Complexity: O(map of the part).
  @inlinable
  public func join() -> JoinedFrames {
    maker.invertUsed(words: words)
    maker.joinBuddies(below: joinedOrderCount, words: words)
    return JoinedFrames(
      frames: frames, orderCount: joinedOrderCount, managedFrameCount: managedFrameCount)
  }
}

extension UsedFrameMarker: Sendable where Memory: Sendable {}
