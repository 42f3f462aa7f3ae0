import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Lists that outgrow the value, and find no place to go.
@Suite(.namesCombination)
struct MemblockGrowthTests {
  static func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
  }

  @Test("a thousand regions in each list", arguments: [4, 12, 16])
  func growth(shift: Int) throws {
    let page: UInt64 = 1 << UInt64(shift)
    let memory = try AnonymousMemory(Self.range(1 << 20, 64 << 20))
    var memblock = Memblock(in: memory, geometry: PageGeometry(shift: shift))
    try memblock.add(memory.range)
    memblock.accessible = memory.range
    var moves = 0
    var storage: PhysicalRange?
    try withEvery("region", in: 0..<1000 as Range<UInt64>) { index in
      // Where nothing is, so that the lists have all that is there to themselves.
      try memblock.reserve(Self.range((1 << 41) + index * 4 * page, page))
      try memblock.add(Self.range((1 << 40) + index * 4 * page, page))
      if memblock.reservedListStorage != storage { moves += 1 }
      storage = memblock.reservedListStorage
    }
    #expect(moves == (shift == 16 ? 1 : 3), "room for 256, 512, 1024; more in a large page")
    try memblock.validate()
    #expect(memblock.memoryRegionCount == 1001)
    let lists = [memblock.memoryListStorage, memblock.reservedListStorage].compactMap(\.self)
    try #require(lists.count == 2)
    #expect(memblock.reservedByteCount == 1000 * page + lists.reduce(0) { $0 + $1.byteCount })
    for list in lists {
      #expect(list.byteCount % page == 0)
      #expect(memblock.isReserved(list) == true)
      #expect(throws: MemblockError.holdsRegionList(list)) { try memblock.free(list) }
      #expect(throws: MemblockError.holdsRegionList(list)) { try memblock.reserve(list) }
      #expect(throws: MemblockError.holdsRegionList(list)) { try memblock.remove(list) }
      #expect(throws: MemblockError.holdsRegionList(list)) { try memblock.mark(list, .noMap) }
    }
    for index in 0..<1000 as Range<UInt64> {
      try memblock.free(Self.range((1 << 41) + index * 4 * page, page))
    }
    #expect(memblock.reservedByteCount == lists.reduce(0) { $0 + $1.byteCount })
    try memblock.validate()
  }

  @Test("a full list without memory for a larger one refuses, and nothing has changed")
  func noRoom() throws {
    let memory = try AnonymousMemory(Self.range(0, 4096))
    let geometry = PageGeometry(shift: 6)
    // Each list full, and free memory of none up to just enough pages for one list, or for both.
    try withEvery("free pages", in: 0...9 as ClosedRange<Int>) { pageCount in
      try withEvery("step", in: [0, 1, 2, 3]) { step in
        var memblock = Memblock(in: memory, geometry: geometry, capacity: 4)
        var model = MemblockModel(granule: 64, count: 64)
        for step in [
          MemblockStep.add(1..<40, node: 0, []), .add(44..<48, node: 0, []),
          .add(50..<52, node: 0, []), .add(54..<56, node: 0, []),
          .reserve(pageCount + 1..<40, []), .reserve(44..<48, []), .reserve(50..<52, []),
          .reserve(54..<56, []),
        ] {
          try step.take(&memblock, &model)
        }
        try #require(memblock.memoryRegionCount == 4)
        try #require(memblock.reservedRegionCount == 4)
        let steps: [MemblockStep] = [
          .add(60..<61, node: 0, []), .reserve(60..<61, []), .free(45..<46), .setNode(45..<46, 1),
        ]
        let before = model
        try steps[step].take(&memblock, &model)
        try model.check(memblock)
        // A list for 8 regions takes 192 bytes, three pages; that of memory needs the other first.
        let isReservation = step == 1 || step == 2
        try #require((model == before) == (pageCount < (isReservation ? 3 : 6)))
      }
    }
  }

  @Test("a list never moves into what is about to be reserved or lost")
  func avoidance() throws {
    let memory = try AnonymousMemory(Self.range(0, 4096))
    try withEvery("start", in: 1..<40) { start in
      var memblock = Memblock(in: memory, geometry: PageGeometry(shift: 6), capacity: 4)
      var model = MemblockModel(granule: 64, count: 64)
      try MemblockStep.add(1..<44, node: 0, []).take(&memblock, &model)
      for page in [50, 52, 54, 56] {
        try MemblockStep.reserve(page..<page + 1, []).take(&memblock, &model)
      }
      try MemblockStep.reserve(start..<start + 3, []).take(&memblock, &model)
      try model.check(memblock)
      try #require(memblock.isReserved(model.range(start..<start + 3)) == true)
    }
  }

  @Test("in scratch-only mode lists move into scratch")
  func scratchOnly() throws {
    let memory = try AnonymousMemory(Self.range(0, 1 << 16))
    var memblock = Memblock(in: memory, geometry: .pages4KiB, capacity: 4)
    try memblock.add(memory.range)
    let scratch = Self.range(0x4000, 0x2000)
    try memblock.mark(scratch, .scratch)
    memblock.isScratchOnly = true
    for index in 0..<8 as Range<UInt64> {
      try memblock.reserve(Self.range((1 << 30) + index * 8192, 4096), flags: .preserved)
    }
    let list = memblock.reservedListStorage
    let storage = try #require(list)
    #expect(scratch.contains(storage))
    _ = try memblock.allocate(MemblockRequest(byteCount: 4096))
    #expect(throws: MemblockError.outOfMemory(byteCount: 1)) {
      try memblock.allocate(MemblockRequest(byteCount: 1))
    }
    memblock.isScratchOnly = false
    let range = try memblock.allocate(MemblockRequest(byteCount: 4096))
    #expect(!scratch.overlaps(range))
    try memblock.validate()
  }
}
