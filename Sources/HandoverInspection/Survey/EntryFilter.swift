public import Handover
public import MemoryAccess
public import MemoryImages
public import PreservedPages

/// Which entries to list.
public struct EntryFilter: Hashable, Sendable {
  /// Only entries of this order; nil for all orders.
  public let order: PageOrder?
  /// Only entries that hold a byte of this range; nil for all.
  public let addresses: PhysicalRange?

  /// A filter that passes entries of `order` that hold a byte of `addresses`.
  public init(order: PageOrder? = nil, addresses: PhysicalRange? = nil) {
    self.order = order
    self.addresses = addresses
  }

  /// The part of `run` whose blocks pass; nil when none does.
  public func apply(to run: BlockRun, in geometry: PageGeometry) -> BlockRun? {
    if let order, order != run.order { return nil }
    guard let addresses else { return run }
    let size = geometry.blockByteCount(run.order)
    guard let shared = run.range(in: geometry).intersection(addresses), let last = shared.last
    else { return nil }
    let first = (shared.start.rawValue - run.address.rawValue) / size
    let final = (last.rawValue - run.address.rawValue) / size
    return BlockRun(
      address: run.address.advanced(byBytes: first * size), order: run.order,
      blockCount: final - first + 1)
  }
}

extension HandoverSurvey {
  /// Calls `body` with the runs of entries that pass `filter`, by address, until it returns false.
  ///
  /// - Complexity: O(runs).
  public func forEachRun(
    in memory: MemoryImage, _ filter: EntryFilter, _ body: (BlockRun) -> Bool
  ) {
    struct Stop: Error {}
    try? pages?.forEachRun(in: memory) { (run) throws(Stop) in
      if let run = filter.apply(to: run, in: geometry), !body(run) { throw Stop() }
    }
  }

  /// Calls `body` with the entries that pass `filter`, sorted by address, then by order, until it returns
  /// false.
  ///
  /// - Complexity: O(runs + entries that pass).
  public func forEachBlock(
    in memory: MemoryImage, _ filter: EntryFilter, _ body: (PhysicalBlock) -> Bool
  ) {
    forEachRun(in: memory, filter) { run in
      let size = geometry.blockByteCount(run.order)
      for index in 0..<run.blockCount {
        let address = PhysicalAddress(run.address.rawValue &+ index &* size)
        guard body(PhysicalBlock(address: address, order: run.order)) else { return false }
      }
      return true
    }
  }
}
