import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages
import Testing

/// Large blocks, the edges of what is managed, and a structure made of pages that runs out of them.
@Suite(.namesCombination)
struct BuddyEdgeTests {
  static let map = PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 1 << 21)

  @Test("blocks of 4 GiB and more", arguments: [20, 21, 22])
  func largeOrders(order: Int) throws {
    let memory = ClaimingMemory(try AnonymousMemory(Self.map), claiming: nil)
    let start: UInt64 = 1 << 22
    let count: UInt64 = 1 << 22
    var allocator = BuddyAllocator(
      in: memory, geometry: .pages4KiB, covering: FrameRange(start..<start + count),
      maximumOrder: PageOrder(order),
      mapAt: Self.map.start)
    #expect(allocator.mapRange.byteCount < 3 * count / 8 + count / 64, "three bits a frame")
    allocator.manageFree(FrameRange(start..<start + count))
    #expect(allocator.freeBlockCount(PageOrder(order)) == count >> UInt64(order))
    let block = try allocator.allocate(PageOrder(order))
    #expect(block.address == PhysicalAddress(start << 12))
    let last = try? allocator.allocate(PageOrder(order))
    #expect(last?.address.rawValue == (order == 22 ? nil : (start + 1 << UInt64(order)) << 12))
    try allocator.free(block)
    if let last { try allocator.free(last) }
    let page = try allocator.allocate(.zero)
    #expect(allocator.freeFrameCount == count - 1)
    #expect(allocator.freeBlockCount(PageOrder(order - 1)) == 1)
    try allocator.free(page)
    #expect(allocator.freeBlockCount(PageOrder(order)) == count >> UInt64(order))
    #expect(allocator.freeBlockCount(PageOrder(order - 1)) == 0)
    try allocator.validate()
  }

  @Test("frame 0 and the map's own frames are never managed")
  func ownFrames() throws {
    let memory = try AnonymousMemory(PhysicalRange(start: .zero, byteCount: 1 << 20))
    var allocator = BuddyAllocator(
      in: memory, geometry: .pages4KiB, covering: FrameRange(0..<256),
      mapAt: PhysicalAddress(0x8000))
    allocator.manageFree(FrameRange(0..<300))
    let mapFrames = FrameRange(within: allocator.mapRange, in: .pages4KiB)
    #expect(mapFrames == FrameRange(8..<9))
    #expect(allocator.managedFrameCount == 254)
    for frame in [0, 8, 256, 1 << 52] as [UInt64] {
      #expect(allocator.isManaged(FrameNumber(frame)) == false)
      #expect(allocator.isFree(FrameNumber(frame)) == false)
      expectRefusal(.notManaged(FrameNumber(frame)), &allocator, FrameRange(frame..<frame + 1))
    }
    expectRefusal(.alreadyFree(FrameNumber(1)), &allocator, FrameRange(1..<2))
    #expect(allocator.largestFreeOrder == PageOrder(7))
    var taken: Set<PhysicalAddress> = []
    while let frame = allocator.takeFrame() {
      #expect(taken.insert(frame).inserted)
      #expect(memory.snapshot(of: PageGeometry.pages4KiB.page(at: frame)).allSatisfy { $0 == 0 })
      memory.setWord(.max, at: frame.rawValue)
    }
    #expect(taken.count == 254)
    #expect(allocator.freeFrameCount == 0)
    #expect(allocator.largestFreeOrder == nil)
    #expect(allocator.fragmentation(PageOrder(3)) == 0)
    for frame in taken { allocator.giveBack(frame) }
    #expect(allocator.freeFrameCount == 254)
    try allocator.validate()
  }

  private func expectRefusal<Memory>(
    _ expected: BuddyAllocatorError, _ allocator: inout BuddyAllocator<Memory>, _ range: FrameRange
  ) {
    do throws(BuddyAllocatorError) {
      try allocator.free(range)
      Issue.record("freed \(range)")
    } catch {
      #expect(error == expected)
    }
  }

  @Test("a tree that runs out at every frame in turn gives all back", arguments: [4, 6, 12, 16])
  func treeWithoutFrames(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let pageCount: UInt64 = 200
    let range = PhysicalRange(
      start: PhysicalAddress(1 << 20), byteCount: max(4096, pageCount << UInt64(shift)))
    let memory = ClaimingMemory(try AnonymousMemory(range), claiming: nil)
    try withEvery("free frames", in: 0..<80 as Range<Int>) { count in
      var frames = try BuddyAllocator(
        free: CollectionOfOne(FrameRange(within: range, in: geometry)), in: memory,
        geometry: geometry)
      let rest = frames.freeFrameCount
      for _ in count..<Int(rest) { _ = frames.takeFrame() }
      try #require(frames.freeFrameCount == UInt64(count))
      guard count > 0 else {
        try #require(frames.takeFrame() == nil)
        return
      }
      var tree = try RadixTree(in: memory, geometry: RadixGeometry(geometry), from: &frames)
      let keys = [
        RadixKey(PhysicalAddress(1 << 30), order: .zero, in: geometry),
        RadixKey(PhysicalAddress(1 << 40), order: PageOrder(9), in: geometry),
      ]
      for key in keys {
        let before = frames.freeFrameCount
        do throws(RadixTreeError) {
          try tree.insert(key, from: &frames)
        } catch {
          try #require(frames.freeFrameCount == before)
          try #require(tree.contains(key) == false)
        }
        try frames.validate()
      }
      try tree.validate()
      try #require(tree.destroy(into: &frames) > 0)
      try #require(frames.freeFrameCount == UInt64(count))
      try frames.validate()
    }
  }

  @Test("no range has room for the map, or no range exists")
  func noRoomForMap() throws {
    let memory = try AnonymousMemory(PhysicalRange(start: .zero, byteCount: 1 << 16))
    let cases: [([FrameRange], UInt64)] = [
      ([], 0), ([FrameRange(3..<3)], 0), ([FrameRange(0..<1)], 0),
      ([FrameRange(0..<2), FrameRange(4..<5)], 32),
    ]
    for (ranges, byteCount) in cases {
      #expect(throws: BuddyAllocatorError.noRoomForMap(byteCount: byteCount)) {
        _ = try BuddyAllocator(
          free: ranges, in: memory, geometry: PageGeometry(shift: 4),
          maximumOrder: PageOrder(2))
      }
    }
    // With one frame more the map has its place, and frame 0 still has no owner.
    let allocator = try BuddyAllocator(
      free: [FrameRange(8..<13), FrameRange(0..<2), FrameRange(9..<14)], in: memory,
      geometry: PageGeometry(shift: 4), maximumOrder: PageOrder(2))
    let own = FrameRange(within: allocator.mapRange, in: PageGeometry(shift: 4))
    #expect(own.start == FrameNumber(8))
    #expect(allocator.managedFrameCount == 7 - own.frameCount)
    #expect(allocator.freeFrameCount == allocator.managedFrameCount)
    try allocator.validate()
  }
}
