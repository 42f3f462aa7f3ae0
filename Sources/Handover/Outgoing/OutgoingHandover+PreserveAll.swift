public import MemoryAccess
import PreservedPages

extension OutgoingHandover where Anchor: ~Copyable {
  /// Preserves again what came in and was not restored, as it is: every block as one entry of its order,
  /// every subtree under its name.
  ///
  /// For a kernel that hands on what it does not know. The predecessor's root device tree is left out, and
  /// so are the names of subtrees of which a page was restored: an owner that restored a subtree frees it or
  /// preserves it again, and then adds the name itself. What a subtree contains is not examined: an owner
  /// that restores memory to which its subtree points preserves it again, or replaces the subtree. The
  /// blocks become entries as one change, then the names follow; on an error, all of them are taken back.
  ///
  /// - Returns: the number of blocks.
  /// - Throws: as ``preserve(_:from:)-(PhysicalBlock,_)`` and ``addSubtree(_:named:from:)``.
  /// - Precondition: both handovers are in the same memory, and `incoming` is not retired.
  /// - Complexity: O(blocks · (orders in use + levels) + subtrees · device tree).
  @discardableResult
  public mutating func preserveAll<Frames: BlockSource & ~Copyable>(
    of incoming: borrowing IncomingHandover<Memory>, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> UInt64 {
    var keys = KeyList(in: memory, geometry: geometry)
    var named: [String] = []
    var isCommitted = false
    do throws(OutgoingHandoverError) {
      let count = try list(incoming, in: &keys, from: &frames)
      try preserve(listed: keys.item, from: &frames)
      isCommitted = true
      for found in incoming.survey.subtrees where found.isPreserved {
        let subtree = found.subtree
        guard let byteCount = found.byteCount,
          let range = PhysicalRange(checkedStart: subtree.address, byteCount: byteCount),
          !incoming.isRestoredInPart(range), isPreserved(range)
        else { continue }
        try addSubtree(range, named: subtree.name, from: &frames)
        named.append(subtree.name)
      }
      keys.item.giveBackKeys(to: &frames, blocksToo: false, in: memory, geometry: geometry)
      return count
    } catch {
      for name in named { try? removeSubtree(named: name, from: &frames) }
      if isCommitted {
        try? unpreserve(item: keys.item)
        pruneNodes(of: keys.item, into: &frames)
      }
      keys.item.giveBackKeys(to: &frames, blocksToo: false, in: memory, geometry: geometry)
      throw error
    }
  }

  /// Preserves what was listed, as one change.
  @inline(never)
  private mutating func preserve<Frames: BlockSource & ~Copyable>(
    listed item: HandoverChange.Item, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.preserved.append(item)
    try prepare(change, from: &frames)
    commit(change)
  }

  /// Lists the blocks of `incoming` that are to be preserved again.
  private func list<Frames: FrameSource & ~Copyable>(
    _ incoming: borrowing IncomingHandover<Memory>, in keys: inout KeyList<Memory>,
    from frames: inout Frames
  ) throws(OutgoingHandoverError) -> UInt64 {
    let page = geometry
    let former = incoming.survey.address
    var count: UInt64 = 0
    try incoming.forEachUnrestored { (block) throws(OutgoingHandoverError) in
      if let former, block.range(in: page).contains(former) { return }
      try refuseUnpreservable(block)
      try keys.append(block, from: &frames)
      count &+= 1
    }
    return count
  }
}
