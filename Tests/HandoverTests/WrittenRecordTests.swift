import HandoverTestSupport
import KexecHandover
import Testing

/// Records that we write, read back by those who trust nothing.
@Suite(.namesCombination)
struct WrittenRecordTests {
  private func records(
    at first: PhysicalAddress, _ byteCount: Int, in bench: borrowing HandoverBench
  ) throws -> [PhysicalAddress] {
    var cursor = SerializedRecordCursor(
      .blocks(first: first), recordByteCount: byteCount, in: bench.memory,
      geometry: bench.geometry)
    var places: [PhysicalAddress] = []
    while let place = try cursor.nextRecord() { places.append(place) }
    return places
  }

  @Test(arguments: [5, 6, 12, 16])
  func recordsOneByOne(shift: Int) throws {
    let room = (1 << shift) - 16
    try withEvery("size", in: [8, 16, room].filter { $0 <= room }) { byteCount in
      let perBlock = room / byteCount
      try withEvery("count", in: [0, 1, perBlock, perBlock + 1, 2 * perBlock + 1]) { count in
        if count > 2000 { return }
        var bench = try HandoverBench(shift: shift)
        let before = try bench.survey().state.entries
        var writer = try bench.handover.allocateRecords(
          recordByteCount: byteCount, recordCount: UInt64(count), from: &bench.frames)
        let blocks = try bench.survey().state.entries.subtracting(before)
        #expect(blocks.count == (count + perBlock - 1) / perBlock)
        let capacity = writer.capacity
        #expect(capacity == UInt64(blocks.count * perBlock))

        // After every store: what is linked can be read, and holds as many records as there are.
        let events = try bench.memory.journal.recording {
          for index in 0..<count {
            let isWritten = writer.append {
              $0.storeBytes(of: UInt64(index + 1), toByteOffset: 0, as: UInt64.self)
            }
            try #require(isWritten)
          }
        }
        let written = try records(at: writer.first, byteCount, in: bench)
        try #require(
          written.map { bench.memory.word(at: $0.rawValue) } == (0..<count).map { UInt64($0 + 1) })
        if count > 0 && count < 200 {
          let first = writer.first
          bench.memory.base.undo(events)
          var known = 0
          for case .stores(let changes) in events {
            bench.memory.base.apply(changes)
            // The first block is led to once it holds a record.
            if known == 0, bench.memory.word(at: first.rawValue + 8) == 0 { continue }
            let places = try records(at: first, byteCount, in: bench)
            try #require(places.count == known || places.count == known + 1)
            known = places.count
            for (index, place) in places.enumerated() {
              try #require(bench.memory.word(at: place.rawValue) == UInt64(index + 1))
            }
          }
          #expect(known == count)
        }
        var left = capacity - UInt64(count)
        while left > 0 {
          _ = writer.append { _ in }
          left -= 1
        }
        #expect(writer.append { _ in } == false)
        bench.handover.free(writer, into: &bench.frames)
        #expect(try bench.survey().state.entries == before)
        try bench.checkFrames()
      }
    }
  }

  @Test func moreBlocksThanReadersAccept() throws {
    var bench = try HandoverBench(shift: 6)
    #expect(throws: OutgoingHandoverError.areaDamaged(.chainTooLong(limit: 10_000))) {
      _ = try bench.handover.allocateRecords(
        recordByteCount: 48, recordCount: 10_001, from: &bench.frames)
    }
    #expect(throws: OutgoingHandoverError.areaDamaged(.chainTooLong(limit: 10_000))) {
      _ = try bench.handover.allocateRecords(
        recordByteCount: 1, recordCount: .max, from: &bench.frames)
    }
    try bench.checkFrames()
  }

  @Test(arguments: [6, 12, 14, 16])
  func kexecMetadata(shift: Int) throws {
    for release in ["7", "7.3.4", String(repeating: "é", count: 32)] {
      var bench = try HandoverBench(shift: shift)
      let metadata = KexecMetadata(previousRelease: release, kexecCount: 0x0102_0304)
      try bench.handover.addKexecMetadata(metadata, from: &bench.frames)
      let blob = try #require(try bench.handover.subtree(named: KexecMetadata.subtreeName))
      #expect(blob.byteCount == 73)
      let read = try KexecMetadata(
        at: blob.address, byteCount: blob.byteCount, in: bench.memory)
      #expect(read == metadata)
      #expect(try bench.survey().survey.checkRecords(in: bench.memory).findings.isEmpty)
      #expect(throws: OutgoingHandoverError.subtreeExists) {
        try bench.handover.addKexecMetadata(metadata, from: &bench.frames)
      }
      try bench.checkFrames()
    }
  }

  @Test(arguments: [6, 12, 14, 16])
  func reservedRegions(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    let geometry = bench.geometry
    var regions: [ReservedRegion] = []
    for index in 0..<9 {
      let block = FrameRange(try bench.take(3), in: geometry)
      // Not all of them blocks of one order.
      let run = FrameRange(start: block.start, frameCount: UInt64(8 - index % 4))
      regions.append(ReservedRegion(name: "region-\(index)", range: run.range(in: geometry)))
    }
    // One is preserved already, and one is in another.
    try bench.handover.preserve(
      FrameRange(covering: regions[4].range, in: geometry), from: &bench.frames)
    regions.append(
      ReservedRegion(
        name: "inside",
        range: PhysicalRange(
          start: regions[0].range.start, byteCount: UInt64(geometry.pageByteCount))))
    try bench.handover.addReservedRegions(regions, from: &bench.frames)
    let blob = try #require(try bench.handover.subtree(named: MemblockRecord.subtreeName))
    let record = try MemblockRecord(
      at: blob.address, byteCount: blob.byteCount, in: bench.memory)
    #expect(try record.regions.map { try $0.result.get() } == regions)
    let found = try bench.survey().survey
    #expect(found.checkRecords(in: bench.memory).findings.isEmpty)
    for region in regions {
      #expect(try #require(found.pages).isPreserved(region.range, in: bench.memory))
    }
    try bench.checkFrames()
  }

  @Test func regionsThatAreRefused() throws {
    var bench = try HandoverBench(shift: 12)
    let geometry = bench.geometry
    let block = try bench.take(4)
    let range = block.range(in: geometry)
    let before = try bench.survey().state
    let out = bench.frames.out
    func part(_ first: UInt64, _ count: UInt64) -> PhysicalRange {
      PhysicalRange(start: range.start.advanced(byBytes: first * 4096), byteCount: count * 4096)
    }
    let good = ReservedRegion(name: "good", range: part(0, 4))
    let tooLong = String(repeating: "n", count: 300)
    let everything = PhysicalRange(start: .zero, byteCount: .max)
    for (region, error) in [
      (ReservedRegion(name: "good", range: part(4, 4)), .regionNamedTwice(index: 1)),
      (ReservedRegion(name: "", range: part(4, 4)), .deviceTreeUnwritable(.emptyName)),
      (
        ReservedRegion(name: "a/b", range: part(4, 4)),
        .deviceTreeUnwritable(.nameContainsSlash(offset: 1))
      ),
      (
        ReservedRegion(name: tooLong, range: part(4, 4)),
        .deviceTreeUnwritable(.nameTooLong(byteCount: 300))
      ),
      (ReservedRegion(name: "empty", range: part(4, 0)), .outsideMemory(part(4, 0))),
      (ReservedRegion(name: "all", range: everything), .outsideMemory(everything)),
      (
        ReservedRegion(
          name: "odd", range: PhysicalRange(start: range.start, byteCount: 4095)),
        .outsideMemory(PhysicalRange(start: range.start, byteCount: 4095))
      ),
      (
        ReservedRegion(name: "reaches in", range: part(2, 4)),
        .overlapsEntry(
          PhysicalBlock(address: part(2, 1).start, order: PageOrder(1)),
          entry: PhysicalBlock(address: range.start, order: PageOrder(2)))
      ),
    ] as [(ReservedRegion, OutgoingHandoverError)] {
      #expect(throws: error) {
        try bench.handover.addReservedRegions([good, region], from: &bench.frames)
      }
      #expect(try bench.survey().state == before)
      #expect(bench.frames.out == out)
    }
    try bench.handover.addReservedRegions([], from: &bench.frames)
    #expect(try bench.survey().survey.checkRecords(in: bench.memory).findings.isEmpty)
  }
}
