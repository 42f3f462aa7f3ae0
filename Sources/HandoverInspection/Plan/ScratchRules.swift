public import Handover
public import MemoryAccess
public import PageAllocation

/// How a release of Linux computes the sizes of its scratch areas.
///
/// Linux counts what early boot allocated for the kernel itself, takes a percentage of it (200 by
/// default), and rounds up:
///
///     low     allocations below the end of low memory
///     global  all allocations, less the low area
///     node    allocations that were made on that node
///
/// What early boot allocated without naming a node (hash tables, bounce buffers) is counted in the
/// first two and in none of the nodes.
public struct ScratchRules: Hashable, Sendable {
  /// Whether memory for huge pages of 1 GiB is left out of the count: since 7.3.
  public let ignoresHugePages: Bool
  /// Whether the low area is rounded up before it is subtracted: up to 7.1.
  public let roundsBeforeSubtracting: Bool
  /// Areas start at multiples of `2^log2Alignment` bytes: the page allocator's largest block since 7.2,
  /// a block of one mobility type before that.
  public let log2Alignment: Int

  /// The rules of `release` with pages of `geometry`; if `release` is nil, those of the newest known release.
  public init(_ release: KernelRelease?, _ geometry: PageGeometry) {
    let release = release ?? KernelRelease(7, 3)
    ignoresHugePages = release >= KernelRelease(7, 3)
    roundsBeforeSubtracting = release < KernelRelease(7, 2)
    // Orders of the largest block and of a huge page, by page size.
    let orders: (largest: Int, mobility: Int) =
      switch geometry.shift {
      case 14: (11, 11)
      case 16: (13, 13)
      default: (10, 9)
      }
    log2Alignment =
      geometry.shift
      + (release < KernelRelease(7, 2) ? orders.mobility : orders.largest)
  }

  /// The sizes that Linux computes of `allocations`.
  ///
  /// - Parameters:
  ///   - request: what the command line asks for.
  ///   - allocations: what early boot allocated.
  ///   - nodes: the nodes, in the order of `BootAllocations.byNode`.
  ///   - lowLimit: the end of low memory.
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` of sizes beyond 2^62.
  public func plan(
    _ request: ScratchRequest, for allocations: BootAllocations, nodes: [NodeID],
    lowLimit: PhysicalAddress
  ) throws(MemblockError) -> ScratchPlan {
    switch request {
    case .sizes(let low, let global, let perNode):
      return try ScratchPlan(
        low: low, global: global, nodes: nodes.map { ($0, perNode) }, log2Alignment: log2Alignment,
        lowLimit: lowLimit)
    case .percentage(let percentage):
      let low = try scaled(allocations.low, percentage)
      let all = try scaled(allocations.low &+ allocations.high, percentage)
      let subtracted = roundsBeforeSubtracting ? try rounded(low) : low
      var shares: [(NodeID, UInt64)] = []
      for (node, share) in zip(nodes, allocations.byNode) {
        shares.append((node, try scaled(share, percentage)))
      }
      return try ScratchPlan(
        low: low, global: all > subtracted ? all - subtracted : 0, nodes: shares,
        log2Alignment: log2Alignment, lowLimit: lowLimit)
    }
  }

  private func scaled(_ byteCount: UInt64, _ percentage: UInt32) throws(MemblockError) -> UInt64 {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: UInt64(percentage))
    guard !overflow, product / 100 < 1 << 62 else { throw .outOfMemory(byteCount: byteCount) }
    return product / 100
  }

  private func rounded(_ byteCount: UInt64) throws(MemblockError) -> UInt64 {
    let mask = (1 as UInt64) << UInt64(log2Alignment) - 1
    guard byteCount < 1 << 62 else { throw .outOfMemory(byteCount: byteCount) }
    return (byteCount + mask) & ~mask
  }
}

/// What early boot allocated for the kernel, in bytes.
public struct BootAllocations: Hashable, Sendable {
  /// What was allocated below the end of low memory, in bytes.
  public var low: UInt64
  /// What was allocated above the end of low memory, in bytes.
  public var high: UInt64
  /// What was allocated on each node, in bytes, in the order of the nodes. It does not contain what was allocated
  /// without naming a node.
  public var byNode: [UInt64]

  /// What was allocated in all, in bytes.
  public var byteCount: UInt64 { low &+ high }

  /// What was allocated below the end of low memory, above it, and on each node.
  public init(low: UInt64, high: UInt64, byNode: [UInt64]) {
    self.low = low
    self.high = high
    self.byNode = byNode
  }
}
