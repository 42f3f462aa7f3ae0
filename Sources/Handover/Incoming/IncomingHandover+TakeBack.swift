public import MemoryAccess
import PreservedPages

// A restore that did not lead to anything is taken back, so that it can be tried again.

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
      takeBackWithoutBooks(block, into: &frames)
    }
    freeMetadataIfEmpty(into: &frames)
  }

  /// Takes back the restore of an area.
  ///
  /// - Precondition: as ``takeBack(_:nodeStarts:into:)``.
  public mutating func takeBack<Frames: FrameSource & ~Copyable>(
    _ area: VmallocArea, into frames: inout Frames
  ) {
    var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
    while let block = try? blocks.nextBlock() { takeBackWithoutBooks(block, into: &frames) }
    freeMetadataIfEmpty(into: &frames)
  }

  /// Takes back the restore of a block.
  ///
  /// - Precondition: as ``takeBack(_:nodeStarts:into:)``.
  /// - Complexity: O(levels · page size).
  public mutating func takeBack<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) {
    takeBackWithoutBooks(block, into: &frames)
    freeMetadataIfEmpty(into: &frames)
  }

  private mutating func takeBackWithoutBooks<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) {
    let key = RadixKey(block, in: geometry)
    _ = restored?.remove(key)
    _ = restored?.prune(along: key, into: &frames)
  }

  /// Frees the metadata where it is empty: before the first restore there was none.
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
