public import MemoryAccess

// Areas: memory in many blocks, at any addresses, and the chunks that list them in order. The
// descriptor goes into a record of the owner's.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Preserves `blocks` of `order`, in that order, and writes the chunks that name them.
  ///
  /// All of it is preserved, or nothing has changed.
  ///
  /// - Parameter frames: where frames come from.
  /// - Parameter order: the order of each block.
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
    let area = try allocateArea(blockCount: blockCount, order: order, from: &frames)
    do throws(OutgoingHandoverError) { try preserveNew(area, from: &frames) } catch {
      area.giveBack(to: &frames, blocksToo: true, in: memory, geometry: geometry)
      throw error
    }
    return area
  }

  /// Allocates an area as ``allocatePreservedArea(blockCount:order:from:)`` does, and registers it
  /// under `name` with a subtree of its descriptor's 16 bytes, all as one change.
  ///
  /// - Throws: as ``allocatePreservedArea(blockCount:order:from:)`` and
  ///   ``createSubtree(named:byteCount:from:_:)``.
  /// - Complexity: O(bytes), for the zeros, and O(device tree).
  public mutating func createAreaSubtree<Frames: BlockSource & ~Copyable>(
    named name: String, blockCount: UInt64, order: PageOrder = .zero, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    let area = try allocateArea(blockCount: blockCount, order: order, from: &frames)
    var change = HandoverChange()
    change.preserved.append(.area(area))
    do throws(OutgoingHandoverError) {
      _ = try create(
        named: name, byteCount: UInt64(VmallocArea.byteCount), replacing: nil, with: change,
        from: &frames
      ) { area.write(to: &$0) }
    } catch {
      area.giveBack(to: &frames, blocksToo: true, in: memory, geometry: geometry)
      throw error
    }
    return area
  }

  /// Takes the name from the area that ``createAreaSubtree(named:blockCount:order:from:)`` made,
  /// unpreserves it and frees it, as one change.
  ///
  /// - Throws: as ``removeSubtreeAndFree(named:from:)``; ``OutgoingHandoverError/notPreserved(_:)`` and
  ///   ``OutgoingHandoverError/areaDamaged(_:)`` where the subtree names no area that is preserved.
  /// - Precondition: the frames came from `frames`.
  public mutating func removeAreaSubtreeAndFree<Frames: BlockSource & ~Copyable>(
    named name: String, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let own = try ownFrames(ofSubtree: name)
    let area = try area(inSubtree: name)
    try blocks.forEach(of: .area(area)) { (block) throws(OutgoingHandoverError) in
      try requireEntry(block)
    }
    var change = HandoverChange()
    change.unpreserved.append(own.item)
    change.unpreserved.append(.area(area))
    try edit(change, adding: nil, removing: name, from: &frames)
    area.giveBack(to: &frames, blocksToo: true, in: memory, geometry: geometry)
    frames.giveBack(own.frames)
  }

  /// The area that the subtree called `name` describes.
  ///
  /// - Throws: ``OutgoingHandoverError/noSuchSubtree``, ``OutgoingHandoverError/areaDamaged(_:)``.
  /// - Complexity: O(device tree).
  public func area(
    inSubtree name: String
  ) throws(OutgoingHandoverError) -> VmallocArea {
    guard let subtree = try subtree(named: name) else { throw .noSuchSubtree }
    do throws(RecordError) {
      return try memory.withRecord(at: subtree.address, byteCount: VmallocArea.byteCount) {
        (bytes) throws(RecordError) in try VmallocArea(parsing: bytes, in: geometry)
      }
    } catch {
      throw .areaDamaged(error)
    }
  }

  private func allocateArea<Frames: BlockSource & ~Copyable>(
    blockCount: UInt64, order: PageOrder, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    var builder = AreaBuilder(order: order, in: memory, geometry: geometry)
    do throws(OutgoingHandoverError) {
      for _ in 0..<blockCount { try allocateBlock(order, of: &builder, from: &frames) }
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
  /// - Throws: ``OutgoingHandoverError/notPreserved(_:)`` of the first block or chunk that is
  ///   not an entry; ``OutgoingHandoverError/areaDamaged(_:)``.
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
