import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// What the look at all entries by address finds: memory, overlaps, nodes, the device tree, coverage.
@Suite(.namesCombination)
struct SweepTests {
  private static let page = PageGeometry.pages4KiB

  private static func block(_ address: UInt64, _ order: Int) -> PhysicalBlock {
    PhysicalBlock(address: PhysicalAddress(address), order: PageOrder(order))
  }

  private static func run(_ address: UInt64, _ order: Int, _ count: UInt64) -> BlockRun {
    BlockRun(address: PhysicalAddress(address), order: PageOrder(order), blockCount: count)
  }

  private static func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
  }

  /// A tree with `blocks`, in a machine with memory up to 4 GiB.
  private static func bench(_ blocks: [PhysicalBlock]) throws -> TreeBench {
    var bench = try TreeBench(
      RadixGeometry(page), nodeCount: 100, claiming: [range(0, 1 << 32)])
    try bench.insertAll(blocks.map { RadixKey($0, in: page).rawValue })
    return bench
  }

  private static func findings(
    _ bench: borrowing TreeBench, deviceTree: PhysicalRange? = nil
  ) -> [PreservedPagesFinding] {
    var survey = bench.survey
    _ = survey.sweep(in: bench.memory, deviceTree: deviceTree, covering: [])
    return survey.findings.findings
  }

  @Test("blocks outside memory, as a whole or in part")
  func outsideMemory() throws {
    let end: UInt64 = 1 << 32
    let inside = try Self.bench([Self.block(end - 0x1000, 0), Self.block(end - 0x4000, 1)])
    #expect(Self.findings(inside).isEmpty)
    let behind = try Self.bench([Self.block(end - 0x1000, 0), Self.block(end + 0x1000, 0)])
    #expect(Self.findings(behind) == [.blocksOutsideMemory(Self.run(end + 0x1000, 0, 1))])
    let across = try Self.bench([Self.block(end - 0x1000, 0), Self.block(end, 0)])
    #expect(Self.findings(across) == [.blocksOutsideMemory(Self.run(end - 0x1000, 0, 2))])
    let giant = try Self.bench([Self.block(1 << 63, 51)])
    #expect(Self.findings(giant) == [.blocksOutsideMemory(Self.run(1 << 63, 51, 1))])
  }

  @Test("a hole of memory between the blocks of one leaf")
  func holeOfMemory() throws {
    var bench = try TreeBench(
      RadixGeometry(Self.page), nodeCount: 100,
      claiming: [Self.range(0, 0x20_0000), Self.range(0x40_0000, 1 << 32)])
    try bench.insertAll(
      [Self.block(0x1f_f000, 0), Self.block(0x40_0000, 0), Self.block(0x4000_0000, 0)]
        .map { RadixKey($0, in: Self.page).rawValue })
    #expect(Self.findings(bench).isEmpty)
    try bench.insert(RadixKey(Self.block(0x30_0000, 0), in: Self.page).rawValue)
    #expect(Self.findings(bench) == [.blocksOutsideMemory(Self.run(0x30_0000, 0, 1))])
  }

  @Test("blocks of different orders that share bytes")
  func overlaps() throws {
    let base: UInt64 = 0x4000_0000
    let cases: [([PhysicalBlock], PhysicalBlock, PhysicalBlock)] = [
      // Inside, at the start, at the end.
      (
        [Self.block(base, 3), Self.block(base + 0x2000, 0)], Self.block(base, 3),
        Self.block(base + 0x2000, 0)
      ),
      ([Self.block(base, 3), Self.block(base, 0)], Self.block(base, 0), Self.block(base, 3)),
      (
        [Self.block(base, 3), Self.block(base + 0x6000, 1)], Self.block(base, 3),
        Self.block(base + 0x6000, 1)
      ),
    ]
    for (blocks, first, second) in cases {
      let bench = try Self.bench(blocks)
      #expect(Self.findings(bench) == [.blocksOverlap(first, second)])
      #expect(throws: PreservedPagesFinding.blocksOverlap(first, second)) {
        try bench.tree.validate()
      }
    }
    // Side by side shares nothing.
    let apart = try Self.bench([
      Self.block(base, 3), Self.block(base + 0x8000, 0), Self.block(base - 0x2000, 1),
    ])
    #expect(Self.findings(apart).isEmpty)
    // The longest block so far counts, not the last one.
    let nested = try Self.bench([
      Self.block(base, 5), Self.block(base + 0x1000, 0), Self.block(base + 0x4000, 1),
    ])
    #expect(
      Self.findings(nested) == [
        .blocksOverlap(Self.block(base, 5), Self.block(base + 0x1000, 0)),
        .blocksOverlap(Self.block(base, 5), Self.block(base + 0x4000, 1)),
      ])
    // Of a run, the block that is hit is named.
    let inRun = try Self.bench([
      Self.block(base, 1), Self.block(base + 0x2000, 1), Self.block(base + 0x4000, 1),
      Self.block(base + 0x5000, 0),
    ])
    #expect(
      Self.findings(inRun)
        == [.blocksOverlap(Self.block(base + 0x4000, 1), Self.block(base + 0x5000, 0))])
  }

  @Test("blocks over nodes, each node named with the block on it")
  func overNodes() throws {
    var bench = try Self.bench([])
    let root = bench.tree.root.rawValue
    let rootBlock = Self.block(root, 0)
    try bench.insert(RadixKey(rootBlock, in: Self.page).rawValue)
    #expect(Self.findings(bench) == [.blockOverNode(rootBlock, node: bench.tree.root)])
    #expect(throws: PreservedPagesFinding.blockOverNode(rootBlock, node: bench.tree.root)) {
      try bench.tree.validate()
    }
    bench.remove(RadixKey(rootBlock, in: Self.page).rawValue)

    // A block over the pool's first four frames, all of which are nodes.
    let four = Self.block(root, 2)
    try bench.insert(RadixKey(four, in: Self.page).rawValue)
    let nodes = bench.reference.nodes.map(\.address).filter { $0.rawValue < root + 0x4000 }.sorted()
    #expect(nodes.count == 4)
    #expect(
      Self.findings(bench).filter { $0.severity == .error }
        == nodes.map { .blockOverNode(four, node: $0) })
    bench.remove(RadixKey(four, in: Self.page).rawValue)

    // A page between two nodes' pages is not a node's.
    let free = Self.block(root + 0x1000 * 64, 0)
    try bench.insert(RadixKey(free, in: Self.page).rawValue)
    #expect(Self.findings(bench).filter { $0.severity == .error }.isEmpty)
  }

  @Test("the device tree may be an entry of its own, and of no other owner")
  func deviceTree() throws {
    let tree: UInt64 = 0x8000_0000
    let onePage = Self.range(tree, 0x1000)
    let own = try Self.bench([
      Self.block(tree, 0), Self.block(tree - 0x1000, 0), Self.block(tree + 0x1000, 0),
    ])
    #expect(Self.findings(own, deviceTree: onePage).isEmpty)
    let larger = try Self.bench([Self.block(tree, 1)])
    #expect(
      Self.findings(larger, deviceTree: onePage)
        == [.blockOverDeviceTree(Self.block(tree, 1), deviceTree: onePage.start)])
    #expect(Self.findings(larger, deviceTree: Self.range(tree, 0x2000)).isEmpty)
    let none = try Self.bench([Self.block(tree + 0x1000, 0), Self.block(tree - 0x2000, 1)])
    #expect(Self.findings(none, deviceTree: onePage).isEmpty)
  }

  @Test("a block that leaves the device tree is found behind one that does not")
  func longDeviceTree() throws {
    // Three pages; the run's first block is the tree's own, its second reaches out of it.
    let tree: UInt64 = 0x8000_0000
    let bench = try Self.bench([Self.block(tree, 1), Self.block(tree + 0x2000, 1)])
    #expect(
      Self.findings(bench, deviceTree: Self.range(tree, 0x3000))
        == [
          .blockOverDeviceTree(Self.block(tree + 0x2000, 1), deviceTree: PhysicalAddress(tree))
        ])
    #expect(
      Self.findings(bench, deviceTree: Self.range(tree + 0x1000, 0x3000))
        == [.blockOverDeviceTree(Self.block(tree, 1), deviceTree: PhysicalAddress(tree + 0x1000))])
  }

  @Test("which ranges are covered")
  func coverage() throws {
    let base: UInt64 = 0x4000_0000
    // Orders 0, 1, 2 and 0 again: eight pages in a row; then a gap of one page, and two pages.
    let bench = try Self.bench([
      Self.block(base + 0x1000, 0), Self.block(base + 0x2000, 1), Self.block(base + 0x4000, 2),
      Self.block(base + 0x8000, 0), Self.block(base + 0xa000, 1),
    ])
    let cases: [(PhysicalRange, Bool)] = [
      (Self.range(base + 0x1000, 0x8000), true),
      (Self.range(base + 0x1000, 0x1000), true),
      (Self.range(base + 0x3000, 0x5000), true),
      (Self.range(base + 0xa000, 0x2000), true),
      (Self.range(base + 0xb000, 0x1000), true),
      // A page too many at either end, the gap, both sides of it, far away.
      (Self.range(base, 0x2000), false),
      (Self.range(base + 0x1000, 0x9000), false),
      (Self.range(base + 0x9000, 0x1000), false),
      (Self.range(base + 0x8000, 0x3000), false),
      (Self.range(base + 0xb000, 0x2000), false),
      (Self.range(0, 0x1000), false),
      (Self.range(0xffff_ffff_ffff_f000, 0x1000), false),
      (Self.range(0, 0xffff_ffff_ffff_ffff), false),
      // In whole pages: one byte wants its page, an empty range that of its start.
      (Self.range(base + 0x1fff, 1), true),
      (Self.range(base + 0x1fff, 2), true),
      (Self.range(base + 0x8fff, 2), false),
      (Self.range(base + 0x8123, 0xe00), true),
      (Self.range(base + 0x8123, 0), true),
      (Self.range(base + 0x9000, 0), false),
      (Self.range(base + 0xfff, 1), false),
    ]
    var survey = bench.survey
    let all = survey.sweep(in: bench.memory, deviceTree: nil, covering: cases.map(\.0))
    for (index, (range, expected)) in cases.enumerated() {
      #expect(all[index] == expected, "\(range)")
      var alone = bench.survey
      #expect(alone.sweep(in: bench.memory, deviceTree: nil, covering: [range]) == [expected])
    }
  }

  @Test("coverage at the top of the address space")
  func coverageAtTheTop() throws {
    let top: UInt64 = 0 &- 0x1000
    let lastPage = try Self.bench([Self.block(top, 0)])
    let halves = try Self.bench([Self.block(0, 51), Self.block(1 << 63, 51)])
    let range = Self.range(top, 0x1000)
    var survey = lastPage.survey
    #expect(survey.sweep(in: lastPage.memory, deviceTree: nil, covering: [range]) == [true])
    survey = halves.survey
    let ranges = [range, Self.range(0, 0x1000), Self.range(top - 0x1000, 0x2000)]
    #expect(
      survey.sweep(in: halves.memory, deviceTree: nil, covering: ranges) == [true, true, true])
    // Both halves reach over the nodes, and neither over the other.
    let overlaps = survey.findings.findings.filter {
      if case .blocksOverlap = $0 { true } else { false }
    }
    #expect(overlaps.isEmpty)
  }

  @Test(
    "random blocks: coverage and overlaps as a count page by page has them",
    arguments: [1, 2, 3] as [UInt64])
  func randomBlocks(base seed: UInt64) throws {
    try withEvery("seed", in: (seed * 100)..<(seed * 100 + 20)) { seed in
      var generator = SeededGenerator(seed: seed)
      let base: UInt64 = 0x4000_0000
      let blocks = Set(
        (0..<generator.index(below: 20)).map { _ in
          let order = generator.index(below: 4)
          let number = UInt64(generator.index(below: 64 >> order))
          return Self.block(base + number << UInt64(12 + order), order)
        })
      let bench = try Self.bench(blocks.sorted())
      var coverCount = [Int](repeating: 0, count: 64)
      for block in blocks {
        let first = Int((block.address.rawValue - base) >> 12)
        for page in first..<(first + 1 << Int(block.order.rawValue)) { coverCount[page] += 1 }
      }
      let ranges = (0..<40).map { _ in
        let first = generator.index(below: 64)
        let count = 1 + generator.index(below: min(8, 64 - first))
        return Self.range(base + UInt64(first) * 0x1000, UInt64(count) * 0x1000)
      }
      var survey = bench.survey
      let covered = survey.sweep(in: bench.memory, deviceTree: nil, covering: ranges)
      for (range, isCovered) in zip(ranges, covered) {
        let first = Int((range.start.rawValue - base) >> 12)
        let pages = coverCount[first..<(first + Int(range.byteCount >> 12))]
        try #require(isCovered == pages.allSatisfy { $0 > 0 }, "\(range)")
      }
      let hasOverlap = survey.findings.findings.contains {
        if case .blocksOverlap = $0 { true } else { false }
      }
      try #require(hasOverlap == coverCount.contains { $0 > 1 })
    }
  }

  @Test("two blocks of any orders share bytes or not", arguments: [4, 6, 12, 16])
  func twoBlocks(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    try withEvery("seed", in: 0..<(shift < 12 ? 400 : 120) as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      // Where words, leaves and tables begin and end.
      let unit = UInt64(1) << UInt64(shift + generator.pick([0, 3, 6, 9, shift]))
      let base = 0x4000_0000 + unit * UInt64(generator.index(below: 3))
      func block() -> PhysicalBlock {
        let order = PageOrder(generator.pick([0, 0, 1, 2, 3, 5, 6, 7, 9]))
        let offset = UInt64(generator.index(below: 200)) << UInt64(shift)
        return PhysicalBlock(
          holding: PhysicalAddress(base + offset), order: order, in: page)
      }
      var blocks: Set<PhysicalBlock> = []
      for _ in 0..<generator.pick([2, 2, 3, 6]) { blocks.insert(block()) }
      var bench = try TreeBench(
        RadixGeometry(page), nodeCount: 600, claiming: [Self.range(0, 1 << 40)])
      try bench.insertAll(blocks.map { RadixKey($0, in: page).rawValue })
      let sorted = blocks.sorted()
      var isShared = false
      for (index, block) in sorted.enumerated() {
        for other in sorted[..<index] where block.range(in: page).overlaps(other.range(in: page)) {
          isShared = true
        }
      }
      let found = bench.survey.findings.findings.count
      var survey = bench.survey
      _ = survey.sweep(in: bench.memory, deviceTree: nil, covering: [])
      let hasOverlap = survey.findings.findings.contains {
        if case .blocksOverlap = $0 { true } else { false }
      }
      try #require(hasOverlap == isShared, "\(sorted)")
      try #require((survey.findings.findings.count > found) == isShared, "\(sorted)")
    }
  }
}
