public import MemoryAccess
import PreservedPages

extension IncomingHandover {
  /// Frees what only the handover itself needed: the predecessor's tree, its device tree where that
  /// was not restored, and the metadata about what was restored.
  ///
  /// Blocks that were not restored stay reserved, as they do in Linux; ``forEachUnrestored(_:)`` names
  /// them, before. Nothing can be restored after it.
  ///
  /// - Returns: the number of frames freed.
  /// - Precondition: `frames` manages the frames of the tree and of the device tree, and gave those of
  ///   the metadata.
  /// - Complexity: O(nodes · page size).
  @discardableResult
  public mutating func retire<Frames: BlockSource & ~Copyable>(
    into frames: inout Frames
  ) -> UInt64 {
    if isRetired { return 0 }
    // First what the tree still has to be read for.
    var freedCount = giveBackDeviceTree(to: &frames)
    isRetired = true
    var last: PhysicalRange?
    for node in pages.nodes {
      // Sorted, so bitmaps that share a page come one after the other.
      let page = nodePage(node)
      if page == last { continue }
      last = page
      frames.giveBack(page.start)
      freedCount &+= 1
    }
    return freedCount &+ freeMetadata(into: &frames)
  }

  private mutating func giveBackDeviceTree<Frames: BlockSource & ~Copyable>(
    to frames: inout Frames
  ) -> UInt64 {
    guard let range = deviceTreeRange else { return 0 }
    let run = FrameRange(covering: range, in: geometry)
    var freedCount: UInt64 = 0
    var frame = run.start
    while frame < run.end {
      let address = frame.address(in: geometry)
      // A page that is not an entry was reserved for the device tree alone.
      let entry = lookup.block(holding: address)
      let part =
        entry.map { FrameRange($0, in: geometry) } ?? FrameRange(start: frame, frameCount: 1)
      if entry.map({ !isRestored($0) }) ?? true {
        frames.giveBack(part)
        freedCount &+= part.frameCount
      }
      frame = part.end
    }
    return freedCount
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
