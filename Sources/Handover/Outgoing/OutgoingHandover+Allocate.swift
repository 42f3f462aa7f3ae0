public import MemoryAccess
import PreservedPages

// Memory that is preserved from its first moment on. It comes from the allocator, so nothing of the
// handover can be in it, and only scratch memory is checked for.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Allocates a block, filled with zeros, and preserves it.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``,
  ///   ``OutgoingHandoverError/overlapsScratch(_:_:)``.
  /// - Complexity: O(block), for the zeros.
  public mutating func allocatePreserved<Frames: BlockSource & ~Copyable>(
    _ order: PageOrder, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> PhysicalBlock {
    guard let block = frames.takeBlock(order) else {
      throw .outOfFrames(frameCount: order.frameCount)
    }
    try preserveNew(.block(block), FrameRange(block, in: geometry), from: &frames) { _ in }
    return block
  }

  /// Allocates `frameCount` frames in one piece, filled with zeros, and preserves them.
  ///
  /// - Throws: as ``allocatePreserved(_:from:)``.
  /// - Precondition: `frameCount` is not 0.
  /// - Complexity: O(frames), for the zeros.
  public mutating func allocatePreserved<Frames: BlockSource & ~Copyable>(
    frameCount: UInt64, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> FrameRange {
    try allocatePreserved(frameCount: frameCount, from: &frames) { _ in }
  }

  /// Allocates `frameCount` frames in one piece and preserves them, after telling which they are.
  ///
  /// A caller that writes the range down before it is preserved loses no memory by a crash: what was written
  /// down and is not preserved was never allocated, which ``unpreserveAndFreeIfPreserved(_:into:)``
  /// finds out.
  ///
  /// - Parameter frameCount: the number of frames.
  /// - Parameter frames: where frames come from.
  /// - Parameter zeroed: whether the frames are filled with zeros; else they hold whatever was there.
  /// - Parameter announce: called once, when nothing can fail any more.
  /// - Throws: as ``allocatePreserved(_:from:)``; nothing was announced then.
  /// - Precondition: `frameCount` is not 0.
  /// - Complexity: O(frames) where they are filled, else O(log frames · levels).
  public mutating func allocatePreserved<Frames: BlockSource & ~Copyable>(
    frameCount: UInt64, zeroed: Bool = true, from frames: inout Frames,
    announcing announce: (FrameRange) -> Void
  ) throws(OutgoingHandoverError) -> FrameRange {
    guard let range = frames.takeFrames(frameCount) else {
      throw .outOfFrames(frameCount: frameCount)
    }
    try preserveNew(
      .frames(range), range, zeroed: zeroed, from: &frames, announcing: announce)
    return range
  }

  /// Stops preserving a block and frees it.
  ///
  /// - Throws: as ``unpreserve(_:)-(PhysicalBlock)``.
  /// - Precondition: the block's frames came from `frames`.
  public mutating func unpreserveAndFree<Frames: BlockSource & ~Copyable>(
    _ block: PhysicalBlock, into frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try unpreserve(block)
    frames.giveBack(block, in: geometry)
  }

  /// Stops preserving a run of frames and frees them.
  ///
  /// - Throws: as ``unpreserve(_:)-(FrameRange)``.
  /// - Precondition: the frames came from `frames`.
  public mutating func unpreserveAndFree<Frames: BlockSource & ~Copyable>(
    _ range: FrameRange, into frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try unpreserve(range)
    frames.giveBack(range)
  }

  /// Stops preserving a run of frames and frees them; where no page of it is preserved, does nothing.
  ///
  /// - Returns: whether it was preserved.
  /// - Throws: as ``unpreserve(_:)-(FrameRange)``; of a run that is preserved in part, or as entries of
  ///   other sizes, ``OutgoingHandoverError/notPreserved(_:)``.
  /// - Precondition: as ``unpreserveAndFree(_:into:)-(FrameRange,_)``.
  /// - Complexity: O(blocks · orders in use · levels · page size).
  public mutating func unpreserveAndFreeIfPreserved<Frames: BlockSource & ~Copyable>(
    _ range: FrameRange, into frames: inout Frames
  ) throws(OutgoingHandoverError) -> Bool {
    guard holdsEntry(range) else { return false }
    try unpreserveAndFree(range, into: &frames)
    return true
  }

  /// Whether an entry shares a page with `range`.
  private func holdsEntry(_ range: FrameRange) -> Bool {
    var blocks = NaturalBlocks(range, in: geometry, nodeStarts: nodeStarts)
    while let block = blocks.next() {
      if tree.contains(RadixKey(block, in: geometry))
        || tree.entry(overlapping: block, of: orders) != nil
      {
        return true
      }
    }
    return false
  }

  /// Preserves frames that were just allocated, after filling them with zeros and announcing them;
  /// frees them when that fails.
  private mutating func preserveNew<Frames: BlockSource & ~Copyable>(
    _ item: HandoverChange.Item, _ range: FrameRange, zeroed: Bool = true,
    from frames: inout Frames, announcing announce: (FrameRange) -> Void
  ) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.preserved.append(item)
    do throws(OutgoingHandoverError) {
      try refuseScratch(range)
      if zeroed { memory.clear(range.range(in: geometry)) }
      try prepare(change, from: &frames)
    } catch {
      frames.giveBack(range)
      throw error
    }
    announce(range)
    commit(change)
  }

  func refuseScratch(_ range: FrameRange) throws(OutgoingHandoverError) {
    if scratchAreas.isEmpty { return }
    var blocks = NaturalBlocks(range, in: geometry, nodeStarts: nodeStarts)
    while let block = blocks.next() { try refuseScratch(block) }
  }
}

extension WritablePhysicalMemory {
  /// Fills `range`, whose ends are multiples of 8, with zeros.
  func clear(_ range: PhysicalRange) {
    withWords(at: range.start, count: Int(range.byteCount &>> 3)) { $0.clear() }
  }
}
