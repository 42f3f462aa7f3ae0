public import MemoryAccess
import PreservedPages

extension IncomingHandover {
  /// Hands a block to its owner (Linux: restores a folio).
  ///
  /// - Throws: ``IncomingHandoverError/misaligned(_:)``,
  ///   ``IncomingHandoverError/neverPreserved(_:)``,
  ///   ``IncomingHandoverError/differsFromEntry(_:entry:)``,
  ///   ``IncomingHandoverError/alreadyRestored(_:)``, ``IncomingHandoverError/outOfFrames``.
  /// - Complexity: O(orders in use + log leaves + levels).
  public mutating func restore<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    try requireRestorable(block)
    try prepare(block, from: &frames)
    _ = mark(block)
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
          closeBooks(into: &frames)
        } else {
          for block in blocks { prune(block, into: &frames) }
        }
        throw error
      }
    }
    for block in blocks { _ = mark(block) }
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
        _ = mark(block)
        markedCount &+= 1
      }
    } catch {
      if isFirst {
        closeBooks(into: &frames)
        throw error
      }
      var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
      while markedCount > 0, let block = try? blocks.nextBlock() {
        markedCount &-= 1
        let key = RadixKey(block, in: geometry)
        _ = restored?.remove(key)
        prune(block, into: &frames)
      }
      throw error
    }
  }

  /// Restores a block whose owner does not want it, and frees it.
  ///
  /// - Throws: as ``restore(_:from:)-(PhysicalBlock,_)``.
  /// - Precondition: `frames` manages the block's frames, as a ``BuddyAllocator`` does that was built
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
  /// - Complexity: O(nodes · page size + entries · levels).
  public func forEachUnrestored<Failure: Error>(
    _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    require(that: !isRetired, "a handover whose tree was freed")
    try pages.forEachBlock(in: memory) { (block) throws(Failure) in
      if !isRestored(block) { try body(block) }
    }
  }

  /// Whether `block` was restored.
  ///
  /// - Complexity: O(levels).
  public func isRestored(_ block: PhysicalBlock) -> Bool {
    guard block.isNaturallyAligned(in: geometry) else { return false }
    switch restored {
    case .some(let tree): return tree.contains(RadixKey(block, in: geometry))
    case .none: return false
    }
  }

  // MARK: Checks and books

  private mutating func requireRestorable(
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

  /// Makes the nodes that marking `block` needs.
  private mutating func prepare<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(IncomingHandoverError) {
    let key = RadixKey(block, in: geometry)
    if restored != nil {
      do throws(RadixTreeError) { try restored?.prepare(key, from: &frames) } catch {
        throw .outOfFrames
      }
      return
    }
    guard let root = frames.takeFrame() else { throw .outOfFrames }
    let tree = RadixTree(adopting: root, in: memory, geometry: RadixGeometry(geometry))
    do throws(RadixTreeError) { try tree.prepare(key, from: &frames) } catch {
      frames.giveBack(root)
      throw .outOfFrames
    }
    restored = consume tree
  }

  private mutating func mark(_ block: PhysicalBlock) -> Bool {
    var none = NoFrames()
    let key = RadixKey(block, in: geometry)
    do throws(RadixTreeError) {
      return try restored?.insert(key, from: &none) ?? false
    } catch {
      Panic.end("a block that was prepared cannot be marked")
    }
  }

  /// Frees the books; nothing counts as restored then.
  @discardableResult
  mutating func closeBooks<Frames: FrameSource & ~Copyable>(into frames: inout Frames) -> UInt64 {
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
