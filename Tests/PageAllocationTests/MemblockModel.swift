import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// The early allocator done the obvious way: for each granule of a small address space, what it is.
struct MemblockModel: Equatable {
  struct Attributes: Equatable {
    var nodeID: NodeID?
    var flags: RegionFlags = []
  }

  /// The smallest unit of addresses, in bytes; a power of two.
  let granule: UInt64
  var memory: [Attributes?]
  var reserved: [Attributes?]

  init(granule: UInt64, count: Int) {
    self.granule = granule
    memory = Array(repeating: nil, count: count)
    reserved = Array(repeating: nil, count: count)
  }

  func range(_ granules: Range<Int>) -> PhysicalRange {
    PhysicalRange(
      start: PhysicalAddress(UInt64(granules.lowerBound) * granule),
      byteCount: UInt64(granules.count) * granule)
  }

  func granules(_ range: PhysicalRange) -> Range<Int> {
    let start = Int(range.start.rawValue / granule)
    return start..<start + Int(range.byteCount / granule)
  }

  mutating func add(_ granules: Range<Int>, _ attributes: Attributes) {
    for index in granules where memory[index] == nil { memory[index] = attributes }
  }

  mutating func reserve(_ granules: Range<Int>, _ attributes: Attributes = Attributes()) {
    for index in granules where reserved[index] == nil { reserved[index] = attributes }
  }

  /// The longest runs of granules that are alike.
  func regions(_ granules: [Attributes?]) -> [MemoryRegion] {
    var regions: [MemoryRegion] = []
    var start = 0
    for index in 1...granules.count
    where index == granules.count || granules[index] != granules[start] {
      if let attributes = granules[start] {
        regions.append(
          MemoryRegion(
            range(start..<index), nodeID: attributes.nodeID, flags: attributes.flags))
      }
      start = index
    }
    return regions
  }

  /// Where memory would be taken from, found by trying every place.
  func firstFit(_ request: MemblockRequest, isScratchOnly: Bool, shift: Int) -> PhysicalRange? {
    var nodes: [NodeID?]
    switch request.node {
    case .any: nodes = [nil]
    case .only(let node): nodes = [node]
    case .preferred(let node): nodes = [node, nil]
    }
    let count = Int(request.byteCount / granule)
    let alignment: UInt64 = 1 << UInt64(request.log2Alignment ?? shift)
    guard count <= memory.count else { return nil }
    let starts = Array(0...memory.count - count)
    for node in nodes {
      for start in request.direction == .topDown ? starts.reversed() : starts {
        let place = range(start..<start + count)
        if place.start.rawValue % alignment != 0 || start < Int((1 << UInt64(shift)) / granule) {
          continue
        }
        if let bounds = request.range, !bounds.contains(place) { continue }
        guard let first = memory[start] else { continue }
        let required = request.required.union(isScratchOnly ? .scratch : [])
        let excluded = required.contains(.scratch) ? [] : RegionFlags.scratch
        if !first.flags.isSuperset(of: required)
          || !first.flags.isDisjoint(with: request.excluded.union(excluded))
        {
          continue
        }
        if let node, first.nodeID != node { continue }
        let isFree = (start..<start + count).allSatisfy {
          memory[$0] == first && reserved[$0] == nil
        }
        if isFree { return place }
      }
    }
    return nil
  }

  /// Compares everything `memblock` says with the model.
  func check<Memory>(_ memblock: borrowing Memblock<Memory>) throws {
    var expected = self
    // The allocator chooses where the lists are; the test checks that nothing else is there.
    for storage in [memblock.memoryListStorage, memblock.reservedListStorage] {
      for index in storage.map(granules) ?? 0..<0 {
        try #require(expected.reserved[index] == nil, "a list is in reserved memory")
        try #require(memory[index] != nil, "a list is outside memory")
        expected.reserved[index] = Attributes(flags: .regionList)
      }
    }
    var memoryRegions: [MemoryRegion] = []
    var reservedRegions: [MemoryRegion] = []
    memblock.forEachMemoryRegion { memoryRegions.append($0) }
    memblock.forEachReservedRegion { reservedRegions.append($0) }
    try #require(memoryRegions == regions(memory))
    try #require(reservedRegions == regions(expected.reserved))
    try #require(memblock.memoryRegionCount == memoryRegions.count)
    try #require(memblock.reservedRegionCount == reservedRegions.count)
    // Free: a change of the memory's attributes ends a range as a reservation does.
    var free: [MemoryRegion] = []
    memblock.forEachFreeRange(RegionFilter(excluded: [])) { free.append($0) }
    let freeGranules = zip(memory, expected.reserved).map { $1 == nil ? $0 : nil }
    try #require(free == regions(freeGranules))
    let freeCount = freeGranules.filter { $0 != nil }.count
    try #require(memblock.freeByteCount(RegionFilter(excluded: [])) == UInt64(freeCount) * granule)
    let reservedCount = expected.reserved.filter { $0 != nil }.count
    try #require(memblock.reservedByteCount == UInt64(reservedCount) * granule)
    let memoryCount = memory.filter { $0 != nil }.count
    try #require(memblock.memoryByteCount == UInt64(memoryCount) * granule)
    try memblock.validate()
  }
}

/// One step of a test, put to allocator and model.
enum MemblockStep: Hashable, Sendable {
  case add(Range<Int>, node: UInt32?, RegionFlags)
  case remove(Range<Int>)
  case reserve(Range<Int>, RegionFlags)
  case free(Range<Int>)
  case mark(Range<Int>, RegionFlags, clearing: RegionFlags)
  case setNode(Range<Int>, UInt32?)

  /// Takes the step in both. What the allocator refuses must be what the model says is wrong, or a
  /// lack of room.
  func take<Memory>(
    _ memblock: inout Memblock<Memory>, _ model: inout MemblockModel
  ) throws {
    let before = model
    do {
      try takeUnchecked(&memblock, &model)
    } catch let error as MemblockError {
      model = before
      switch error {
      case .listFull: break
      case .holdsRegionList(let storage):
        try #require(
          storage == memblock.memoryListStorage || storage == memblock.reservedListStorage)
      default: try #require(error == refusal(in: model), "refused: \(self)")
      }
      return
    }
    try #require(refusal(in: before) == nil, "not refused: \(self)")
  }

  private func takeUnchecked<Memory>(
    _ memblock: inout Memblock<Memory>, _ model: inout MemblockModel
  ) throws {
    switch self {
    case .add(let granules, let node, let flags):
      model.add(granules, .init(nodeID: node.map { NodeID($0) }, flags: flags))
      try memblock.add(model.range(granules), nodeID: node.map { NodeID($0) }, flags: flags)
    case .remove(let granules):
      try memblock.remove(model.range(granules))
      for index in granules { model.memory[index] = nil }
    case .reserve(let granules, let flags):
      try memblock.reserve(model.range(granules), flags: flags)
      model.reserve(granules, .init(flags: flags))
    case .free(let granules):
      try memblock.free(model.range(granules))
      for index in granules { model.reserved[index] = nil }
    case .mark(let granules, let flags, let cleared):
      try memblock.mark(model.range(granules), flags, clearing: cleared)
      for index in granules {
        let old = model.memory[index]?.flags ?? []
        model.memory[index]?.flags = old.subtracting(cleared).union(flags)
      }
    case .setNode(let granules, let node):
      try memblock.setNode(node.map { NodeID($0) }, of: model.range(granules))
      for index in granules { model.memory[index]?.nodeID = node.map { NodeID($0) } }
    }
  }

  private func refusal(in model: MemblockModel) -> MemblockError? {
    switch self {
    case .free(let granules) where granules.contains { model.reserved[$0] == nil }:
      .notReserved(model.range(granules))
    case .mark(let granules, _, _) where granules.contains { model.memory[$0] == nil }:
      .notMemory(model.range(granules))
    case .setNode(let granules, _) where granules.contains { model.memory[$0] == nil }:
      .notMemory(model.range(granules))
    default: nil
    }
  }
}
