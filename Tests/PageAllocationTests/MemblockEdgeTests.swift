import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Both ends of the address space, and of what is asked for.
struct MemblockEdgeTests {
  private func memblock() throws -> Memblock<AnonymousMemory> {
    let memory = try AnonymousMemory(MemblockGrowthTests.range(0, 4096))
    return Memblock(in: memory, geometry: .pages4KiB, capacity: 4)
  }

  @Test("the first page is never handed out, the last byte can be memory")
  func bothEnds() throws {
    var memblock = try memblock()
    let top = UInt64.max - 0xfff
    try memblock.add(MemblockGrowthTests.range(0, 0x2000))
    try memblock.add(MemblockGrowthTests.range(top, 0x1000))
    #expect(memblock.memoryBounds == MemblockGrowthTests.range(0, .max))
    let low = try memblock.allocate(MemblockRequest(byteCount: 4096, direction: .bottomUp))
    #expect(low == MemblockGrowthTests.range(0x1000, 0x1000))
    // All but the last byte can be accessed at first, so an aligned page does not fit there.
    #expect(throws: MemblockError.outOfMemory(byteCount: 4096)) {
      try memblock.allocate(MemblockRequest(byteCount: 4096))
    }
    memblock.accessible = MemblockGrowthTests.range(1, .max)
    let high = try memblock.allocate(MemblockRequest(byteCount: 4096))
    #expect(high == MemblockGrowthTests.range(top, 0x1000))
    #expect(memblock.freeByteCount() == 4096, "the first page")
    try memblock.free(high)
    try memblock.validate()
  }

  @Test("all 2^64 bytes are two regions, since no length holds them")
  func wholeAddressSpace() throws {
    for parts in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1], [2, 0, 1]] {
      var memblock = try memblock()
      let ranges = [
        MemblockGrowthTests.range(0, 1 << 63), MemblockGrowthTests.range(1 << 63, 1 << 62),
        MemblockGrowthTests.range(3 << 62, 1 << 62),
      ]
      for part in parts {
        try memblock.add(ranges[part])
        try memblock.reserve(ranges[part], flags: .preserved)
      }
      try memblock.validate()
      #expect(memblock.memoryRegionCount == 2)
      #expect(memblock.memoryByteCount == .max)
      #expect(memblock.isMemory(ranges[2]) == true)
      #expect(memblock.isReserved(PhysicalAddress(.max)) == true)
      #expect(memblock.freeByteCount() == 0)
      try memblock.free(MemblockGrowthTests.range(.max, 1))
      try memblock.free(MemblockGrowthTests.range(0, 1))
      try memblock.remove(MemblockGrowthTests.range(1, .max))
      try memblock.validate()
      #expect(memblock.memoryByteCount == 1)
      #expect(memblock.isReserved(PhysicalAddress(.max)) == false)
    }
  }

  @Test("a full list takes what joins a neighbour")
  func joinsWhenFull() throws {
    var memblock = try memblock()
    for index in 0..<4 as Range<UInt64> {
      try memblock.reserve(MemblockGrowthTests.range(index * 0x100, 0x10))
    }
    #expect(throws: MemblockError.listFull(.reserved)) {
      try memblock.reserve(MemblockGrowthTests.range(0x1000, 1))
    }
    try memblock.reserve(MemblockGrowthTests.range(0x10, 0x10))
    try memblock.reserve(MemblockGrowthTests.range(0xf0, 0x10))
    try memblock.reserve(MemblockGrowthTests.range(0, 0x310))
    #expect(memblock.reservedRegionCount == 1)
    // The very top, where joining is not predicted.
    try memblock.reserve(MemblockGrowthTests.range(.max, 1))
    #expect(memblock.reservedRegionCount == 2)
    try memblock.validate()
  }

  @Test("empty ranges change nothing and are never refused")
  func emptyRanges() throws {
    var memblock = try memblock()
    let empty = MemblockGrowthTests.range(0x1000, 0)
    try memblock.add(empty)
    try memblock.reserve(empty)
    try memblock.free(empty)
    try memblock.remove(empty)
    try memblock.mark(empty, .scratch)
    try memblock.setNode(nil, of: empty)
    #expect(memblock.memoryRegionCount == 0)
    #expect(memblock.reservedRegionCount == 0)
    #expect(memblock.memoryBounds == nil)
    #expect(memblock.isMemory(empty) == true)
    #expect(memblock.overlapsMemory(empty) == false)
    #expect(memblock.firstFit(MemblockRequest(byteCount: .max)) == nil)
  }
}
