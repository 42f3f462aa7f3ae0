public import MemoryAccess

/// A part of memory whose free frames are joined to blocks: see ``UsedFrameMarker/join()``.
@frozen
public struct JoinedFrames: Sendable {
  /// The frames of the part.
  public let frames: FrameRange
  /// How many orders, from 0 on, are joined.
  @usableFromInline
  let orderCount: Int
  /// How many frames all parts managed when the marker was made.
  @usableFromInline
  let managedFrameCount: UInt64

  @inlinable
  init(frames: FrameRange, orderCount: Int, managedFrameCount: UInt64) {
    self.frames = frames
    self.orderCount = orderCount
    self.managedFrameCount = managedFrameCount
  }
}
