public import MemoryAccess

/// Marks the frames in use of one part of memory, for a ``BuddyAllocatorBuilder``.
///
/// No two parts share a word of the map, so that as many threads as there are parts can mark at the same time. Each
/// goes through what is preserved in its part, and the builder goes on when all of them have ended.
@frozen
public struct UsedFrameMarker<Memory: WritablePhysicalMemory> {
  /// The frames of the part.
  public let frames: FrameRange
  @usableFromInline
  let map: FrameMap<Memory>
  /// The word of the map whose lowest bit is that of the first frame.
  @usableFromInline
  let firstWord: UInt64

  @inlinable
  init(_ frames: FrameRange, in map: FrameMap<Memory>, firstWord: UInt64) {
    self.frames = frames
    self.map = map
    self.firstWord = firstWord
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
      map.store(map.load(word) | mask, at: word)
    } else {
      map.setBits(from: firstWord &* 64 &+ bit, count: count)
    }
  }
}

extension UsedFrameMarker: Sendable where Memory: Sendable {}
