import HandoverTestSupport
import KexecHandover
import Testing

/// Areas and serialization blocks: written by us, read by those who trust nothing.
@Suite(.namesCombination)
struct AreaTests {
  private static let shifts = [4, 5, 6, 12, 14, 16]

  private func bench(_ shift: Int) throws -> HandoverBench {
    try HandoverBench(shift: shift, frameCount: shift < 6 ? 16384 : shift > 6 ? 256 : nil)
  }

  private func read(
    _ area: VmallocArea, in bench: borrowing HandoverBench
  ) throws -> (blocks: [PhysicalBlock], chunks: [PhysicalBlock]) {
    var reader = VmallocBlocks(area, in: bench.memory, geometry: bench.geometry)
    var blocks: [PhysicalBlock] = []
    var chunks: [PhysicalBlock] = []
    while let step = try reader.next() {
      switch step {
      case .block(let block): blocks.append(block)
      case .chunk(let page): chunks.append(PhysicalBlock(address: page, order: .zero))
      }
    }
    return (blocks, chunks)
  }

  @Test(arguments: shifts)
  func blocksInTheirOrder(shift: Int) throws {
    var bench = try bench(shift)
    let perChunk = bench.geometry.pageWordCount - 1
    // Around the borders of chunks, where those are short.
    let counts = shift > 6 ? [0, 1, 2, 33] : [0, 1, perChunk, perChunk + 1, 3 * perChunk + 2, 33]
    try withEvery("order", in: 0..<3) { order in
      try withEvery("count", in: counts) { count in
        var owned: [PhysicalBlock] = []
        for _ in 0..<count { owned.append(try bench.take(order)) }
        owned.reverse()
        let before = try bench.survey().state
        let area = try bench.handover.preserveArea(
          owned.map(\.address), order: PageOrder(order), from: &bench.frames)
        let (blocks, chunks) = try read(area, in: bench)
        #expect(blocks == owned)
        #expect(chunks.count == (count + perChunk - 1) / perChunk)
        #expect(Int(area.pageCount) == count << order && area.order == PageOrder(order))
        #expect(try bench.survey().state.entries == before.entries.union(blocks + chunks))

        var successor = try Successor(copying: bench)
        try successor.restore(area)
        #expect(
          Set(successor.unrestored) == before.entries)
        if count > 0 {
          #expect(throws: IncomingHandoverError.alreadyRestored(chunks[0])) {
            try successor.restore(area)
          }
        }

        try bench.handover.unpreserve(area, into: &bench.frames)
        #expect(try bench.survey().state == before)
        for block in owned { bench.frames.giveBack(block, in: bench.geometry) }
        bench.owned = []
        try bench.checkFrames()
      }
    }
  }

  @Test(arguments: shifts)
  func aBlockNamedTwice(shift: Int) throws {
    var bench = try bench(shift)
    var owned: [PhysicalBlock] = []
    for _ in 0..<6 { owned.append(try bench.take(1)) }
    let addresses = (owned + [owned[2]]).map(\.address)
    let area = try bench.handover.preserveArea(
      addresses, order: PageOrder(1), from: &bench.frames)
    let entries = try bench.survey().state.entries
    for isFirst in [true, false] {
      var successor = try Successor(
        at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
      if !isFirst { try successor.restore(bench.handover.deviceTree) }
      let unrestored = successor.unrestored
      let out = successor.frames.out
      #expect(throws: IncomingHandoverError.alreadyRestored(owned[2])) {
        try successor.restore(area)
      }
      #expect(successor.unrestored == unrestored)
      #expect(successor.frames.out.isSubset(of: out))
      #expect(Set(unrestored).isSubset(of: entries))
      try successor.restore(owned[2])
    }
  }

  @Test func areasThatAreDamaged() throws {
    var bench = try bench(12)
    let area = try bench.handover.allocatePreservedArea(blockCount: 5, from: &bench.frames)
    let stranger = try bench.take(0)
    let chunk = area.firstChunk.rawValue
    let good = bench.memory.word(at: chunk + 16)
    var successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    let unrestored = successor.unrestored

    for (word, error) in [
      (
        good + 1,
        IncomingHandoverError.areaDamaged(
          .blockImpossible(good + 1, in: PhysicalAddress(chunk + 16)))
      ),
      (stranger.address.rawValue, .neverPreserved(stranger)),
      (0, .areaDamaged(.areaPageCountDiffers(5, found: 1))),
    ] as [(UInt64, IncomingHandoverError)] {
      bench.memory.setWord(word, at: chunk + 16)
      #expect(throws: error) { try successor.restore(area) }
      #expect(successor.unrestored == unrestored)
    }
    bench.memory.setWord(good, at: chunk + 16)
    bench.memory.setWord(chunk, at: chunk)
    #expect(throws: IncomingHandoverError.areaDamaged(.chainCycle(area.firstChunk))) {
      try successor.restore(area)
    }
    bench.memory.setWord(1 << 60, at: chunk)
    #expect(throws: IncomingHandoverError.self) { try successor.restore(area) }
    #expect(successor.unrestored == unrestored)

    // The owner finds it damaged too, and nothing is unpreserved.
    let state = try bench.survey().state
    #expect(throws: OutgoingHandoverError.self) {
      try bench.handover.unpreserveAndFree(area, into: &bench.frames)
    }
    #expect(try bench.survey().state == state)
    bench.memory.setWord(0, at: chunk)
    try successor.restore(area)
  }

  @Test func areasThatAreTooLarge() throws {
    var bench = try bench(6)
    let out = bench.frames.out
    #expect(throws: OutgoingHandoverError.outOfFrames(frameCount: 1)) {
      _ = try bench.handover.allocatePreservedArea(blockCount: .max, from: &bench.frames)
    }
    #expect(bench.frames.out == out)
    #expect(throws: OutgoingHandoverError.outOfFrames(frameCount: 1 << 40)) {
      _ = try bench.handover.allocatePreservedArea(
        blockCount: 1, order: PageOrder(40), from: &bench.frames)
    }
    for count in [(1 << 63) + 1, .max] as [UInt64] {
      #expect(throws: OutgoingHandoverError.outOfFrames(frameCount: count)) {
        _ = try bench.handover.allocatePreserved(frameCount: count, from: &bench.frames)
      }
    }
    #expect(bench.frames.out == out)
  }

  @Test func theDescriptorRoundTrips() throws {
    let memory = try AnonymousMemory(PhysicalRange(start: PhysicalAddress(4096), byteCount: 4096))
    for (pages, flags, order) in [(0, 1, 0), (7, 2, 0), (.max, 3, 9)] as [(UInt32, UInt16, Int)] {
      let area = VmallocArea(
        firstChunk: PhysicalAddress(0x1234_5000), pageCount: pages, flags: flags,
        order: PageOrder(order))
      for offset in [0, 3, 80] {
        memory.withMutableBytes(in: memory.range) { area.write(to: &$0, atByte: offset) }
        let read = memory.withBytes(in: memory.range) { bytes in
          try? VmallocArea(parsing: bytes, atByte: offset, in: .pages4KiB)
        }
        #expect(read == area)
      }
    }
    _ = memory.withBytes(in: PhysicalRange(start: memory.range.start, byteCount: 15)) { bytes in
      #expect(throws: RecordError.blobTooShort(byteCount: 15, needed: 16)) {
        _ = try VmallocArea(parsing: bytes, in: .pages4KiB)
      }
    }
  }
}
