import MemoryModel

/// Writes the chunks of a vmalloc area, block by block, into frames of a source.
///
/// Source: `abi.md` section 7.
struct AreaBuilder<Memory: WritablePhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  private let order: PageOrder
  private var firstChunk = PhysicalAddress.zero
  private var lastChunk = PhysicalAddress.zero
  /// The next word of the last chunk.
  private var word: Int
  private var pageCount: UInt64 = 0

  /// A builder of an area of blocks of `order`.
  init(order: PageOrder, in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    self.order = order
    word = geometry.pageWordCount
  }

  /// Adds a block behind the others.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)`` when there is no frame for a chunk;
  ///   ``OutgoingHandoverError/areaDamaged(_:)`` when the area has too many pages.
  mutating func append<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalAddress, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let newCount = pageCount &+ order.frameCount
    guard newCount <= UInt64(UInt32.max) else {
      throw .areaDamaged(.elementCountTooLarge(newCount, capacity: UInt64(UInt32.max)))
    }
    if word == geometry.pageWordCount {
      guard let chunk = frames.takeFrame() else { throw .outOfFrames(frameCount: 1) }
      if firstChunk == .zero { firstChunk = chunk } else { store(chunk, at: 0) }
      lastChunk = chunk
      word = 1
    }
    store(block, at: word)
    word &+= 1
    pageCount = newCount
  }

  private func store(_ pointer: PhysicalAddress, at index: Int) {
    memory.withWords(at: lastChunk, count: geometry.pageWordCount) {
      $0.publish(pointer.rawValue, at: index)
    }
  }

  /// The area of the blocks so far.
  var area: VmallocArea {
    VmallocArea(
      firstChunk: firstChunk, pageCount: UInt32(truncatingIfNeeded: pageCount), order: order)
  }
}

extension VmallocArea {
  /// Gives back the chunks of an area that is whole and no longer preserved, and the blocks as well
  /// where `blocksToo` says so.
  func giveBack<Memory: WritablePhysicalMemory, Frames: BlockSource & ~Copyable>(
    to frames: inout Frames, blocksToo: Bool, in memory: Memory, geometry: PageGeometry
  ) {
    var chunk = firstChunk
    while chunk != .zero {
      let next = memory.word(0, ofPage: chunk, geometry)
      for index in 1..<geometry.pageWordCount where blocksToo {
        let pointer = memory.word(index, ofPage: chunk, geometry)
        if pointer == 0 { break }
        let block = PhysicalBlock(address: PhysicalAddress(pointer), order: order)
        frames.giveBack(block, in: geometry)
      }
      // Read before it is given back: a source may keep its list in the frame.
      frames.giveBack(chunk)
      chunk = PhysicalAddress(next)
    }
  }
}

extension WritablePhysicalMemory {
  fileprivate func word(
    _ index: Int, ofPage page: PhysicalAddress, _ geometry: PageGeometry
  ) -> UInt64 {
    withWords(at: page, count: geometry.pageWordCount) { $0.load(index) }
  }
}
