import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Random steps and requests, put to the early allocator and to the model.
@Suite(.namesCombination)
struct MemblockModelTests {
  @Test("random steps, with lists that outgrow the value", arguments: [4, 5, 6, 12, 14, 16])
  func randomSteps(shift: Int) throws {
    let isToy = shift < 12
    // A toy's lists take many pages.
    let granuleCount = isToy ? 320 : 128
    let granule: UInt64 = 1 << UInt64(shift - 1)
    let byteCount = max(4096, UInt64(granuleCount) * granule)
    let memory = try AnonymousMemory(PhysicalRange(start: .zero, byteCount: byteCount))
    try withEvery("seed", in: 1...(isToy ? 12 : 6) as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var memblock = Memblock(in: memory, geometry: PageGeometry(shift: shift), capacity: 4)
      var model = MemblockModel(granule: granule, count: granuleCount)
      if seed % 3 != 0 {
        try MemblockStep.add(0..<granuleCount, node: 0, []).take(&memblock, &model)
      }
      try withEvery("step", in: 0..<150) { _ in
        if generator.isOne(in: 3) {
          try allocate(&memblock, &model, using: &generator)
        } else {
          try Self.step(granuleCount, using: &generator).take(&memblock, &model)
        }
        try model.check(memblock)
        try question(memblock, model, using: &generator)
      }
    }
  }

  static func range(_ count: Int, using generator: inout SeededGenerator) -> Range<Int> {
    let start = generator.index(below: count)
    let length = 1 + generator.index(below: generator.isOne(in: 8) ? count : 6)
    return start..<min(count, start + length)
  }

  static func step(_ count: Int, using generator: inout SeededGenerator) -> MemblockStep {
    let granules = range(count, using: &generator)
    let flags: [RegionFlags] = [[], .hotplug, .mirror, .noMap, .scratch, [.mirror, .scratch]]
    switch generator.index(below: 16) {
    case 0..<3: return .add(granules, node: generator.pick([nil, 0, 1]), generator.pick(flags))
    case 3: return .remove(granules)
    case 4..<9: return .reserve(granules, generator.pick([[], .preserved]))
    case 9..<12: return .free(granules)
    case 12..<14:
      return .mark(granules, generator.pick(flags), clearing: generator.pick(flags))
    default: return .setNode(granules, generator.pick([nil, 0, 1]))
    }
  }

  private func allocate(
    _ memblock: inout Memblock<AnonymousMemory>, _ model: inout MemblockModel,
    using generator: inout SeededGenerator
  ) throws {
    let shift = memblock.geometry.shift
    var request = MemblockRequest(
      byteCount: UInt64(1 + generator.index(below: 8)) * model.granule,
      log2Alignment: generator.pick([nil, shift - 1, shift, shift + 1, shift + 3]),
      node: generator.pick([
        .any, .any, .only(NodeID(0)), .only(NodeID(1)), .preferred(NodeID(1)),
        .preferred(NodeID(7)), .only(NodeID(7)),
      ]),
      direction: generator.pick([.topDown, .bottomUp]),
      required: generator.pick([[], [], [], .mirror]))
    if generator.isOne(in: 3) { request.excluded = .noMap }
    if generator.isOne(in: 3) {
      request.range = model.range(Self.range(model.memory.count, using: &generator))
    }
    memblock.isScratchOnly = generator.isOne(in: 4)
    // The model knows nothing of the lists' pages.
    var withLists = model
    for storage in [memblock.memoryListStorage, memblock.reservedListStorage] {
      for index in storage.map(model.granules) ?? 0..<0 { withLists.reserved[index] = .init() }
    }
    let expected = withLists.firstFit(
      request, isScratchOnly: memblock.isScratchOnly, shift: shift)
    try #require(memblock.firstFit(request) == expected)
    do {
      let range = try memblock.allocate(request, flags: .preserved)
      try #require(range == expected)
      model.reserve(model.granules(range), .init(flags: .preserved))
    } catch MemblockError.outOfMemory(let byteCount) {
      try #require(expected == nil)
      try #require(byteCount == request.byteCount)
    } catch MemblockError.listFull(let list) {
      try #require(list == .reserved)
    }
    memblock.isScratchOnly = false
  }

  private func question(
    _ memblock: borrowing Memblock<AnonymousMemory>, _ model: MemblockModel,
    using generator: inout SeededGenerator
  ) throws {
    let granules = Self.range(model.memory.count, using: &generator)
    let range = model.range(granules)
    let lists = [memblock.memoryListStorage, memblock.reservedListStorage]
    func isReserved(_ index: Int) -> Bool {
      model.reserved[index] != nil
        || lists.contains { $0.map { model.granules($0).contains(index) } ?? false }
    }
    try #require(memblock.isReserved(range) == granules.allSatisfy(isReserved))
    try #require(memblock.overlapsReserved(range) == granules.contains(where: isReserved))
    try #require(memblock.isReserved(range.start) == isReserved(granules.lowerBound))
    try #require(memblock.isMemory(range) == granules.allSatisfy { model.memory[$0] != nil })
    try #require(memblock.overlapsMemory(range) == granules.contains { model.memory[$0] != nil })
    let region = memblock.memoryRegion(at: range.start)
    let attributes = model.memory[granules.lowerBound]
    try #require(
      region.map { MemblockModel.Attributes(nodeID: $0.nodeID, flags: $0.flags) } == attributes)
    let filter = RegionFilter(
      nodeID: generator.pick([nil, NodeID(0), NodeID(1)]),
      required: generator.pick([[], .scratch]), excluded: generator.pick([[], .mirror]))
    var expected: UInt64 = 0
    for index in 0..<model.memory.count {
      guard let memory = model.memory[index], !isReserved(index),
        filter.nodeID == nil || memory.nodeID == filter.nodeID,
        memory.flags.isSuperset(of: filter.required),
        memory.flags.isDisjoint(with: filter.excluded)
      else { continue }
      expected += model.granule
    }
    try #require(memblock.freeByteCount(filter) == expected)
  }
}
