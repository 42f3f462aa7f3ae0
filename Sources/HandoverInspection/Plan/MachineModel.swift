public import Handover
public import MemoryAccess
public import PageAllocation

/// A machine for which a handover is planned: its memory, on which NUMA nodes, and what boot allocates.
///
///     0                4 GiB                                              memory
///     ├─────────────── node 0 ─────────────┤├────────────── node 1 ───────┤
///      ├ boot, low ┤   ├ boot, above ┤       ├ boot, above ┤
///
/// If the memory map is unknown, the model's memory begins at 0 and has no holes, and its nodes are equally large.
public struct MachineModel: Sendable {
  /// The most NUMA nodes of a machine whose memory map is not known.
  public static let nodeLimit = 16

  /// The ranges of memory, by address, each with its node.
  public let memory: [(node: NodeID, range: PhysicalRange)]
  /// The page size.
  public let geometry: PageGeometry
  /// How the kernel computes the sizes of scratch areas.
  public let rules: ScratchRules
  /// The end of the memory that devices with short addresses reach.
  public let lowLimit: PhysicalAddress
  /// What boot allocates; nil if it is unknown.
  public let boot: BootAllocations?

  /// The nodes that have memory, in the order in which they first appear.
  public let nodes: [NodeID]

  /// The memory, in bytes.
  public var memoryByteCount: UInt64 { memory.reduce(0) { $0 &+ $1.range.byteCount } }
  /// The number of nodes that have memory.
  public var nodeCount: Int { nodes.count }

  /// A machine of `nodeCount` equal nodes.
  ///
  /// - Parameters:
  ///   - memoryByteCount: the memory, in bytes.
  ///   - nodeCount: the number of NUMA nodes.
  ///   - geometry: the page size.
  ///   - rules: how the kernel computes scratch areas; nil for the newest known release.
  ///   - boot: what boot allocates; nil if it is unknown.
  /// - Precondition: `memoryByteCount` is at most 2^52, and `nodeCount` is in 1…``nodeLimit``.
  public init(
    memoryByteCount: UInt64, nodeCount: Int, geometry: PageGeometry,
    rules: ScratchRules? = nil, boot: BootAllocations? = nil
  ) {
    precondition(memoryByteCount <= 1 << 52, "more than 2^52 bytes of memory")
    precondition((1...Self.nodeLimit).contains(nodeCount), "no node, or more than 16")
    self.init(
      memory: Self.equalNodes(memoryByteCount, nodeCount, geometry), geometry: geometry,
      rules: rules, lowLimit: ScratchPlan.standardLowLimit, boot: boot)
  }

  /// A machine with the given memory map; what overlaps an earlier range, or is less than a page, is left
  /// out.
  ///
  /// - Parameters:
  ///   - memory: the ranges of memory, each with its node, in any order.
  ///   - geometry: the page size.
  ///   - rules: how the kernel computes scratch areas; nil for the newest known release.
  ///   - lowLimit: the end of the memory that devices with short addresses reach.
  ///   - boot: what boot allocates; nil if it is unknown.
  /// - Precondition: every range ends below 2^62.
  /// - Complexity: O(n log n) for n ranges.
  public init(
    memory: [(node: NodeID, range: PhysicalRange)], geometry: PageGeometry,
    rules: ScratchRules? = nil, lowLimit: PhysicalAddress, boot: BootAllocations? = nil
  ) {
    var kept: [(node: NodeID, range: PhysicalRange)] = []
    for (node, range) in memory.sorted(by: { $0.range.start < $1.range.start }) {
      let start = max(range.start, kept.last.map(\.range.end) ?? .zero)
      let mask = UInt64(geometry.pageByteCount) - 1
      let first = (start.rawValue + mask) & ~mask
      let end = range.end.rawValue & ~mask
      guard first < end else { continue }
      kept.append((node, PhysicalRange(start: PhysicalAddress(first), byteCount: end - first)))
    }
    self.memory = kept
    self.geometry = geometry
    self.rules = rules ?? ScratchRules(nil, geometry)
    self.lowLimit = lowLimit
    self.boot = boot
    var nodes: [NodeID] = []
    for (node, _) in kept where !nodes.contains(node) { nodes.append(node) }
    self.nodes = nodes
  }

  /// How many bytes of memory each node has.
  public var nodeByteCounts: [UInt64] {
    nodes.map { node in memory.reduce(0) { $1.node == node ? $0 &+ $1.range.byteCount : $0 } }
  }

  /// How many bytes of memory are not low.
  public var highByteCount: UInt64 { highMemory.reduce(0) { $0 &+ $1.range.byteCount } }

  /// The same machine, with what boot allocates.
  public func booting(with boot: BootAllocations) -> MachineModel {
    MachineModel(memory: memory, geometry: geometry, rules: rules, lowLimit: lowLimit, boot: boot)
  }

  /// The areas that `request` makes.
  ///
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` if they, or what boot reserves, do not fit.
  public func areas(_ request: ScratchRequest) throws(MemblockError) -> ScratchAreas {
    let plan = try sizes(request)
    var memblock = try self.memblock()
    return ScratchAreas(plan: plan, areas: try plan.place(in: &memblock))
  }

  /// How large the areas are that `request` asks for.
  ///
  /// - Throws: `MemblockError.outOfMemory(byteCount:)` of sizes beyond 2^62.
  public func sizes(_ request: ScratchRequest) throws(MemblockError) -> ScratchPlan {
    try rules.plan(
      request, for: boot ?? BootAllocations(low: 0, high: 0, byNode: nodes.map { _ in 0 }),
      nodes: nodes, lowLimit: lowLimit)
  }

  private func memblock() throws(MemblockError) -> Memblock<NoMemory> {
    // Each range, each part of boot's memory and each area cuts two regions: never full.
    var memblock = Memblock(
      in: NoMemory(), geometry: geometry, capacity: 128 + 4 * memory.count + 4 * nodes.count)
    for (node, range) in memory { try memblock.add(range, nodeID: node) }
    guard let boot else { return memblock }
    // Firmware and boot loader use the first MiB.
    try reserve(
      boot.low, in: lowMemory.map(\.range), above: PhysicalAddress(1 << 20), of: &memblock)
    guard boot.high > 0 else { return memblock }
    let above = highMemory
    guard !above.isEmpty else { throw .outOfMemory(byteCount: boot.high) }
    var rest = boot.high
    let whole = highByteCount
    for (_, range) in above.dropLast() {
      let share = whole.dividingFullWidth(boot.high.multipliedFullWidth(by: range.byteCount))
      let part = min(share.quotient, rest)
      try reserve(part, in: [range], above: .zero, of: &memblock)
      rest -= part
    }
    try reserve(rest, in: above.suffix(1).map(\.range), above: .zero, of: &memblock)
    return memblock
  }

  /// Reserves the first bytes of `ranges`.
  private func reserve(
    _ byteCount: UInt64, in ranges: [PhysicalRange], above start: PhysicalAddress,
    of memblock: inout Memblock<NoMemory>
  ) throws(MemblockError) {
    var rest = byteCount
    for range in ranges where rest > 0 {
      let first = max(range.start, start)
      guard first < range.end else { continue }
      let part = min(rest, range.end.rawValue - first.rawValue)
      try memblock.reserve(PhysicalRange(start: first, byteCount: part))
      rest -= part
    }
    guard rest == 0 else { throw .outOfMemory(byteCount: byteCount) }
  }

  private var lowMemory: [(node: NodeID, range: PhysicalRange)] {
    let low = PhysicalRange(start: .zero, byteCount: lowLimit.rawValue)
    return memory.compactMap { node, range in range.intersection(low).map { (node, $0) } }
  }

  private var highMemory: [(node: NodeID, range: PhysicalRange)] {
    let high = PhysicalRange(start: lowLimit, byteCount: (1 << 62) - lowLimit.rawValue)
    return memory.compactMap { node, range in range.intersection(high).map { (node, $0) } }
  }

  private static func equalNodes(
    _ memoryByteCount: UInt64, _ nodeCount: Int, _ geometry: PageGeometry
  ) -> [(node: NodeID, range: PhysicalRange)] {
    let pages = memoryByteCount >> UInt64(geometry.shift)
    let count = UInt64(nodeCount)
    return (0..<nodeCount).map { index in
      let start = pages / count * UInt64(index)
      let end = index == nodeCount - 1 ? pages : pages / count * UInt64(index + 1)
      let range = PhysicalRange(
        start: PhysicalAddress(start << UInt64(geometry.shift)),
        byteCount: (end - start) << UInt64(geometry.shift))
      return (NodeID(UInt32(index)), range)
    }
  }
}

extension PhysicalRange {
  /// One past the last byte of a range below 2^63.
  fileprivate var end: PhysicalAddress { PhysicalAddress(start.rawValue &+ byteCount) }
}

/// The areas of a machine, and how large they were to be.
public struct ScratchAreas: Sendable {
  /// How large the areas were to be.
  public let plan: ScratchPlan
  /// The areas that have a size, in the order of the array that Linux passes on.
  public let areas: [ScratchArea]

  /// What the areas take in all, in bytes.
  public var byteCount: UInt64 { areas.reduce(0) { $0 + $1.range.byteCount } }

  /// Each area with its name, in the order of the array.
  public var named: [(name: String, range: PhysicalRange)] {
    var names: [String] = []
    if plan.lowByteCount > 0 { names.append("low") }
    if plan.globalByteCount > 0 { names.append("global") }
    for node in plan.nodeByteCounts where node.byteCount > 0 {
      names.append("node \(node.nodeID.rawValue)")
    }
    return Array(zip(names, areas.map(\.range)))
  }
}

/// The memory of a machine that exists in numbers only: nothing can be read or written.
private struct NoMemory: WritablePhysicalMemory {
  var byteCount: UInt64 { 0 }

  func contains(_ range: PhysicalRange) -> Bool { range.isEmpty }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? { nil }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? { nil }

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result { preconditionFailure("memory that is not there") }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result { preconditionFailure("memory that is not there") }
}
