import MemoryAccess
import PreservedPages

/// A list of blocks of any order that one change marks, or unmarks: a ``PageChain`` of their keys.
///
/// The pages of the list are not entries; they are needed until the change is complete.
struct KeyList<Memory: WritablePhysicalMemory> {
  private let geometry: PageGeometry
  private var keys: PageChain<Memory>

  /// A list of no blocks.
  init(in memory: Memory, geometry: PageGeometry) {
    self.geometry = geometry
    keys = PageChain(in: memory, geometry: geometry)
  }

  /// The item of a change that represents the blocks.
  var item: HandoverChange.Item { .keys(keys.first) }

  /// Adds a block.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``.
  mutating func append<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try keys.append(RadixKey(block, in: geometry).rawValue, from: &frames)
  }
}

extension HandoverChange.Item {
  /// Gives back the pages of a list of keys, and the blocks as well where `blocksToo` says so.
  func giveBackKeys<Memory: WritablePhysicalMemory, Frames: BlockSource & ~Copyable>(
    to frames: inout Frames, blocksToo: Bool, in memory: Memory, geometry: PageGeometry
  ) {
    guard case .keys(let first) = self else { return }
    memory.giveBackChain(from: first, to: &frames, geometry) { key, frames in
      guard blocksToo, let block = RadixKey(rawValue: key).decoded(in: geometry) else { return }
      frames.giveBack(block, in: geometry)
    }
  }
}

/// Reads a list of keys that a change points to, perhaps one that another process recorded.
struct KeyListReader<Memory: PhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  private var nextPage: PhysicalAddress
  /// Where the pointer to the next page is; nil of the first.
  private var link: PhysicalAddress?
  private var chain = ChainGuard()
  private var page = WordPage()
  /// The next word of `page`.
  private var index = 1

  /// The list whose first page is `first`; 0 is a list of none.
  init(from first: PhysicalAddress, in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    nextPage = first
  }

  /// The next block; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the list is damaged.
  mutating func next() throws(RecordError) -> PhysicalBlock? {
    while true {
      while index < page.count {
        let key = page[index]
        index &+= 1
        if key == 0 { continue }
        guard let block = RadixKey(rawValue: key).decoded(in: geometry) else {
          throw .blockImpossible(key, in: page.start)
        }
        return block
      }
      guard nextPage != .zero else { return nil }
      guard geometry.isPageAligned(nextPage) else { throw .pointerUnaligned(nextPage, in: link) }
      guard chain.advance(to: nextPage) else { throw .chainCycle(nextPage) }
      try page.load(geometry.page(at: nextPage), from: memory)
      link = nextPage
      nextPage = PhysicalAddress(page[0])
      index = 1
    }
  }
}
