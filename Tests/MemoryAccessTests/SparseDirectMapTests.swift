import HandoverTestSupport
import MemoryAccess
import PageAllocation
import PreservedPages
import Testing

/// A direct map of memory with holes, against the plain answer for each byte.
@Suite(.namesCombination)
struct SparseDirectMapTests {
  /// Ranges in units of 16 bytes, as a boot protocol might list them, and the memory behind them.
  @safe private final class Machine {
    static let unit: UInt64 = 16
    let base: UnsafeMutableRawPointer
    let storage: UnsafeMutableBufferPointer<PhysicalRange>
    let map: SparseDirectMap
    let isMemory: [Bool]

    /// - Parameter start: the physical address of unit 0.
    init(_ ranges: [Range<UInt64>], unitCount: UInt64, start: UInt64 = 0) {
      let byteCount = Int(unitCount * Self.unit)
      unsafe base = .allocate(byteCount: byteCount, alignment: 4096)
      unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      unsafe storage = .allocate(capacity: ranges.count)
      for (index, range) in ranges.enumerated() {
        unsafe storage.initializeElement(
          at: index,
          to: PhysicalRange(
            start: PhysicalAddress(start &+ range.lowerBound * Self.unit),
            byteCount: UInt64(range.count) * Self.unit))
      }
      unsafe map = SparseDirectMap(
        sorting: storage, displacement: UInt(bitPattern: base) &- UInt(start), geometry: .pages4KiB)
      isMemory = (0..<unitCount).map { unit in ranges.contains { $0.contains(unit) } }
    }

    deinit {
      unsafe base.deallocate()
      unsafe storage.deallocate()
    }
  }

  private static let shapes: [[Range<UInt64>]] = [
    [0..<8], [2..<5], [4..<6, 0..<2], [0..<2, 2..<3, 5..<9], [5..<9, 0..<1, 7..<8, 9..<12, 3..<3],
    [0..<1, 2..<3, 4..<5, 6..<7, 8..<9, 10..<11], [3..<4, 1..<6],
  ]

  @Test("each range of each shape, from address 0 and from 4 GiB", arguments: shapes.indices)
  func everyRange(shape: Int) throws {
    for start in [0, 1 << 32] as [UInt64] {
      let machine = Machine(Self.shapes[shape], unitCount: 14, start: start)
      let map = machine.map
      let unit = Machine.unit
      #expect(map.byteCount == UInt64(machine.isMemory.count { $0 }) * unit)
      for first in 0..<14 {
        let address = PhysicalAddress(start + UInt64(first) * unit)
        for count in 0...(14 - first) {
          let range = PhysicalRange(start: address, byteCount: UInt64(count) * unit)
          let isThere = machine.isMemory[first..<first + count].allSatisfy { $0 }
          try #require(map.contains(range) == isThere)
          let read = map.withBytes(in: range) { $0.byteCount }
          try #require(read == (isThere ? count * Int(unit) : nil))
          guard isThere, count > 0 else { continue }
          map.withWords(at: address, count: count * 2) { $0.publish(UInt64(first), at: 0) }
          // SAFETY: inside the machine's memory, which is kept to the end of the function.
          let stored = unsafe machine.base.load(
            fromByteOffset: first * Int(unit), as: UInt64.self)
          try #require(stored == UInt64(first))
          map.withMutableBytes(in: range) {
            $0.storeBytes(of: 7, toByteOffset: 8, as: UInt64.self)
          }
          try #require(map.withBytes(in: range) { $0.word(atByte: 8) } == 7)
        }
        let next = machine.isMemory.indices.first { $0 >= first && machine.isMemory[$0] }
        let stored = map.storedRange(atOrAfter: address)
        try #require(
          stored?.start.rawValue == next.map { start + UInt64($0) * unit })
        if let next {
          let end = machine.isMemory[next...].firstIndex(of: false) ?? 14
          try #require(stored?.byteCount == UInt64(end - next) * unit)
        }
      }
      // Wild addresses are answered.
      for wild in [PhysicalAddress(.max), PhysicalAddress(start &- 8), PhysicalAddress(1 << 52)] {
        #expect(!map.contains(PhysicalRange(start: wild, byteCount: 1)))
        #expect(map.withBytes(in: PhysicalRange(start: wild, byteCount: 1)) { _ in 0 } == nil)
      }
      withExtendedLifetime(machine) {}
    }
  }

  @Test("a tree, an allocator and a pool work in memory with holes")
  func structures() throws {
    // 64 pages, a hole of 32, 128 pages.
    let machine = Machine([0..<16384, 24576..<57344], unitCount: 57344, start: 1 << 20)
    let map = machine.map
    var memblock = Memblock(in: map, geometry: .pages4KiB)
    for index in 0..<map.rangeCount { try memblock.add(map.range(at: index)) }
    let first = map.range(at: 0)
    try memblock.reserve(PhysicalRange(start: first.start, byteCount: 4096))
    var frames = try BuddyAllocator(from: &memblock)
    #expect(frames.managedFrameCount == 192 - (frames.mapRange.byteCount >> 12))
    var tree = try RadixTree(in: map, geometry: RadixGeometry(.pages4KiB), from: &frames)
    var taken: [PhysicalAddress] = []
    while let frame = frames.takeFrame() { taken.append(frame) }
    for frame in taken.prefix(40) { frames.giveBack(frame) }
    for frame in taken.dropFirst(40) {
      try tree.insert(RadixKey(frame, order: .zero, in: .pages4KiB), from: &frames)
    }
    try tree.validate()
    #expect(tree.count == UInt64(taken.count - 40))
    withExtendedLifetime(machine) {}
  }

  @Test("mapped at its own addresses, the first page is not memory")
  func identity() throws {
    // Nothing is accessed: these addresses are not this process's.
    let storage = UnsafeMutableBufferPointer<PhysicalRange>.allocate(capacity: 2)
    unsafe storage.initialize(
      repeating: PhysicalRange(start: .zero, byteCount: 0xa0003))
    let map = unsafe SparseDirectMap(sorting: storage, displacement: 0, geometry: .pages4KiB)
    #expect(map.rangeCount == 1)
    #expect(
      map.range(at: 0) == PhysicalRange(start: PhysicalAddress(4096), byteCount: 0xa0000 - 4096))
    #expect(!map.contains(PhysicalRange(start: .zero, byteCount: 8)))
    unsafe storage.deallocate()
  }
}
