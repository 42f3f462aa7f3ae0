import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Runs of blocks, marked and unmarked whole.
@Suite(.namesCombination)
struct RangeTests {
  /// Edges of words and leaves, around the first blocks.
  static func edges(shift: Int) -> [UInt64] {
    let leaf: UInt64 = 1 << UInt64(shift + 3)
    return [0, 1, 63, 64, leaf - 1, leaf, 2 * leaf + 65]
  }

  @Test("every run between edges, marked and unmarked again", arguments: [4, 5, 6])
  func everyRun(shift: Int) throws {
    let there: Set<UInt64> = [0, 2, 64, 1 << UInt64(shift + 3), 1 << UInt64(2 * shift)]
    let edges = Self.edges(shift: shift)
    try withEvery("order", in: [0, 3]) { order in
      try withEvery("holds keys", in: [false, true]) { holdsKeys in
        try withEvery("first", in: edges) { first in
          try withEvery("last", in: edges.filter { $0 >= first }) { last in
            func key(_ block: UInt64) -> UInt64 {
              InterestingKeys.key(order: order, block: block, shift: shift)
            }
            var bench = try TreeBench(shift: shift, nodeCount: 900)
            var model = holdsKeys ? Set(there.map(key)) : []
            try bench.insertAll(model)
            let run = bench.run(order: order, first: first, count: last - first + 1)
            try bench.tree.insertRange(run, from: &bench.frames)
            model.formUnion((first...last).map(key))
            try bench.checkMarks(model)

            // Unmarks another run, which begins inside the first and ends behind it.
            let middle = first + (last - first) / 2
            let rest = bench.run(order: order, first: middle, count: last - middle + 70)
            bench.tree.removeRange(rest)
            model.subtract((middle...(last + 69)).map(key))
            try bench.checkMarks(model)
            for key in model { try #require(bench.remove(key) == true) }
            bench.prune()
            try #require(bench.frames.pool.takenCount == 1)
          }
        }
      }
    }
  }

  @Test("random runs leave what a set says", arguments: [4, 6, 12, 14, 16])
  func randomRuns(shift: Int) throws {
    try withEvery("seed", in: 1...(shift > 4 && shift < 12 ? 6 : 2) as ClosedRange<UInt64>) {
      seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: 2000)
      var model: Set<UInt64> = []
      let edges = Self.edges(shift: shift)
      for _ in 0..<(shift > 12 ? 3 : 8) {
        let order = generator.pick([0, 1, 2, 9])
        let first = generator.pick(edges)
        let count = UInt64(generator.index(below: shift < 12 ? 300 : 3000)) + 1
        let run = bench.run(order: order, first: first, count: count)
        let keys = (first..<first + count).map {
          InterestingKeys.key(order: order, block: $0, shift: shift)
        }
        if generator.isOne(in: 3) {
          bench.tree.removeRange(run)
          model.subtract(keys)
        } else {
          try bench.tree.insertRange(run, from: &bench.frames)
          model.formUnion(keys)
        }
        // A key by itself in between: what the tree remembers of its word may have changed.
        let key = InterestingKeys.key(order: order, block: first, shift: shift)
        if generator.isOne(in: 2) {
          #expect(try bench.insert(key) == model.insert(key).inserted)
        } else {
          #expect(bench.remove(key) == (model.remove(key) != nil))
        }
      }
      try bench.checkWalks(against: model)
      try bench.checkMarks(model)
    }
  }

  @Test("a run whose N-th frame is missing, for every N", arguments: [4, 5, 6, 12, 14, 16])
  func everyFailure(shift: Int) throws {
    let leaf: UInt64 = 1 << UInt64(shift + 3)
    func key(_ block: UInt64) -> UInt64 {
      InterestingKeys.key(order: 0, block: block, shift: shift)
    }
    try withEvery("shape", in: [[], [leaf + 5]] as [[UInt64]]) { shape in
      try withEvery("run", in: [(5, 2 * leaf), (leaf - 1, 2)] as [(UInt64, UInt64)]) {
        first, count in
        var bench = try TreeBench(shift: shift, nodeCount: 400)
        try bench.insertAll(shape.map(key))
        let before = bench.usedMemory
        let takenBefore = bench.frames.pool.takenCount
        var attempt = 1
        while true {
          bench.frames.takesUntilFailure = attempt
          var failure: RadixTreeError?
          do throws(RadixTreeError) {
            try bench.tree.insertRange(
              bench.run(order: 0, first: first, count: count), from: &bench.frames)
          } catch {
            failure = error
          }
          if failure == nil { break }
          guard case .outOfFrames(let level) = failure else {
            Issue.record("\(String(describing: failure))")
            return
          }
          try #require(level < bench.geometry.rootLevel)
          try #require(bench.frames.pool.takenCount == takenBefore, "frames lost")
          try #require(bench.usedMemory == before, "memory in use has changed")
          attempt += 1
          try #require(attempt < 200)
        }
        let missing = bench.frames.pool.takenCount - takenBefore
        try #require(missing == UInt64(attempt - 1), "one failure for each node that was missing")
        try bench.checkMarks(Set((shape + (first..<first + count)).map(key)))
      }
    }
  }

  @Test("frames, and runs of nothing", arguments: [4, 12, 16])
  func frameRanges(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 400)
    let frames = FrameRange(start: FrameNumber(24), frameCount: 40)
    try bench.tree.insertRange(frames, order: PageOrder(3), from: &bench.frames)
    try bench.tree.insertRange(frames, from: &bench.frames)
    func key(_ order: Int, _ block: UInt64) -> UInt64 {
      InterestingKeys.key(order: order, block: block, shift: shift)
    }
    var model = Set((3..<8).map { key(3, $0) } + (24..<64).map { key(0, $0) })
    try bench.check(against: model)
    let nothing = FrameRange(start: FrameNumber(7), frameCount: 0)
    try bench.tree.insertRange(nothing, order: PageOrder(5), from: &bench.frames)
    bench.tree.removeRange(nothing)
    bench.tree.removeRange(FrameRange(start: FrameNumber(0), frameCount: 32), order: PageOrder(3))
    model.remove(key(3, 3))
    try bench.check(against: model)
  }

  @Test("the last blocks of the address space", arguments: [4, 12, 14, 16])
  func lastBlocks(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 600)
    let last: UInt64 = 1 << UInt64(64 - shift) - 1
    try bench.tree.insertRange(
      bench.run(order: 0, first: last - 99, count: 100), from: &bench.frames)
    let highest = 63 - shift
    try bench.tree.insertRange(
      bench.run(order: highest, first: 0, count: 2), from: &bench.frames)
    let keys = (last - 99...last).map { InterestingKeys.key(order: 0, block: $0, shift: shift) }
    try bench.check(against: Set(keys + [2, 3]))
  }

  @Test("a tree without a place for the keys refuses the run, and has none to remove")
  func outside() throws {
    var bench = try TreeBench(.version2(.pages16KiB))
    let run = BlockRun(address: PhysicalAddress(1 << 20), order: .zero, blockCount: 3)
    let first = RadixKey(run.address, order: .zero, in: .pages16KiB)
    #expect(throws: RadixTreeError.keyOutsideTree(first)) {
      try bench.tree.insertRange(run, from: &bench.frames)
    }
    bench.tree.removeRange(run)
    try bench.check(against: [])
  }

  @Test("a run beyond 2^64 bytes is a bug of the caller")
  func tooLong() async {
    await #expect(processExitsWith: .failure) {
      var bench = try TreeBench(shift: 12)
      let last = PhysicalAddress(.max << 12)
      try bench.tree.insertRange(
        BlockRun(address: last, order: .zero, blockCount: 2), from: &bench.frames)
    }
  }
}

extension TreeBench {
  /// Compares what is in memory, bit for bit and node for node, with the set it should hold.
  borrowing func checkMarks(_ keys: Set<UInt64>) throws {
    let reference = self.reference
    try #require(reference.keys == keys.sorted())
    try #require(frames.pool.takenCount == UInt64(reference.nodes.count))
  }

  /// `count` blocks of `order` from block `first` on.
  func run(order: Int, first: UInt64, count: UInt64) -> BlockRun {
    BlockRun(
      address: PhysicalAddress(first << UInt64(geometry.page.shift + order)),
      order: PageOrder(order), blockCount: count)
  }
}
