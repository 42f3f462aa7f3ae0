import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// The walk over blocks of all orders by address.
@Suite(.namesCombination)
struct MergeTests {
  @Test("random blocks of mixed orders, overlapping and not", arguments: [4, 6, 9, 12])
  func randomBlocks(shift: Int) throws {
    let leafKeyCount = 1 << (shift + 3)
    try withEvery("seed", in: 1...(shift < 12 ? 30 : 10) as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed * 100 + UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: 2000)
      var keys: Set<UInt64> = []
      // A window over the end of a leaf of order 0: higher orders cover the same addresses.
      let windowPages = 96
      let firstPage = leafKeyCount - windowPages / 3
      for _ in 0..<generator.index(below: 60) {
        let order = generator.index(below: 5)
        let page = UInt64(firstPage + generator.index(below: windowPages))
        let number = page >> UInt64(order)
        let count = generator.isOne(in: 4) ? 1 + generator.index(below: 40) : 1
        for next in 0..<UInt64(count) {
          keys.insert(InterestingKeys.key(order: order, block: number + next, shift: shift))
        }
      }
      try bench.insertAll(keys.sorted())
      try bench.checkSurvey(against: keys)
      // Every run but the last is followed by one that does not continue it.
      var last: BlockRun?
      bench.survey.forEachRun(in: bench.memory) { run in
        if let last, last.order == run.order {
          let end =
            last.address.rawValue + last.blockCount << UInt64(shift + Int(run.order.rawValue))
          if end == run.address.rawValue { Issue.record("\(last) goes on as \(run)") }
        }
        last = run
      }
    }
  }

  @Test("every set of blocks within eight pages", arguments: [4, 12])
  func everySet(shift: Int) throws {
    // Orders 3, 2, 1 and some of order 0 over the same pages, and a page behind.
    let keys = [(3, 1), (2, 2), (2, 3), (1, 5), (0, 8), (0, 10), (0, 11), (0, 16)].map {
      InterestingKeys.key(order: $0.0, block: UInt64($0.1), shift: shift)
    }
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    try bench.insertAll(keys)
    let step = shift == 4 ? 1 : 7
    try withEvery("subset", in: stride(from: 0, to: 1 << keys.count, by: step)) { subset in
      var members: Set<UInt64> = []
      for (index, key) in keys.enumerated() {
        if subset & (1 << index) != 0 {
          try bench.insert(key)
          members.insert(key)
        } else {
          bench.remove(key)
        }
      }
      try bench.checkSurvey(against: members)
    }
  }

  @Test("a run over many leaves is one", arguments: [4, 5, 6, 9])
  func longRuns(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    let leafKeyCount: UInt64 = 1 << UInt64(shift + 3)
    let start = leafKeyCount - 3
    let count = leafKeyCount * 2 + 7
    let keys = (start..<(start + count)).map {
      InterestingKeys.key(order: 0, block: $0, shift: shift)
    }
    try bench.insertAll(keys)
    let run = BlockRun(
      address: PhysicalAddress(start << UInt64(shift)), order: .zero, blockCount: count)
    var runs: [BlockRun] = []
    bench.survey.forEachRun(in: bench.memory) { runs.append($0) }
    #expect(runs == [run])
    runs = []
    bench.tree.forEachRange { runs.append($0) }
    #expect(runs == [run])
    #expect(run.firstBlock == PhysicalBlock(address: run.address, order: .zero))

    // A hole at each place near a leaf's end cuts it in two.
    try withEvery("hole", in: (leafKeyCount * 2 - 2)..<(leafKeyCount * 2 + 2)) { hole in
      let key = InterestingKeys.key(order: 0, block: hole, shift: shift)
      bench.remove(key)
      runs = []
      bench.survey.forEachRun(in: bench.memory) { runs.append($0) }
      try #require(runs.map(\.blockCount) == [hole - start, start + count - hole - 1])
      try bench.insert(key)
    }
  }

  @Test("ends of runs, and their bytes at the top of the address space")
  func rangesOfRuns() {
    let page = PageGeometry.pages4KiB
    func range(_ address: UInt64, _ order: Int, _ count: UInt64) -> PhysicalRange {
      BlockRun(address: PhysicalAddress(address), order: PageOrder(order), blockCount: count)
        .range(in: page)
    }
    #expect(range(0x3000, 0, 2).byteCount == 0x2000)
    #expect(range(0 &- 0x1000, 0, 1).last?.rawValue == .max)
    #expect(range(1 << 63, 51, 1).last?.rawValue == .max)
    #expect(range(1 << 63, 50, 2).byteCount == 1 << 63)
    // All of it has no length; the range is a byte short.
    #expect(range(0, 51, 2).byteCount == .max)
    #expect(range(0, 0, 1 << 52).byteCount == .max)
  }
}
