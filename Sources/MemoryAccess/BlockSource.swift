/// A source of memory in one piece: of blocks and runs of frames.
///
/// What a handover needs beside single frames: a device tree larger than a page, and the memory that
/// is allocated to be preserved. Contents are whatever was there.
public protocol BlockSource: FrameSource, ~Copyable {
  /// Takes a naturally aligned block; nil if none exists.
  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock?

  /// Takes exactly `frameCount` frames in one piece; nil if no such piece exists.
  ///
  /// - Precondition: `frameCount` is not 0.
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange?

  /// Gives back frames that were taken, in whatever pieces.
  mutating func giveBack(_ frames: FrameRange)
}

extension BlockSource where Self: ~Copyable {
  /// Gives back a block.
  @inlinable
  public mutating func giveBack(_ block: PhysicalBlock, in geometry: PageGeometry) {
    giveBack(FrameRange(block, in: geometry))
  }
}
