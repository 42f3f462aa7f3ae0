import HandoverTestSupport
import KexecHandover
import Testing

/// What the model computes against trees that are really built.
@Suite(.namesCombination) struct PlanModelTests {
  /// The nodes of a tree in which `blocks` are marked, by level.
  private func nodesOfTree(_ blocks: [PlannedBlocks], shift: Int) throws -> [UInt64] {
    var bench = try TreeBench(shift: shift, nodeCount: 1 << 14)
    for blocks in blocks {
      for index in 0..<blocks.runCount {
        for number in blocks.run(index) {
          try bench.insert(
            InterestingKeys.key(order: Int(blocks.order.rawValue), block: number, shift: shift))
        }
      }
    }
    var counts = [UInt64](repeating: 0, count: bench.geometry.levelCount)
    bench.tree.forEachNode { counts[$0.level] += 1 }
    return counts
  }

  /// All counts and capacities of a small memory, at several degrees of fragmentation.
  @Test(arguments: [4, 5, 6]) func everySmallWorkload(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    for capacity in [1, 2, 3, 7, 40] as [UInt64] {
      for count in Set([1, 2, capacity / 2, capacity - 1, capacity]).filter({ $0 >= 1 })
      where count <= capacity {
        for fragmentation in [0, 0.3, 1] {
          let blocks = PlannedBlocks(
            order: .zero, blockCount: count, capacity: capacity, fragmentation: fragmentation)
          try withCombination("workload", "\(blocks)") {
            try checkRuns(blocks, fragmentation)
            let footprint = MetadataFootprint([blocks], geometry)
            let nodes = try nodesOfTree([blocks], shift: shift)
            try #require(footprint.nodesByLevel == nodes)
            try #require(footprint.rangeCount == blocks.runCount)
          }
        }
      }
    }
  }

  /// The runs contain all blocks, and free blocks are between any two.
  private func checkRuns(_ blocks: PlannedBlocks, _ fragmentation: Double) throws {
    var sum: UInt64 = 0
    var largestGap: UInt64 = 0
    for index in 0..<blocks.runCount {
      let run = blocks.run(index)
      try #require(!run.isEmpty && run.upperBound <= blocks.capacity)
      sum += UInt64(run.count)
      guard index > 0 else { continue }
      let before = blocks.run(index - 1).upperBound
      try #require(run.lowerBound > before)
      largestGap = max(largestGap, run.lowerBound - before)
    }
    try #require(sum == blocks.blockCount)
    try #require(largestGap <= blocks.largestGap)
    if fragmentation == 0 { try #require(blocks.runCount == 1) }
    if fragmentation == 1 {
      try #require(
        blocks.runCount == min(blocks.blockCount, blocks.capacity - blocks.blockCount + 1))
    }
  }

  @Test(arguments: [4, 5, 6, 8, 12]) func randomWorkloads(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    for seed in 0..<30 as Range<UInt64> {
      try withCombination("seed", seed) {
        var generator = SeededGenerator(seed: seed)
        // Memory of a few hundred leaves, so that upper levels differ too.
        let memoryShift = min(2 * shift + 3 + 6, 44)
        let byteCount =
          UInt64(1) << UInt64(memoryShift) + generator.next() >> UInt64(65 - memoryShift)
        var orders = Set((0..<3).map { _ in generator.index(below: 8) })
        if seed % 3 == 0 { orders.insert(63 - shift - generator.index(below: 3)) }
        let blocks = orders.sorted().compactMap { order -> PlannedBlocks? in
          let capacity = byteCount / geometry.blockByteCount(PageOrder(order))
          guard capacity > 0 else { return nil }
          let count = 1 + UInt64(generator.index(below: Int(min(capacity, 400))))
          return PlannedBlocks(
            order: PageOrder(order), blockCount: count, capacity: capacity,
            fragmentation: generator.pick([0, 0.01, 0.2, 0.7, 1]))
        }
        let footprint = MetadataFootprint(blocks, geometry)
        let nodes = try nodesOfTree(blocks, shift: shift)
        try #require(footprint.nodesByLevel == nodes)
      }
    }
  }

  /// The chunk lists, counted the slow way: a bitmap for each aligned stretch in which a block is.
  @Test func chunkLists() throws {
    let geometry = PageGeometry.pages4KiB
    for seed in 0..<20 as Range<UInt64> {
      try withCombination("seed", seed) {
        var generator = SeededGenerator(seed: seed)
        let blocks = [0, 1, 9].map { order in
          PlannedBlocks(
            order: PageOrder(order), blockCount: 1 + UInt64(generator.index(below: 3000)),
            capacity: 3000 + UInt64(generator.index(below: 40_000_000)),
            fragmentation: generator.pick([0, 0.02, 0.5, 1]))
        }
        var page = (bitmaps: 0, chunks: 0)
        var small = (bitmaps: 0, chunks: 0)
        for blocks in blocks {
          let numbers = (0..<blocks.runCount).flatMap { Array(blocks.run($0)) }
          let pages = Set(numbers.map { $0 / 32768 }).count
          let smalls = Set(numbers.map { $0 / 4096 }).count
          page = (page.bitmaps + pages, page.chunks + (pages + 254) / 255)
          small = (small.bitmaps + smalls, small.chunks + (smalls + 254) / 255)
        }
        let footprint = MetadataFootprint(blocks, geometry)
        try #require(footprint.pageBitmaps.bitmapCount == UInt64(page.bitmaps))
        try #require(footprint.pageBitmaps.chunkCount == UInt64(page.chunks))
        try #require(footprint.smallBitmaps.bitmapCount == UInt64(small.bitmaps))
        try #require(footprint.smallBitmaps.chunkCount == UInt64(small.chunks))
      }
    }
  }

  /// Petabytes of single pages, all apart: computed, not walked.
  @Test func hugeWorkloadsAreCheap() {
    let capacity = UInt64(1) << 40
    let half = PlannedBlocks(
      order: .zero, blockCount: capacity / 2, capacity: capacity, fragmentation: 1)
    #expect(half.runCount == capacity / 2)
    let footprint = MetadataFootprint([half], .pages4KiB)
    // 32,768 pages a leaf, and 512 nodes below each table.
    #expect(footprint.nodesByLevel.prefix(3) == [1 << 25, 1 << 16, 1 << 7])
    #expect(footprint.nodesByLevel.last == 1)
    #expect(footprint.rangeListByteCount == capacity / 2 * 16)
  }

  /// Two samples made of known costs give these costs.
  @Test func costsAreSolvedFor() {
    func sample(nodes: UInt64, runs: UInt64) -> WalkCalibration.Sample {
      WalkCalibration.Sample(nodes: nodes, runs: runs, nanoseconds: nodes * 300 + runs * 2)
    }
    let calibration = WalkCalibration(
      sample(nodes: 4096, runs: 2048), sample(nodes: 128, runs: 2_000_000))
    #expect((299_990...300_010).contains(calibration.picosecondsPerNode))
    #expect((1990...2010).contains(calibration.picosecondsPerRun))
    let time = calibration.nanoseconds(nodes: 1000, runs: 1000)
    #expect((301_900...302_100).contains(time))
    #expect(calibration.nanoseconds(nodes: .max, runs: .max) == 9_000_000_000_000_000_000)
  }
}
