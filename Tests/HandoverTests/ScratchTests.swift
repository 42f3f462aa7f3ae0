import HandoverTestSupport
import KexecHandover
import Testing

/// Scratch areas: what is asked for, where it goes, and that nothing else is handed out there.
@Suite(.namesCombination)
struct ScratchTests {
  @Test func requestsThatAreRead() throws {
    for (text, expected) in [
      ("1,2,3", .sizes(low: 1, global: 2, perNode: 3)),
      ("256M,512M,128M", .sizes(low: 256 << 20, global: 512 << 20, perNode: 128 << 20)),
      ("1k,2K,0", .sizes(low: 1 << 10, global: 2 << 10, perNode: 0)),
      ("1m,1g,1G", .sizes(low: 1 << 20, global: 1 << 30, perNode: 1 << 30)),
      ("0,0,1t", .sizes(low: 0, global: 0, perNode: 1 << 40)),
      ("1T,2P,3E", .sizes(low: 1 << 40, global: 2 << 50, perNode: 3 << 60)),
      ("0x10,0X1fM,0xffffffffffffffff", .sizes(low: 16, global: 31 << 20, perNode: .max)),
      // A suffix that is a digit as well is a digit.
      ("0x1E,0,0", .sizes(low: 30, global: 0, perNode: 0)),
      ("010,017K,00", .sizes(low: 8, global: 15 << 10, perNode: 0)),
      ("18446744073709551615,0,0", .sizes(low: .max, global: 0, perNode: 0)),
      ("15E,0E,0", .sizes(low: 15 << 60, global: 0, perNode: 0)),
      ("200%", .percentage(200)), ("1%", .percentage(1)), ("0x64%", .percentage(100)),
      ("4294967295%", .percentage(.max)),
    ] as [(String, ScratchRequest)] {
      #expect(try ScratchRequest(parsing: text) == expected, "\(text)")
    }
    #expect(ScratchRequest.standard == .percentage(200))
  }

  @Test func requestsThatAreRefused() {
    for (text, expected) in [
      ("", .numberMissing(offset: 0)), (" 1,2,3", .numberMissing(offset: 0)),
      ("-1,2,3", .numberMissing(offset: 0)), ("M,2,3", .numberMissing(offset: 0)),
      ("%", .numberMissing(offset: 0)), ("0x,1,2", .numberMissing(offset: 0)),
      ("1", .unexpected(offset: 1)), ("1,2", .unexpected(offset: 3)),
      ("1,", .numberMissing(offset: 2)), ("1,,3", .numberMissing(offset: 2)),
      ("1,2,", .numberMissing(offset: 4)), ("1,2,3,4", .unexpected(offset: 5)),
      ("1,2,3 ", .unexpected(offset: 5)), ("1 ,2,3", .unexpected(offset: 1)),
      ("08,1,1", .unexpected(offset: 1)), ("1KB,2,3", .unexpected(offset: 2)),
      ("1MM,2,3", .unexpected(offset: 2)), ("0xg,2,3", .numberMissing(offset: 0)),
      ("é,2,3", .numberMissing(offset: 0)), ("1,é", .numberMissing(offset: 2)),
      ("18446744073709551616,0,0", .numberTooLarge(offset: 0)),
      ("1,16E,0", .numberTooLarge(offset: 2)),
      ("1,2,0x10000000000000000", .numberTooLarge(offset: 4)),
      ("1,2,18446744073709551615K", .numberTooLarge(offset: 4)),
      ("50%%", .unexpected(offset: 3)), ("50%,1,1", .unexpected(offset: 3)),
      ("0%", .percentageImpossible), ("4294967296%", .percentageImpossible),
      ("1K%", .percentageImpossible), ("0,0,0", .nothingAsked), ("0K,0x0,00", .nothingAsked),
    ] as [(String, ScratchRequestError)] {
      #expect(throws: expected, "\(text)") { try ScratchRequest(parsing: text) }
    }
  }

  /// A machine of two nodes, a low part and a high one. No memory is free for a list to move to.
  private func machine(
    _ geometry: PageGeometry, blocks: UInt64, capacity: Int = 128
  ) throws -> Memblock<ClaimingMemory> {
    let alignment = UInt64(1) << UInt64(geometry.shift + 10)
    let base = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20))
    var memblock = Memblock(
      in: ClaimingMemory(base, claiming: []), geometry: geometry, capacity: capacity)
    try memblock.add(
      PhysicalRange(start: PhysicalAddress(alignment), byteCount: blocks * alignment),
      nodeID: NodeID(0))
    try memblock.add(
      PhysicalRange(start: PhysicalAddress(1 << 36), byteCount: blocks * alignment),
      nodeID: NodeID(3))
    return memblock
  }

  private func account(_ memblock: borrowing Memblock<ClaimingMemory>) -> [MemoryRegion] {
    var regions: [MemoryRegion] = []
    memblock.forEachMemoryRegion { regions.append($0) }
    memblock.forEachReservedRegion { regions.append($0) }
    return regions
  }

  @Test(arguments: [12, 14, 16])
  func sizes(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let unit = UInt64(1) << UInt64(shift + 10)
    var memblock = try machine(geometry, blocks: 40)
    let reserved = PhysicalRange(start: PhysicalAddress(5 * unit), byteCount: unit + 4096 * 16)
    try memblock.reserve(reserved)
    let before = account(memblock).filter { !$0.flags.contains(.scratch) }
    let plan = try ScratchPlan(
      .sizes(low: 1, global: 3 * unit, perNode: unit + 1), for: memblock,
      lowLimit: PhysicalAddress(30 * unit))
    #expect(plan.lowByteCount == unit && plan.globalByteCount == 3 * unit)
    #expect(plan.nodeByteCounts.map(\.byteCount) == [2 * unit, 2 * unit])
    #expect(plan.nodeByteCounts.map(\.nodeID) == [NodeID(0), NodeID(3)])
    #expect(plan.byteCount == 8 * unit)
    let areas = try plan.place(in: &memblock)
    #expect(areas.map(\.range.byteCount) == [unit, 3 * unit, 2 * unit, 2 * unit])
    #expect(areas[0].range.start.rawValue < 30 * unit)
    for (area, node) in zip(areas.suffix(2), [NodeID(0), NodeID(3)]) {
      let region = memblock.memoryRegion(at: area.range.start)
      #expect(region?.nodeID == node)
    }
    for (index, area) in areas.enumerated() {
      #expect(area.range.start.rawValue % unit == 0)
      #expect(!area.range.overlaps(reserved))
      #expect(memblock.isMemory(area.range) == true)
      #expect(memblock.overlapsReserved(area.range) == false)
      for other in areas.prefix(index) { #expect(!other.range.overlaps(area.range)) }
    }
    #expect(
      memblock.freeByteCount(RegionFilter(required: .scratch)) == plan.byteCount)

    // Scratch only: everything that is handed out is there, until it is full.
    memblock.isScratchOnly = true
    var handedOut: UInt64 = 0
    while let range = try? memblock.allocate(MemblockRequest(byteCount: unit / 4)) {
      try #require(areas.contains { $0.range.contains(range) })
      handedOut += range.byteCount
    }
    #expect(handedOut == plan.byteCount)
    #expect(before.count == 3)
  }

  @Test(arguments: [12, 14, 16])
  func percentages(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let unit = UInt64(1) << UInt64(shift + 10)
    var memblock = try machine(geometry, blocks: 60)
    // Reserved: 3 units low on node 0, 2 more above the limit on it, 4 on node 3.
    for (start, count) in [(2 * unit, 3), (40 * unit, 2), (1 << 36, 4)] as [(UInt64, UInt64)] {
      try memblock.reserve(
        PhysicalRange(start: PhysicalAddress(start), byteCount: count * unit))
    }
    // Not memory, so not counted.
    try memblock.reserve(PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 77 * unit))
    let limit = PhysicalAddress(30 * unit)
    for (percentage, low, global, nodes) in [
      (100, 3, 6, [5, 4]), (200, 6, 12, [10, 8]), (50, 2, 3, [3, 2]), (1, 1, 0, [1, 1]),
    ] as [(UInt32, UInt64, UInt64, [UInt64])] {
      try withCombination("percentage", percentage) {
        let plan = try ScratchPlan(.percentage(percentage), for: memblock, lowLimit: limit)
        #expect(plan.lowByteCount == low * unit)
        #expect(plan.globalByteCount == global * unit)
        #expect(plan.nodeByteCounts.map(\.byteCount) == nodes.map { $0 * unit })
      }
    }
    let areas = try ScratchPlan(.percentage(200), for: memblock, lowLimit: limit).place(
      in: &memblock)
    #expect(areas.count == 4)
  }

  @Test(arguments: [4, 6, 128])
  func whatDoesNotFitLeavesNothing(capacity: Int) throws {
    let geometry = PageGeometry.pages4KiB
    let unit = UInt64(1) << 22
    for (low, global, perNode) in [
      (9, 0, 0), (0, 41, 0), (1, 1, 40), (4, 41, 0), (4, 36, 5),
    ] as [(UInt64, UInt64, UInt64)] {
      try withCombination("sizes", "\(low),\(global),\(perNode)") {
        var memblock = try machine(geometry, blocks: 40, capacity: capacity)
        try memblock.reserve(PhysicalRange(start: PhysicalAddress(3 * unit), byteCount: 4096))
        let before = account(memblock)
        let plan = try ScratchPlan(
          .sizes(low: low * unit, global: global * unit, perNode: perNode * unit), for: memblock,
          lowLimit: PhysicalAddress(9 * unit))
        #expect(throws: MemblockError.self) { _ = try plan.place(in: &memblock) }
        #expect(account(memblock) == before)
        try memblock.validate()
      }
    }
    // Beyond 2^64 bytes.
    let memblock = try machine(geometry, blocks: 40)
    #expect(throws: MemblockError.outOfMemory(byteCount: .max)) {
      _ = try ScratchPlan(.sizes(low: .max, global: 0, perNode: 0), for: memblock)
    }
  }

  /// Lists that are full at every stage of the placing.
  @Test func fullListsLeaveNothing() throws {
    let unit = UInt64(1) << 22
    var outcomes: [String: Int] = [:]
    for capacity in 4...16 {
      for reservedCount in 0..<capacity {
        var memblock = try machine(.pages4KiB, blocks: 40, capacity: capacity)
        for index in 0..<UInt64(reservedCount) {
          try memblock.reserve(
            PhysicalRange(
              start: PhysicalAddress((38 - 2 * index) * unit), byteCount: 2 * 4096))
        }
        let before = account(memblock)
        let plan = try ScratchPlan(
          .sizes(low: unit, global: unit, perNode: unit), for: memblock)
        do throws(MemblockError) {
          let areas = try plan.place(in: &memblock)
          #expect(areas.count == 4)
          outcomes["placed", default: 0] += 1
        } catch {
          guard case .listFull(let list) = error else { throw error }
          outcomes["\(list)", default: 0] += 1
          #expect(account(memblock) == before)
        }
        try memblock.validate()
      }
    }
    #expect(Set(outcomes.keys) == ["placed", "memory", "reserved"])
  }

  @Test func arraysRoundTrip() throws {
    let memory = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(1 << 16), byteCount: 1 << 17))
    let areas = [(1 << 22, 1 << 22), (1 << 40, 8), (UInt64.max - 7, 7)].map {
      ScratchArea(PhysicalRange(start: PhysicalAddress($0.0), byteCount: $0.1))
    }
    for count in 0...3 {
      let start = PhysicalAddress((1 << 16) + 8)
      ScratchArea.writeArray(Array(areas.prefix(count)), at: start, in: memory)
      let range = PhysicalRange(start: start, byteCount: UInt64(count) * 16)
      #expect(try ScratchArea.readArray(in: range, of: memory) == Array(areas.prefix(count)))
    }
    func refuses(_ start: UInt64, _ byteCount: UInt64, _ error: RecordError) {
      let range = PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
      #expect(throws: error) { try ScratchArea.readArray(in: range, of: memory) }
    }
    let start: UInt64 = 1 << 16
    refuses(start, 15, .rangeImpossible(start: PhysicalAddress(start), byteCount: 15))
    refuses(start, 4097 * 16, .blobTooLarge(byteCount: 4097 * 16, limit: 4096 * 16))
    refuses(
      1 << 50, 16,
      .unreadable(PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 16)))
    // An empty area, which Linux lists where it needs none, and one past 2^64.
    let pair = PhysicalRange(start: PhysicalAddress(start), byteCount: 32)
    ScratchArea.writeArray(Array(areas.prefix(2)), at: pair.start, in: memory)
    memory.setWord(0, at: start + 8)
    #expect(try ScratchArea.readArray(in: pair, of: memory) == [areas[1]])
    memory.setWord(.max - 7, at: start)
    memory.setWord(16, at: start + 8)
    refuses(start, 16, .rangeImpossible(start: PhysicalAddress(.max - 7), byteCount: 16))
  }

  @Test func overlaps() {
    let areas = [(100, 50), (200, 1)].map {
      ScratchArea(PhysicalRange(start: PhysicalAddress($0.0), byteCount: $0.1))
    }
    for start in 90..<210 as Range<UInt64> {
      for byteCount in 0..<120 as Range<UInt64> {
        let range = PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
        let isInside = (start..<start + byteCount).contains { 100 <= $0 && $0 < 150 || $0 == 200 }
        #expect(areas.overlap(range) == isInside)
      }
    }
  }
}
