public import MemoryAccess
public import PageAllocation
import PreservedPages

extension IncomingHandover {
  /// Reserves in the early allocator what must not be handed out: every entry, the nodes of the tree and
  /// the device tree.
  ///
  /// The allocator's own list may have to move while it learns that: it moves to where nothing of the
  /// handover is.
  ///
  /// - Throws: `MemblockError.listFull(_:)`, `MemblockError.holdsRegionList(_:)` when the allocator
  ///   used preserved memory already. Some of it may be reserved then.
  /// - Complexity: O(nodes · page size + runs · regions), far less where runs come in order of address.
  public func reserve(in memblock: inout Memblock<Memory>) throws(MemblockError) {
    var rangeCount = UInt64(memblock.reservedRegionCount)
    forEachRange { _, _ in rangeCount &+= 1 }
    let accessible = memblock.accessible
    if rangeCount >= UInt64(memblock.reservedRegionCapacity) {
      let byteCount = memblock.listByteCount(forReservedRegions: rangeCount)
      memblock.accessible = unusedRange(byteCount, in: memblock)
    }
    defer { memblock.accessible = accessible }
    try forEachRange { (range, isPreserved) throws(MemblockError) in
      try memblock.reserve(range, flags: isPreserved ? .preserved : [])
    }
  }

  /// A range in which nothing of the handover is, and in which `memblock` has `byteCount` bytes
  /// free; an empty one if nothing is free.
  private func unusedRange(
    _ byteCount: UInt64, in memblock: borrowing Memblock<Memory>
  ) -> PhysicalRange {
    var own = pages.nodes.map { nodePage($0) }
    if let deviceTreeRange { own.append(deviceTreeRange) }
    own.sortInPlace { $0.start < $1.start }
    var search = GapSearch(accessible: memblock.accessible)
    var next = 0
    func fits(_ gap: PhysicalRange) -> Bool {
      gap.byteCount >= byteCount
        && memblock.firstFit(MemblockRequest(byteCount: byteCount, in: gap)) != nil
    }
    pages.forEachRun(in: memory) { run in
      while next < own.count, own[next].start < run.address {
        search.pass(own[next], fits)
        next &+= 1
      }
      search.pass(run.range(in: geometry), fits)
    }
    for range in own[next...] { search.pass(range, fits) }
    return search.finish(fits)
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

  /// The page that a node is in; small bitmaps of kho-v1 share one.
  func nodePage(_ node: PhysicalAddress) -> PhysicalRange {
    let page = FrameNumber(containing: node, in: geometry)
    return FrameRange(start: page, frameCount: 1).range(in: geometry)
  }
}

/// Looks for a gap between ranges that come in order of address.
private struct GapSearch {
  private let accessible: PhysicalRange
  /// Where the gap begins that is looked at; nil behind the last byte there can be.
  private var start: UInt64?
  private var found: PhysicalRange?

  init(accessible: PhysicalRange) {
    self.accessible = accessible
    start = accessible.isEmpty ? nil : accessible.start.rawValue
  }

  /// Takes the next range that is in use.
  mutating func pass(_ range: PhysicalRange, _ fits: (PhysicalRange) -> Bool) {
    guard let last = range.last else { return }
    check(upTo: range.start.rawValue, fits)
    if let from = start, from <= last.rawValue {
      start = last.rawValue == .max ? nil : last.rawValue &+ 1
    }
  }

  /// The gap that was found; empty if none exists.
  mutating func finish(_ fits: (PhysicalRange) -> Bool) -> PhysicalRange {
    check(upTo: .max, fits)
    return found ?? PhysicalRange(start: .zero, byteCount: 0)
  }

  private mutating func check(upTo end: UInt64, _ fits: (PhysicalRange) -> Bool) {
    guard found == nil, let start, start < end else { return }
    let gap = PhysicalRange(start: PhysicalAddress(start), byteCount: end &- start)
    if let gap = gap.intersection(accessible), fits(gap) { found = gap }
  }
}
