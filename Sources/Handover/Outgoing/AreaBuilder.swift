import MemoryAccess

/// Writes the chunks of a vmalloc area, block by block, into frames of a source.
///
/// Source: `FormatBlocks.md`.
struct AreaBuilder<Memory: WritablePhysicalMemory> {
  private let order: PageOrder
  private var chunks: PageChain<Memory>
  private var pageCount: UInt64 = 0

  /// A builder of an area of blocks of `order`.
  init(order: PageOrder, in memory: Memory, geometry: PageGeometry) {
    self.order = order
    chunks = PageChain(in: memory, geometry: geometry)
  }

  /// Adds a block behind the others.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)`` if no frame is free for a chunk;
  ///   ``OutgoingHandoverError/areaDamaged(_:)`` when the area has too many pages, and of a block at
  ///   address 0, which ends a chunk.
  mutating func append<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalAddress, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let newCount = pageCount &+ order.frameCount
    guard newCount <= UInt64(UInt32.max) else {
      throw .areaDamaged(.elementCountTooLarge(newCount, capacity: UInt64(UInt32.max)))
    }
    guard block != .zero else { throw .areaDamaged(.blockImpossible(0, in: chunks.first)) }
    try chunks.append(block.rawValue, from: &frames)
    pageCount = newCount
  }

  /// The area of the blocks so far.
  var area: VmallocArea {
    VmallocArea(
      firstChunk: chunks.first, pageCount: UInt32(truncatingIfNeeded: pageCount), order: order)
  }
}

extension VmallocArea {
  /// Gives back the chunks of an area that is whole and not preserved any more, and the blocks as well
  /// where `blocksToo` says so.
  func giveBack<Memory: WritablePhysicalMemory, Frames: BlockSource & ~Copyable>(
    to frames: inout Frames, blocksToo: Bool, in memory: Memory, geometry: PageGeometry
  ) {
    memory.giveBackChain(from: firstChunk, to: &frames, geometry) { pointer, frames in
      guard blocksToo else { return }
      let block = PhysicalBlock(address: PhysicalAddress(pointer), order: order)
      frames.giveBack(block, in: geometry)
    }
  }
}
