import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Region lists that begin in the caller's storage.
@Suite(.namesCombination)
struct MemblockStorageTests {
  @Test(
    "storage of every size holds what it has room for, then the lists move", arguments: 192...420)
  func everySize(byteCount: Int) throws {
    let memory = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 1 << 20))
    // Guarded on both sides.
    let guarded = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount + 16, alignment: 8)
    defer { unsafe guarded.deallocate() }
    unsafe guarded.initializeMemory(as: UInt8.self, repeating: 0xa5)
    let storage = unsafe UnsafeMutableRawBufferPointer(rebasing: guarded[8..<8 + byteCount])
    var memblock = unsafe Memblock(in: memory, geometry: .pages4KiB, storage: storage)
    try memblock.add(memory.range)
    let capacity = memblock.reservedRegionCapacity
    #expect(capacity == byteCount / 2 / 24)
    for index in 0..<UInt64(capacity) {
      try memblock.reserve(
        PhysicalRange(start: PhysicalAddress((1 << 40) + index * 8192), byteCount: 4096))
    }
    #expect(memblock.reservedListStorage == nil)
    try memblock.reserve(PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 4096))
    #expect(memblock.reservedListStorage != nil)
    try memblock.validate()
    #expect(unsafe guarded[..<8].allSatisfy { $0 == 0xa5 })
    #expect(unsafe guarded[(8 + byteCount)...].allSatisfy { $0 == 0xa5 })
  }

  @Test("random order: the regions stay sorted while they are moved up and down")
  func randomOrder() throws {
    let memory = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 1 << 22))
    var generator = SeededGenerator(seed: 9)
    var memblock = Memblock(in: memory, geometry: .pages4KiB, capacity: 4)
    try memblock.add(memory.range)
    memblock.accessible = memory.range
    let order = Array(0..<2000 as Range<UInt64>).shuffled(using: &generator)
    func range(_ index: UInt64) -> PhysicalRange {
      PhysicalRange(start: PhysicalAddress((1 << 40) + index * 8192), byteCount: 4096)
    }
    for index in order { try memblock.reserve(range(index)) }
    try memblock.validate()
    var starts: [PhysicalAddress] = []
    memblock.forEachReservedRegion {
      if $0.range.start.rawValue >> 40 != 0 { starts.append($0.range.start) }
    }
    #expect(starts == (0..<2000).map { range($0).start })
    for index in order.reversed() { try memblock.free(range(index)) }
    try memblock.validate()
    #expect(memblock.reservedRegionCount == 1, "the list's own pages")
  }
}
