public import MemoryModel
public import PageAllocation
import PreservedPages

extension IncomingHandover {
  /// Tells the early allocator what must not be handed out: every entry, the nodes of the tree and
  /// the device tree.
  ///
  /// - Throws: ``MemblockError/listFull(_:)``, ``MemblockError/holdsRegionList(_:)`` when the allocator
  ///   used preserved memory already. Some of it may be reserved then.
  /// - Complexity: O(runs · regions), far less where runs come in order of address.
  public func reserve(in memblock: inout Memblock<Memory>) throws(MemblockError) {
    try forEachRange { (range, isPreserved) throws(MemblockError) in
      try memblock.reserve(range, flags: isPreserved ? .preserved : [])
    }
  }

  /// Calls `body` with every range that is in use, and whether entries preserve it: the entries by
  /// address, then what marks them and the device tree.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + runs · orders in use).
  public func forEachRange<Failure: Error>(
    _ body: (_ range: PhysicalRange, _ isPreserved: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    try pages.forEachRun(in: memory) { (run) throws(Failure) in
      try body(run.range(in: geometry), true)
    }
    for node in pages.nodes {
      try body(nodePage(node), false)
    }
    if let deviceTree = deviceTreeRange { try body(deviceTree, false) }
  }

  /// The pages of the root device tree; nil when it was given apart from memory.
  var deviceTreeRange: PhysicalRange? {
    guard let address = survey.address, let byteCount = survey.deviceTree?.byteCount,
      let range = PhysicalRange(checkedStart: address, byteCount: UInt64(byteCount))
    else { return nil }
    return FrameRange(covering: range, in: geometry).range(in: geometry)
  }

  /// The page that a node lies in; small bitmaps of kho-v1 share one.
  func nodePage(_ node: PhysicalAddress) -> PhysicalRange {
    let page = FrameNumber(containing: node, in: geometry)
    return FrameRange(start: page, frameCount: 1).range(in: geometry)
  }
}
