import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Questions about blocks that follow each other, against a set of keys.
@Suite(.namesCombination)
struct KeyRangeTests {
  @Test(arguments: [4, 5, 6, 12, 14])
  func runsOfARange(shift: Int) throws {
    try withEvery("seed", in: 1...(shift < 12 ? 8 : 2) as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: 3000)
      let order = generator.pick([0, 1, 3])
      let edges = RangeTests.edges(shift: shift)
      let span = edges.last! + 200
      var marked: Set<UInt64> = []
      for _ in 0..<generator.index(below: 12) {
        let first = generator.pick(edges) + UInt64(generator.index(below: 3))
        let count = UInt64(generator.pick([1, 2, 63, 64, 65, 300]))
        try bench.tree.insertRange(
          bench.run(order: order, first: first, count: count), from: &bench.frames)
        marked.formUnion(first..<first + count)
      }
      // A neighbouring order's keys are not of the range.
      if order > 0 { try bench.insert(InterestingKeys.key(order: 0, block: 5, shift: shift)) }
      try #require(bench.survey.countByOrder[order] == UInt64(marked.count))
      for _ in 0..<24 {
        let first = generator.isOne(in: 2) ? generator.pick(edges) : generator.next() % span
        let most = min(span - first, 1500)
        let count = generator.isOne(in: 3) ? 1 : generator.next() % most + 1
        let run = bench.run(order: order, first: first, count: count)
        let range = first..<first + count
        let found = bench.tree.firstMarked(of: run)
        let expected = range.first { marked.contains($0) }
        try #require(
          found?.address.rawValue == expected.map { $0 << UInt64(shift + order) },
          "\(range)")
        var runs: [BlockRun] = []
        bench.tree.forEachMarkedRun(of: run) { runs.append($0) }
        try #require(runs == bench.runs(order, range) { marked.contains($0) }, "\(range)")
        runs = []
        bench.tree.forEachUnmarkedRun(of: run) { runs.append($0) }
        try #require(runs == bench.runs(order, range) { !marked.contains($0) }, "\(range)")
      }
    }
  }

  @Test func lastBlocksOfMemory() throws {
    var bench = try TreeBench(shift: 12)
    let last = InterestingKeys.blockNumbers(order: 0, shift: 12).last!
    let run = bench.run(order: 0, first: last - 99, count: 100)
    #expect(bench.tree.firstMarked(of: run) == nil)
    try bench.insert(InterestingKeys.key(order: 0, block: last, shift: 12))
    #expect(bench.tree.firstMarked(of: run)?.address.rawValue == last << 12)
    var free: [BlockRun] = []
    bench.tree.forEachUnmarkedRun(of: run) { free.append($0) }
    #expect(free == [bench.run(order: 0, first: last - 99, count: 99)])
  }

  @Test func aBodyThatThrowsEndsTheWalk() throws {
    struct Enough: Error {}
    var bench = try TreeBench(shift: 12)
    for block in [1, 3, 5] as [UInt64] {
      try bench.insert(InterestingKeys.key(order: 0, block: block, shift: 12))
    }
    var seen = 0
    #expect(throws: Enough.self) {
      try bench.tree.forEachMarkedRun(of: bench.run(order: 0, first: 0, count: 64)) { _ in
        seen += 1
        if seen == 2 { throw Enough() }
      }
    }
    #expect(seen == 2)
  }
}

extension TreeBench {
  /// The runs of blocks in `range` of which `belongs` is true.
  func runs(_ order: Int, _ range: Range<UInt64>, _ belongs: (UInt64) -> Bool) -> [BlockRun] {
    var runs: [BlockRun] = []
    var start: UInt64?
    for block in range.lowerBound...range.upperBound {
      if block < range.upperBound, belongs(block) {
        start = start ?? block
      } else if let first = start {
        runs.append(run(order: order, first: first, count: block - first))
        start = nil
      }
    }
    return runs
  }
}
