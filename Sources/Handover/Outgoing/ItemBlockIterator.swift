import MemoryAccess
import PreservedPages

/// The blocks of an item of a change that is listed in memory, one after the other.
///
/// Compiled once, whatever is done with the blocks: each of the loops over them would otherwise contain the readers
/// of areas and of lists of keys.
struct ItemBlockIterator<Memory: PhysicalMemory> {
  // One of these; optionals, since what is inside them is changed in place.
  private var area: VmallocBlocks<Memory>?
  private var keys: KeyListReader<Memory>?

  @inline(never)
  init(area: VmallocArea, _ context: ItemBlocks<Memory>) {
    self.area = VmallocBlocks(area, in: context.memory, geometry: context.geometry)
  }

  @inline(never)
  init(keys first: PhysicalAddress, _ context: ItemBlocks<Memory>) {
    keys = KeyListReader(from: first, in: context.memory, geometry: context.geometry)
  }

  /// The next block; nil after the last.
  ///
  /// - Throws: ``OutgoingHandoverError/areaDamaged(_:)``.
  @inline(never)
  mutating func next() throws(OutgoingHandoverError) -> PhysicalBlock? {
    do throws(RecordError) {
      if keys != nil { return try keys?.next() }
      switch try area?.next() {
      case .block(let block): return block
      case .chunk(let chunk): return PhysicalBlock(address: chunk, order: .zero)
      case nil: return nil
      }
    } catch {
      throw .areaDamaged(error)
    }
  }
}
