import HandoverTestSupport
import KexecHandover
import Testing

/// Memory that its owner writes down before it is preserved, and frees by what is written down.
@Suite(.namesCombination) struct NotedAllocationTests {
  private func blocks(of memory: MemoryFile) throws -> Set<PhysicalBlock> {
    let contents = try MemoryContents(reading: memory)
    var found: Set<PhysicalBlock> = []
    try #require(contents.survey?.pages).forEachBlock(in: memory) { found.insert($0) }
    return found
  }

  @Test(arguments: PreservedMemoryBench.geometries)
  func announcedBeforePreserved(geometry: PageGeometry) throws {
    let bench = try PreservedMemoryBench(geometry)
    var memory = try bench.open()
    let file = memory.file
    let page = UInt64(geometry.pageByteCount)
    for isZeroed in [true, false] {
      // What was there before is seen, or is not.
      var free: [PhysicalBlock] = []
      while let block = try? memory.allocate(.zero) { free.append(block) }
      for block in free {
        memory.withWords(of: block.range(in: geometry)) { $0.publish(99, at: 6) }
        try memory.free(block)
      }
      let before = try blocks(of: file)
      var seen: Set<PhysicalBlock>?
      var announced: PhysicalRange?
      var word: UInt64?
      var failure: (any Error)?
      let made = try memory.allocate(byteCount: 6 * page + 1, zeroed: isZeroed) { range in
        announced = range
        word = file.withWords(at: range.start, count: 7) { $0.load(6) }
        do { seen = try blocks(of: file) } catch { failure = error }
      }
      #expect(made == announced && failure == nil)
      #expect(seen == before)
      #expect(word == (isZeroed ? 0 : 99))
      let after = try blocks(of: file)
      let pages = after.subtracting(before).reduce(0) { $0 + $1.range(in: geometry).byteCount }
      #expect(pages == made.byteCount)
      #expect(try memory.freeIfAllocated(made))
      #expect(try blocks(of: file) == before)
    }
  }

  /// Whatever is noted, it is freed as a whole, or nothing changes.
  @Test(arguments: PreservedMemoryBench.geometries)
  func freedIfAllocated(geometry: PageGeometry) throws {
    let bench = try PreservedMemoryBench(geometry)
    var memory = try bench.open()
    let page = UInt64(geometry.pageByteCount)
    let run = try memory.allocate(byteCount: 6 * page)
    let free = try memory.allocate(byteCount: 5 * page)
    try memory.free(free)
    let text = try #require(try memory.region(named: "text"))
    let deviceTree = try SuperblockContents(reading: memory.file).state.deviceTree
    let before = try PreservedMemoryState(of: &memory)

    func range(_ start: UInt64, _ byteCount: UInt64) throws -> PhysicalRange {
      try #require(PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount))
    }
    func expectUnchanged(_ memory: inout PreservedMemory) throws {
      try #require(try PreservedMemoryState(of: &memory) == before)
    }
    let start = run.start.rawValue
    // Never allocated, freed already, or nothing at all.
    for nothing in [
      free, try range(free.start.rawValue, page), try range(start, 0), try range(0, 0),
      try range(0, page),
    ] {
      #expect(try memory.freeIfAllocated(nothing) == false, "\(nothing)")
    }
    try expectUnchanged(&memory)
    let refused: [(PhysicalRange, String)] = [
      (try range(start, 5 * page), "without its end"),
      (try range(start + page, 5 * page), "without its start"),
      (try range(start + page, page), "a part"),
      (try range(start, 7 * page), "more"),
      (try range(start - page, 7 * page), "begins before"),
      (try range(page, memory.byteCount - page), "everything"),
      (try range(start, 6 * page + 1), "ends in a page"),
      (try range(start + 8, 6 * page), "begins in a page"),
      (try range(start, memory.byteCount), "beyond the end"),
      (try range(memory.byteCount, page), "behind the end"),
      (try range(UInt64.max, 1), "far away"),
      (try range(0, UInt64.max), "all addresses"),
      (try range(deviceTree.rawValue, page), "device tree"),
      (try range(text.start.rawValue, 2 * page), "a region"),
    ]
    for (range, what) in refused {
      #expect(throws: PreservedMemoryError.self, "\(what)") {
        _ = try memory.freeIfAllocated(range)
      }
      try expectUnchanged(&memory)
    }
    // Its pages, as with ``PreservedMemory/free(_:)-(PhysicalRange)``.
    #expect(try memory.freeIfAllocated(range(start, 5 * page + 1)))
    #expect(try memory.freeIfAllocated(run) == false)
    #expect(try PreservedMemoryState(of: &memory).freeByteCount == before.freeByteCount + 6 * page)
    _ = consume memory
    // The next process knows no better.
    var next = try bench.open()
    #expect(try next.freeIfAllocated(run) == false)
    #expect(try next.freeIfAllocated(bench.run))
    #expect(try next.freeIfAllocated(bench.run) == false)
  }
}
