package import Handover
package import MemoryAccess
package import PageAllocation

/// A machine as `kho plan` knows it: how much memory, on how many NUMA nodes, and how much of it boot
/// reserves.
///
///     0                4 GiB                                              memory
///     ├─────────────── node 0 ─────────────┤├────────────── node 1 ───────┤
///      ├ boot, low ┤   ├ boot, above ┤       ├ boot, above ┤
///
/// Memory begins at 0 and has no holes, the nodes are equally large, and what boot reserves above
/// 4 GiB is spread evenly over those that reach there.
package struct MachineModel {
  package static let nodeLimit = 16

  package let memoryByteCount: UInt64
  package let nodeCount: Int
  package let geometry: PageGeometry
  /// What boot reserves below 4 GiB, and above; nil where it was not given.
  package let boot: (low: UInt64, high: UInt64)?

  package init(
    memoryByteCount: UInt64, nodeCount: Int, geometry: PageGeometry,
    boot: (low: UInt64, high: UInt64)?
  ) {
    self.memoryByteCount = memoryByteCount
    self.nodeCount = nodeCount
    self.geometry = geometry
    self.boot = boot
  }

  /// The areas that `request` makes.
  ///
  /// - Throws: ``MemblockError/outOfMemory(byteCount:)`` where they, or what boot reserves, do not
  ///   fit.
  package func areas(_ request: ScratchRequest) throws(MemblockError) -> ScratchAreas {
    var memblock = try self.memblock()
    let plan = try ScratchPlan(request, for: memblock)
    return ScratchAreas(plan: plan, areas: try plan.place(in: &memblock))
  }

  /// How large the areas are that `request` asks for.
  package func sizes(_ request: ScratchRequest) throws(MemblockError) -> ScratchPlan {
    try ScratchPlan(request, for: memblock())
  }

  private func memblock() throws(MemblockError) -> Memblock<NoMemory> {
    // Two lists of at most 16 nodes and 18 areas, each of which cuts two regions: never full.
    var memblock = Memblock(in: NoMemory(), geometry: geometry, capacity: 128)
    let lowLimit = min(ScratchPlan.standardLowLimit.rawValue, memoryByteCount)
    for index in 0..<nodeCount {
      try memblock.add(range(ofNode: index), nodeID: NodeID(UInt32(index)))
    }
    guard let boot else { return memblock }
    if boot.low > 0 {
      let low = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: boot.low)
      guard let last = low.last, last.rawValue < lowLimit else {
        throw .outOfMemory(byteCount: boot.low)
      }
      try memblock.reserve(low)
    }
    guard boot.high > 0 else { return memblock }
    let above = highRanges
    guard !above.isEmpty else { throw .outOfMemory(byteCount: boot.high) }
    for (index, range) in above.enumerated() {
      let count = UInt64(above.count)
      let share = boot.high / count + (UInt64(index) < boot.high % count ? 1 : 0)
      guard share <= range.byteCount else { throw .outOfMemory(byteCount: share) }
      try memblock.reserve(PhysicalRange(start: range.start, byteCount: share))
    }
    return memblock
  }

  /// What lies above 4 GiB of each node that reaches there.
  private var highRanges: [PhysicalRange] {
    let limit = ScratchPlan.standardLowLimit
    let high = PhysicalRange(start: limit, byteCount: 0 &- limit.rawValue)
    return (0..<nodeCount).compactMap { range(ofNode: $0).intersection(high) }
  }

  private func range(ofNode index: Int) -> PhysicalRange {
    let pages = memoryByteCount >> UInt64(geometry.shift)
    let count = UInt64(nodeCount)
    let start = pages / count * UInt64(index)
    let end = index == nodeCount - 1 ? pages : pages / count * UInt64(index + 1)
    return PhysicalRange(
      start: PhysicalAddress(start << UInt64(geometry.shift)),
      byteCount: (end - start) << UInt64(geometry.shift))
  }
}

/// The areas of a machine, and how large they were to be.
package struct ScratchAreas {
  package let plan: ScratchPlan
  package let areas: [ScratchArea]

  package var byteCount: UInt64 { areas.reduce(0) { $0 + $1.range.byteCount } }

  /// Each area with its name, in the order of the array.
  package var named: [(name: String, range: PhysicalRange)] {
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
