public import MemoryModel
import PreservedPages

extension IncomingHandover {
  /// Frees what only the handover itself needed: the predecessor's tree, its device tree where that
  /// was not restored, and the books about what was restored.
  ///
  /// Blocks that nobody restored stay reserved, as they do in Linux; ``forEachUnrestored(_:)`` names
  /// them, before.
  ///
  /// - Returns: the number of frames freed.
  /// - Precondition: `frames` manages the frames of the tree and of the device tree, and gave those of
  ///   the books.
  /// - Complexity: O(nodes · page size).
  @discardableResult
  public mutating func retire<Frames: BlockSource & ~Copyable>(
    into frames: inout Frames
  ) -> UInt64 {
    var freedCount: UInt64 = 0
    var last: PhysicalRange?
    for node in pages.nodes {
      // Sorted, so bitmaps that share a page come one after the other.
      let page = nodePage(node)
      if page == last { continue }
      last = page
      frames.giveBack(page.start)
      freedCount &+= 1
    }
    freedCount &+= giveBackDeviceTree(to: &frames)
    if let root = restored?.root {
      freedCount &+= RadixTree(
        adopting: root, in: memory, geometry: RadixGeometry(geometry)
      ).destroy(into: &frames)
      restored = nil
    }
    return freedCount
  }

  private mutating func giveBackDeviceTree<Frames: BlockSource & ~Copyable>(
    to frames: inout Frames
  ) -> UInt64 {
    guard let range = deviceTreeRange else { return 0 }
    let entry = lookup.block(holding: range.start)
    if let entry, entry.address == range.start {
      if isRestored(entry) { return 0 }
      frames.giveBack(entry, in: geometry)
      return entry.order.frameCount
    }
    let run = FrameRange(covering: range, in: geometry)
    frames.giveBack(run)
    return run.frameCount
  }
}

extension VmallocBlocks {
  /// The next chunk's page or block; nil after the last.
  mutating func nextBlock() throws(IncomingHandoverError) -> PhysicalBlock? {
    do throws(RecordError) {
      switch try next() {
      case .chunk(let page): return PhysicalBlock(address: page, order: .zero)
      case .block(let block): return block
      case nil: return nil
      }
    } catch {
      throw .areaDamaged(error)
    }
  }
}
