public import MemoryAccess
public import PageAllocation

/// Scratch areas of a machine: one in low memory, one anywhere, one on each NUMA node.
///
/// Source: `FormatScratch.md`.
public struct ScratchPlan: Hashable, Sendable {
  /// How many bytes below the low-memory limit.
  public let lowByteCount: UInt64
  /// How many bytes anywhere.
  public let globalByteCount: UInt64
  /// How many bytes on each node that has memory.
  public let nodeByteCounts: [Node]
  /// The areas start at multiples of `2^log2Alignment` bytes, and are as long.
  public let log2Alignment: Int
  /// The end of low memory: what devices with short addresses can reach.
  public let lowLimit: PhysicalAddress

  /// A node's share.
  public struct Node: Hashable, Sendable {
    /// The node.
    public let nodeID: NodeID
    /// How many bytes.
    public let byteCount: UInt64
  }

  /// The low-memory limit of machines with devices of 32-bit addresses: 4 GiB.
  public static var standardLowLimit: PhysicalAddress { PhysicalAddress(1 << 32) }

  /// How large the areas are that `request` asks for on the machine of `memblock`.
  ///
  /// A percentage is of what is reserved: in low memory, everywhere but for that, and on each node.
  /// Sizes are rounded up to blocks of `maximumOrder`, the page allocator's largest.
  ///
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` of sizes beyond 2^64.
  /// - Complexity: O(reserved regions · nodes).
  public init<Memory: WritablePhysicalMemory>(
    _ request: ScratchRequest, for memblock: borrowing Memblock<Memory>,
    maximumOrder: PageOrder = PageOrder(10), lowLimit: PhysicalAddress = standardLowLimit
  ) throws(MemblockError) {
    let log2Alignment = memblock.geometry.shift &+ Int(maximumOrder.rawValue)
    self.log2Alignment = log2Alignment
    self.lowLimit = lowLimit
    let nodes = memblock.nodeIDs()
    switch request {
    case .sizes(let low, let global, let perNode):
      lowByteCount = try low.rounded(up: log2Alignment)
      globalByteCount = try global.rounded(up: log2Alignment)
      let rounded = try perNode.rounded(up: log2Alignment)
      nodeByteCounts = nodes.map { Node(nodeID: $0, byteCount: rounded) }
    case .percentage(let percentage):
      let reserved = memblock.reservedByteCounts(of: nodes, below: lowLimit)
      let low = try reserved.low.percent(percentage).rounded(up: log2Alignment)
      let all = try reserved.all.percent(percentage)
      lowByteCount = low
      globalByteCount = try (all > low ? all &- low : 0).rounded(up: log2Alignment)
      var counts: [Node] = []
      for (nodeID, byteCount) in zip(nodes, reserved.byNode) {
        let share = try byteCount.percent(percentage).rounded(up: log2Alignment)
        counts.append(Node(nodeID: nodeID, byteCount: share))
      }
      nodeByteCounts = counts
    }
  }

  /// Areas of the given sizes, rounded up to multiples of `2^log2Alignment` bytes.
  ///
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` of sizes beyond 2^64.
  package init(
    low: UInt64, global: UInt64, nodes: [(nodeID: NodeID, byteCount: UInt64)], log2Alignment: Int,
    lowLimit: PhysicalAddress
  ) throws(MemblockError) {
    self.log2Alignment = log2Alignment
    self.lowLimit = lowLimit
    lowByteCount = try low.rounded(up: log2Alignment)
    globalByteCount = try global.rounded(up: log2Alignment)
    var counts: [Node] = []
    for node in nodes {
      let byteCount = try node.byteCount.rounded(up: log2Alignment)
      counts.append(Node(nodeID: node.nodeID, byteCount: byteCount))
    }
    nodeByteCounts = counts
  }

  /// All bytes of the areas.
  public var byteCount: UInt64 {
    nodeByteCounts.reduce(lowByteCount &+ globalByteCount) { $0 &+ $1.byteCount }
  }

  /// Takes the areas from `memblock` and marks them as scratch.
  ///
  /// They stay free for the page allocator, which may lend them to whatever can be moved: each is
  /// reserved only while the next one is looked for.
  ///
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` where one does not fit,
  ///   `MemblockError.listFull(_:)`. No area is left reserved or marked then.
  /// - Complexity: O(areas · regions · log regions).
  public func place<Memory: WritablePhysicalMemory>(
    in memblock: inout Memblock<Memory>
  ) throws(MemblockError) -> [ScratchArea] {
    var areas: [ScratchArea] = []
    var markedCount = 0
    do throws(MemblockError) {
      for request in requests {
        areas.append(ScratchArea(try memblock.allocate(request)))
      }
      for area in areas {
        try memblock.mark(area.range, .scratch)
        markedCount &+= 1
      }
      for area in areas { try memblock.free(area.range) }
    } catch {
      // What fails here had room a moment ago: the lists only shrink.
      for area in areas.prefix(markedCount) {
        try? memblock.mark(area.range, [], clearing: .scratch)
      }
      for area in areas where memblock.isReserved(area.range) { try? memblock.free(area.range) }
      throw error
    }
    return areas
  }

  /// The requests, in the order in which the areas are in the array.
  private var requests: [MemblockRequest] {
    var requests: [MemblockRequest] = []
    if lowByteCount > 0 {
      let low = PhysicalRange(start: .zero, byteCount: lowLimit.rawValue)
      requests.append(request(lowByteCount, in: low, .any))
    }
    if globalByteCount > 0 { requests.append(request(globalByteCount, in: nil, .any)) }
    for node in nodeByteCounts where node.byteCount > 0 {
      requests.append(request(node.byteCount, in: nil, .only(node.nodeID)))
    }
    return requests
  }

  private func request(
    _ byteCount: UInt64, in range: PhysicalRange?, _ node: NodeChoice
  ) -> MemblockRequest {
    MemblockRequest(
      byteCount: byteCount, log2Alignment: log2Alignment, in: range, node: node,
      excluded: [.noMap, .hotplug, .scratch])
  }
}

extension UInt64 {
  /// The next multiple of `2^log2ByteCount`.
  fileprivate func rounded(up log2ByteCount: Int) throws(MemblockError) -> UInt64 {
    let mask = (1 as UInt64) &<< UInt64(log2ByteCount) &- 1
    let (sum, overflow) = addingReportingOverflow(mask)
    guard !overflow else { throw .outOfMemory(byteCount: self) }
    return sum & ~mask
  }

  /// `percentage` hundredths, rounded down.
  fileprivate func percent(_ percentage: UInt32) throws(MemblockError) -> UInt64 {
    let (high, low) = multipliedFullWidth(by: UInt64(percentage))
    guard high < 100 else { throw .outOfMemory(byteCount: self) }
    return (100 as UInt64).dividingFullWidth((high, low)).quotient
  }
}

extension Memblock {
  /// The nodes that have memory, in the order in which they first appear.
  fileprivate borrowing func nodeIDs() -> [NodeID] {
    var nodes: [NodeID] = []
    forEachMemoryRegion { region in
      if let node = region.nodeID, !nodes.contains(node) { nodes.append(node) }
    }
    return nodes
  }

  /// How many bytes of memory are reserved: below `limit`, in all, and on each of `nodes`.
  fileprivate borrowing func reservedByteCounts(
    of nodes: [NodeID], below limit: PhysicalAddress
  ) -> (low: UInt64, all: UInt64, byNode: [UInt64]) {
    let lowMemory = PhysicalRange(start: .zero, byteCount: limit.rawValue)
    var low: UInt64 = 0
    var all: UInt64 = 0
    var byNode = [UInt64](repeating: 0, count: nodes.count)
    forEachMemoryRegion { memory in
      let place = nodes.firstIndex { $0 == memory.nodeID }
      forEachReservedRegion { reserved in
        guard let shared = memory.range.intersection(reserved.range) else { return }
        all &+= shared.byteCount
        low &+= shared.intersection(lowMemory)?.byteCount ?? 0
        if let place { byNode[place] &+= shared.byteCount }
      }
    }
    return (low, all, byNode)
  }
}
