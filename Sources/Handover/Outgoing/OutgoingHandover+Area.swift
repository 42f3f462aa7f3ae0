public import MemoryModel

// Areas: memory in many blocks that lie anywhere, and the chunks that name them in order. The
// descriptor goes into a record of the owner's.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Preserves `blocks` of `order`, in that order, and writes the chunks that name them.
  ///
  /// All of it is preserved, or nothing has changed.
  ///
  /// - Parameter blocks: the blocks' addresses, each named once.
  /// - Throws: as ``preserve(_:from:)-(PhysicalBlock,_)``; ``OutgoingHandoverError/areaDamaged(_:)`` of
  ///   more than 2^32 − 1 pages.
  /// - Complexity: O(blocks · orders in use · levels).
  public mutating func preserveArea<Frames: BlockSource & ~Copyable>(
    _ blocks: some Collection<PhysicalAddress>, order: PageOrder = .zero, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    var builder = AreaBuilder(order: order, in: memory, geometry: geometry)
    do throws(OutgoingHandoverError) {
      for address in blocks {
        try refuseUnpreservable(PhysicalBlock(address: address, order: order))
        try builder.append(address, from: &frames)
      }
      try preserveNew(builder.area, from: &frames)
    } catch {
      builder.area.giveBack(to: &frames, blocksToo: false, in: memory, geometry: geometry)
      throw error
    }
    return builder.area
  }

  /// Allocates an area of `blockCount` blocks of `order`, filled with zeros, and preserves it.
  ///
  /// For memory that is too large, or too scattered, for one piece.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``,
  ///   ``OutgoingHandoverError/overlapsScratch(_:_:)``, ``OutgoingHandoverError/areaDamaged(_:)`` of
  ///   more than 2^32 − 1 pages.
  /// - Complexity: O(bytes), for the zeros.
  public mutating func allocatePreservedArea<Frames: BlockSource & ~Copyable>(
    blockCount: UInt64, order: PageOrder = .zero, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    var builder = AreaBuilder(order: order, in: memory, geometry: geometry)
    do throws(OutgoingHandoverError) {
      for _ in 0..<blockCount { try allocateBlock(order, of: &builder, from: &frames) }
      try preserveNew(builder.area, from: &frames)
    } catch {
      builder.area.giveBack(to: &frames, blocksToo: true, in: memory, geometry: geometry)
      throw error
    }
    return builder.area
  }

  private func allocateBlock<Frames: BlockSource & ~Copyable>(
    _ order: PageOrder, of builder: inout AreaBuilder<Memory>, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    guard let block = frames.takeBlock(order) else {
      throw .outOfFrames(frameCount: order.frameCount)
    }
    do throws(OutgoingHandoverError) {
      try refuseScratch(block)
      try builder.append(block.address, from: &frames)
    } catch {
      frames.giveBack(block, in: geometry)
      throw error
    }
    memory.clear(block.range(in: geometry))
  }

  private mutating func preserveNew<Frames: FrameSource & ~Copyable>(
    _ area: VmallocArea, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.preserved.append(.area(area))
    try prepare(change, from: &frames)
    commit(change)
  }

  /// Stops preserving an area, and frees the chunks. The blocks stay the owner's.
  ///
  /// - Throws: ``OutgoingHandoverError/notPreserved(_:)`` of the first block or chunk that is no
  ///   entry; ``OutgoingHandoverError/areaDamaged(_:)``.
  /// - Precondition: the chunks' frames came from `frames`.
  /// - Complexity: O(blocks · levels).
  public mutating func unpreserve<Frames: BlockSource & ~Copyable>(
    _ area: VmallocArea, into frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try unpreserve(item: .area(area))
    area.giveBack(to: &frames, blocksToo: false, in: memory, geometry: geometry)
  }

  /// Stops preserving an area, and frees the chunks and the blocks.
  ///
  /// - Throws: as ``unpreserve(_:into:)``.
  /// - Precondition: the chunks' and the blocks' frames came from `frames`.
  public mutating func unpreserveAndFree<Frames: BlockSource & ~Copyable>(
    _ area: VmallocArea, into frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try unpreserve(item: .area(area))
    area.giveBack(to: &frames, blocksToo: true, in: memory, geometry: geometry)
  }
}
