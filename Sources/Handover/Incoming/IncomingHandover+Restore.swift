public import MemoryAccess
public import PreservedPages

extension IncomingHandover {
  /// Hands a block to its owner (Linux: restores a folio).
  ///
  /// - Throws: ``IncomingHandoverError/misaligned(_:)``,
  ///   ``IncomingHandoverError/neverPreserved(_:)``,
  ///   ``IncomingHandoverError/differsFromEntry(_:entry:)``,
  ///   ``IncomingHandoverError/alreadyRestored(_:)``, ``IncomingHandoverError/outOfFrames``.
  /// - Complexity: O(orders in use + log leaves + levels).
  @inlinable
  public mutating func restore<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    try requireRestorable(block)
    if restored == nil { try openMetadata(from: &frames) }
    let key = RadixKey(block, in: geometry)
    do throws(RadixTreeError) { _ = try restored?.insert(key, from: &frames) } catch {
      freeMetadataIfEmpty(into: &frames)
      throw .outOfFrames
    }
  }

  /// Hands blocks of one order that follow each other to their owner, each an entry of its own: all of
  /// them, or nothing has changed.
  ///
  /// - Throws: as ``restore(_:from:)-(PhysicalBlock,_)`` of the first block that cannot be restored.
  /// - Complexity: O(words of the run + leaves · (log leaves + levels) + orders in use).
  @inlinable
  public mutating func restore<Frames: FrameSource & ~Copyable>(
    _ run: BlockRun, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    guard run.blockCount > 0 else { return }
    try requireRestorable(run)
    if restored == nil { try openMetadata(from: &frames) }
    do throws(RadixTreeError) { try restored?.insertRange(run, from: &frames) } catch {
      freeMetadataIfEmpty(into: &frames)
      throw .outOfFrames
    }
  }

  /// Takes a frame for the metadata about what was restored: an empty tree.
  @usableFromInline
  mutating func openMetadata<Frames: FrameSource & ~Copyable>(
    from frames: inout Frames
  ) throws(IncomingHandoverError) {
    guard let root = frames.takeFrame() else { throw .outOfFrames }
    restored = RadixTree(adopting: root, in: memory, geometry: RadixGeometry(geometry))
  }

  /// Hands a run of frames to its owner: all of it, or nothing has changed.
  ///
  /// - Throws: as ``restore(_:from:)-(PhysicalBlock,_)`` of the first block that cannot be restored: a
  ///   run has to be named with the start and the length with which it was preserved.
  /// - Complexity: O(blocks · (orders in use + log leaves + levels)).
  public mutating func restore<Frames: FrameSource & ~Copyable>(
    _ range: FrameRange, nodeStarts: [FrameNumber] = [], from frames: inout Frames
  ) throws(IncomingHandoverError) {
    let blocks = NaturalBlocks(range, in: geometry, nodeStarts: nodeStarts)
    for block in blocks { try requireRestorable(block) }
    let isFirst = restored == nil
    for block in blocks {
      do throws(IncomingHandoverError) { try prepare(block, from: &frames) } catch {
        if isFirst {
          freeMetadata(into: &frames)
        } else {
          for block in blocks { prune(block, into: &frames) }
        }
        throw error
      }
    }
    for block in blocks { mark(block) }
  }

  /// Hands an area to its owner, blocks and chunks: all of it, or nothing has changed.
  ///
  /// - Throws: as ``restore(_:from:)-(PhysicalBlock,_)``, ``IncomingHandoverError/areaDamaged(_:)``.
  /// - Complexity: O(blocks · (orders in use + log leaves + levels)).
  public mutating func restore<Frames: FrameSource & ~Copyable>(
    _ area: VmallocArea, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    // Marked as they come, so that a block that an area names twice is found; unmarked on an error.
    let isFirst = restored == nil
    var markedCount = 0
    do throws(IncomingHandoverError) {
      var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
      while let block = try blocks.nextBlock() {
        try requireRestorable(block)
        try prepare(block, from: &frames)
        mark(block)
        markedCount &+= 1
      }
    } catch {
      if isFirst {
        freeMetadata(into: &frames)
        throw error
      }
      var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
      while markedCount > 0, let block = try? blocks.nextBlock() {
        markedCount &-= 1
        unmark(block, into: &frames)
      }
      throw error
    }
  }

  /// Restores a block whose owner does not want it, and frees it.
  ///
  /// - Throws: as ``restore(_:from:)-(PhysicalBlock,_)``.
  /// - Precondition: `frames` manages the block's frames, as a `BuddyAllocator` does that was built
  ///   from the memory the handover was reserved in.
  public mutating func restoreAndFree<Frames: BlockSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) throws(IncomingHandoverError) {
    try restore(block, from: &frames)
    frames.giveBack(block, in: geometry)
  }

  /// Calls `body` with every block that was not restored, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(entries), and as ``forEachUnrestoredRun(_:)``.
  @inlinable
  public func forEachUnrestored<Failure: Error>(
    _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachUnrestoredRun { (run) throws(Failure) in
      try run.forEachBlock(in: geometry, body)
    }
  }

  /// Calls `body` with the blocks that were not restored, as runs of one order that follow each other, by
  /// address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + runs · (orders in use + levels)).
  @inlinable
  public func forEachUnrestoredRun<Failure: Error>(
    _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    require(that: !isRetired, "a handover whose tree was freed")
    var runs = pages.runs(in: memory)
    while let run = runs.next() {
      switch restored {
      case .some(let tree): try tree.forEachUnmarkedRun(of: run, body)
      case .none: try body(run)
      }
    }
  }

  /// Whether `block` was restored.
  ///
  /// - Complexity: O(levels).
  @inlinable
  public func isRestored(_ block: PhysicalBlock) -> Bool {
    guard block.isNaturallyAligned(in: geometry) else { return false }
    switch restored {
    case .some(let tree): return tree.contains(RadixKey(block, in: geometry))
    case .none: return false
    }
  }

  /// Whether a page of `range` was restored, as an entry of any order.
  ///
  /// - Complexity: O(orders in use · levels · page size + words of the range's keys).
  func isRestoredInPart(_ range: PhysicalRange) -> Bool {
    switch restored {
    case .some(let tree):
      let frames = FrameRange(covering: range, in: geometry)
      let run = BlockRun(
        address: frames.start.address(in: geometry), order: .zero, blockCount: frames.frameCount)
      return tree.firstMarked(of: run) != nil
        || tree.entry(overlapping: run, of: tree.ordersInUse) != nil
    case .none: return false
    }
  }

  // MARK: Checks and metadata

  @inlinable
  mutating func requireRestorable(
    _ block: PhysicalBlock
  ) throws(IncomingHandoverError) {
    require(that: !isRetired, "a handover whose tree was freed")
    guard block.isNaturallyAligned(in: geometry) else { throw .misaligned(block) }
    guard lookup.contains(block) else {
      guard let entry = lookup.block(holding: block.address) else { throw .neverPreserved(block) }
      throw .differsFromEntry(block, entry: entry)
    }
    guard !isRestored(block) else { throw .alreadyRestored(block) }
  }

  @inlinable
  mutating func requireRestorable(_ run: BlockRun) throws(IncomingHandoverError) {
    require(that: !isRetired, "a handover whose tree was freed")
    if let missing = lookup.firstMissing(of: run) { try requireRestorable(missing) }
    // All are entries here, so they are aligned, and as many as fit.
    let taken: PhysicalBlock? =
      switch restored {
      case .some(let tree): tree.firstMarked(of: run)
      case .none: nil
      }
    if let taken { throw .alreadyRestored(taken) }
  }

  /// Makes the nodes that marking `block` needs.
  private mutating func prepare<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    let isFirst = restored == nil
    if isFirst { try openMetadata(from: &frames) }
    let key = RadixKey(block, in: geometry)
    do throws(RadixTreeError) { try restored?.prepare(key, from: &frames) } catch {
      if isFirst { freeMetadata(into: &frames) }
      throw .outOfFrames
    }
  }

  /// Marks a block that was prepared.
  private mutating func mark(_ block: PhysicalBlock) {
    let key = RadixKey(block, in: geometry)
    if restored?.insertPrepared(key) == nil {
      Panic.end("a block that was prepared cannot be marked")
    }
  }

  /// Unmarks a block, and frees the nodes that hold nothing then.
  mutating func unmark<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) {
    let key = RadixKey(block, in: geometry)
    _ = restored?.remove(key)
    prune(block, into: &frames)
  }

  /// Frees the metadata; nothing counts as restored then.
  @discardableResult
  mutating func freeMetadata<Frames: FrameSource & ~Copyable>(into frames: inout Frames) -> UInt64 {
    guard let root = restored?.root else { return 0 }
    restored = nil
    return RadixTree(adopting: root, in: memory, geometry: RadixGeometry(geometry))
      .destroy(into: &frames)
  }

  private mutating func prune<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) {
    let key = RadixKey(block, in: geometry)
    _ = restored?.prune(along: key, into: &frames)
  }
}
