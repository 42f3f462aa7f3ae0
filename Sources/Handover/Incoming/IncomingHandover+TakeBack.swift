public import MemoryAccess
import PreservedPages

// A caller that cannot use what it restored takes the restore back, so that it can try again.

extension IncomingHandover {
  /// Takes back the restore of a run of frames.
  ///
  /// - Precondition: ``restore(_:nodeStarts:from:)`` of the same run succeeded, and `frames` gave what it
  ///   took.
  /// - Complexity: O(blocks · levels · page size).
  public mutating func takeBack<Frames: FrameSource & ~Copyable>(
    _ range: FrameRange, nodeStarts: [FrameNumber] = [], into frames: inout Frames
  ) {
    for block in NaturalBlocks(range, in: geometry, nodeStarts: nodeStarts) {
      unmark(block, into: &frames)
    }
    freeMetadataIfEmpty(into: &frames)
  }

  /// Takes back the restore of an area.
  ///
  /// - Precondition: as ``takeBack(_:nodeStarts:into:)``.
  /// - Complexity: O(blocks · levels · page size).
  public mutating func takeBack<Frames: FrameSource & ~Copyable>(
    _ area: VmallocArea, into frames: inout Frames
  ) {
    var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
    while let block = try? blocks.nextBlock() { unmark(block, into: &frames) }
    freeMetadataIfEmpty(into: &frames)
  }

  /// Takes back the restore of a block.
  ///
  /// - Precondition: as ``takeBack(_:nodeStarts:into:)``.
  /// - Complexity: O(levels · page size).
  public mutating func takeBack<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) {
    unmark(block, into: &frames)
    freeMetadataIfEmpty(into: &frames)
  }

  /// Frees the metadata if no block is marked in it.
  @usableFromInline
  mutating func freeMetadataIfEmpty<Frames: FrameSource & ~Copyable>(
    into frames: inout Frames
  ) {
    let isEmpty =
      switch restored {
      case .some(let tree): tree.isEmpty
      case .none: false
      }
    if isEmpty { freeMetadata(into: &frames) }
  }
}
