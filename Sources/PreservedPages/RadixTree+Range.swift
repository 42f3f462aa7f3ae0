public import MemoryAccess

/// Whole runs of blocks at once: a word, or a whole leaf, is one store where one key after the other
/// would be 64, or 32,768.
///
/// Measured on 16 GiB of single pages, where each key for itself takes a nanosecond: the time of
/// filling the bitmap's bytes, whether the leaves are there or not.
extension RadixTree {
  /// Marks all blocks of `run`; those that are marked already stay so.
  ///
  /// All frames that are missing are taken before anything changes.
  ///
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` when the tree has no place for a block,
  ///   ``RadixTreeError/outOfFrames(level:)`` when the source has too few frames; those already taken
  ///   are given back.
  /// - Precondition: the blocks are aligned to their size, of an order up to the geometry's largest,
  ///   and end at 2^64 bytes at the latest.
  /// - Complexity: O(words in the run + nodes on the way), and a frame for each node that is missing.
  @inlinable
  public mutating func insertRange<Frames: FrameSource & ~Copyable>(
    _ run: BlockRun, from frames: inout Frames
  ) throws(RadixTreeError) {
    guard let keys = RadixKeyRange(run, in: geometry) else { return }
    guard geometry.holds(keys.first) else { throw .keyOutsideTree(keys.first) }
    guard geometry.holds(keys.last) else { throw .keyOutsideTree(keys.last) }
    var reserve = RadixReserve(memory, geometry)
    try reserve.take(for: keys, in: nodes, from: &frames)
    nodes.fill(root, level: geometry.rootLevel, with: keys, from: &reserve)
  }

  /// Marks all blocks of `order` that make up `frames`.
  ///
  /// - Throws: as ``insertRange(_:from:)-(BlockRun,_)``.
  /// - Precondition: `frames` starts and ends at a multiple of the block's size, within 2^64 bytes.
  /// - Complexity: as there.
  @inlinable
  public mutating func insertRange<Frames: FrameSource & ~Copyable>(
    _ range: FrameRange, order: PageOrder = .zero, from frames: inout Frames
  ) throws(RadixTreeError) {
    guard let run = BlockRun(range, order: order, in: geometry.page) else { return }
    try insertRange(run, from: &frames)
  }

  /// Unmarks all blocks of `run`; those that are not marked stay so.
  ///
  /// The nodes stay, also where they are empty now: ``prune(into:)`` frees those.
  ///
  /// - Precondition: as ``insertRange(_:from:)-(BlockRun,_)``.
  /// - Complexity: O(words of the leaves that are there + nodes on the way).
  @inlinable
  public mutating func removeRange(_ run: BlockRun) {
    guard let keys = RadixKeyRange(run, in: geometry), geometry.holds(keys.first) else { return }
    nodes.clear(root, level: geometry.rootLevel, keys)
  }

  /// Unmarks all blocks of `order` that make up `frames`.
  ///
  /// - Precondition: as ``insertRange(_:order:from:)``.
  /// - Complexity: as ``removeRange(_:)-(BlockRun)``.
  @inlinable
  public mutating func removeRange(_ range: FrameRange, order: PageOrder = .zero) {
    guard let run = BlockRun(range, order: order, in: geometry.page) else { return }
    removeRange(run)
  }
}

extension BlockRun {
  /// The blocks of `order` that make up `frames`; nil of no frames.
  ///
  /// - Precondition: `frames` starts and ends at a multiple of the block's size, within 2^64 bytes.
  @inlinable
  init?(_ frames: FrameRange, order: PageOrder, in geometry: PageGeometry) {
    if frames.frameCount == 0 { return nil }
    require(
      that: order <= geometry.maximumOrder
        && (frames.start.rawValue | frames.frameCount) & (order.frameCount &- 1) == 0,
      "frames that do not make up blocks")
    self.init(
      address: frames.start.address(in: geometry), order: order,
      blockCount: frames.frameCount &>> UInt64(order.rawValue))
  }
}
