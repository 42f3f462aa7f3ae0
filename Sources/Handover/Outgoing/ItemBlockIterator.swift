import MemoryAccess
import PreservedPages

/// The blocks of one item of a change, one after the other.
///
/// Compiled once, whatever is done with the blocks: each of the loops over them would otherwise contain the readers
/// of areas and of lists of keys.
struct ItemBlockIterator<Memory: PhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  // One of these; optionals, since what is inside them is changed in place.
  private var single: PhysicalBlock?
  private var frames: NaturalBlocks?
  private var area: VmallocBlocks<Memory>?
  private var keys: KeyListReader<Memory>?

  @inline(never)
  init(_ item: HandoverChange.Item, _ context: ItemBlocks<Memory>) {
    memory = context.memory
    geometry = context.geometry
    switch item {
    case .block(let block): single = block
    case .frames(let range):
      frames = NaturalBlocks(range, in: context.geometry, nodeStarts: context.nodeStarts)
    case .area(let listed):
      area = VmallocBlocks(listed, in: context.memory, geometry: context.geometry)
    case .keys(let first):
      keys = KeyListReader(from: first, in: context.memory, geometry: context.geometry)
    }
  }

  /// The next block; nil after the last.
  ///
  /// - Throws: ``OutgoingHandoverError/areaDamaged(_:)``.
  @inline(never)
  mutating func next() throws(OutgoingHandoverError) -> PhysicalBlock? {
    if frames != nil { return frames?.next() }
    do throws(RecordError) {
      if keys != nil { return try keys?.next() }
      if area != nil {
        switch try area?.next() {
        case .block(let block): return block
        case .chunk(let chunk): return PhysicalBlock(address: chunk, order: .zero)
        case nil: return nil
        }
      }
    } catch {
      throw .areaDamaged(error)
    }
    return single.take()
  }
}
