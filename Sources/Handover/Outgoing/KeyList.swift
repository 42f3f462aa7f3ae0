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
  let memory: Memory
  let geometry: PageGeometry

  /// Calls `body` with every block of the list whose first page is `first`.
  ///
  /// - Throws: ``OutgoingHandoverError/areaDamaged(_:)`` of a list that is damaged, and the error of
  ///   `body`.
  func forEach(
    from first: PhysicalAddress, _ body: (PhysicalBlock) throws(OutgoingHandoverError) -> Void
  ) throws(OutgoingHandoverError) {
    var next = first
    var link: PhysicalAddress?
    var chain = ChainGuard()
    var page = WordPage()
    while next != .zero {
      guard geometry.isPageAligned(next) else {
        throw .areaDamaged(.pointerUnaligned(next, in: link))
      }
      guard chain.advance(to: next) else { throw .areaDamaged(.chainCycle(next)) }
      do throws(RecordError) { try page.load(geometry.page(at: next), from: memory) } catch {
        throw .areaDamaged(error)
      }
      for index in 1..<page.count where page[index] != 0 {
        guard let block = RadixKey(rawValue: page[index]).decoded(in: geometry) else {
          throw .areaDamaged(.blockImpossible(page[index], in: next))
        }
        try body(block)
      }
      link = next
      next = PhysicalAddress(page[0])
    }
  }
}
