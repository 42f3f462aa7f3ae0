import HandoverTestSupport
import MemoryModel
import PreservedPages
import Testing

/// Keys in no order, marked at once.
@Suite(.namesCombination)
struct BatchTests {
  @Test("batches leave what a set says", arguments: [5, 6, 12, 16])
  func randomBatches(shift: Int) throws {
    try withEvery("seed", in: 1...2 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: shift > 12 ? 700 : 60_000)
      var model: Set<UInt64> = []
      // Keys as wide apart as there is memory for their nodes, and many in one leaf.
      let leafCount: UInt64 = shift > 12 ? 300 : 3000
      let span = leafCount << UInt64(shift + 3)
      try withEvery("count", in: [0, 1, 65, 400]) { count in
        var keys = (0..<count).map { _ in
          let block = generator.isOne(in: 4) ? generator.next() % 200 : generator.next() % span
          return InterestingKeys.key(order: generator.pick([0, 0, 2]), block: block, shift: shift)
        }
        // Some twice.
        keys += keys.filter { _ in generator.isOne(in: 5) }
        let newCount = Set(keys).subtracting(model).count
        var batch = keys.map { RadixKey(rawValue: $0) }
        var span = batch.mutableSpan
        #expect(try bench.tree.insertAll(&span, from: &bench.frames) == newCount)
        model.formUnion(keys)
        try #require(batch.map(\.rawValue).sorted() == keys.sorted(), "keys lost")
        try bench.checkMarks(model)
      }
    }
  }

  @Test("keys over all orders and all memory", arguments: [12, 14, 16])
  func widest(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    var bench = try TreeBench(shift: shift, nodeCount: 900)
    let keys = (0..<150).map { _ in InterestingKeys.random(shift: shift, using: &generator) }
    var batch = keys.map { RadixKey(rawValue: $0) }
    var span = batch.mutableSpan
    try bench.tree.insertAll(&span, from: &bench.frames)
    try bench.check(against: Set(keys))
  }

  @Test("one key that is none, and nothing is marked", arguments: [4, 12])
  func noKey(shift: Int) throws {
    var bench = try TreeBench(shift: shift)
    try withEvery("wrong", in: [0, 1, 1 << UInt64(65 - shift), .max] as [UInt64]) { wrong in
      var batch = (2..<100 as Range<UInt64>).map { RadixKey(rawValue: $0) }
      batch.append(RadixKey(rawValue: wrong))
      #expect(throws: RadixTreeError.keyOutsideTree(RadixKey(rawValue: wrong))) {
        var span = batch.mutableSpan
        try bench.tree.insertAll(&span, from: &bench.frames)
      }
      try bench.check(against: [])
    }
  }

  @Test("a batch that ran out of frames goes on where it stopped", arguments: [6, 12, 16])
  func failures(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    let keys = (0..<120).map { _ in InterestingKeys.random(shift: shift, using: &generator) }
    try withEvery("failing take", in: [1, 3, 20]) { failing in
      var bench = try TreeBench(shift: shift, nodeCount: shift == 6 ? 6000 : 700)
      let old = Set(keys.prefix(10))
      try bench.insertAll(old)
      var batch = keys.map { RadixKey(rawValue: $0) }
      bench.frames.takesUntilFailure = failing
      var failure: RadixTreeError?
      do throws(RadixTreeError) {
        var span = batch.mutableSpan
        try bench.tree.insertAll(&span, from: &bench.frames)
      } catch {
        failure = error
      }
      try #require(failure != nil)
      let marked = Set(bench.reference.keys)
      try #require(marked.isSuperset(of: old) && marked.isSubset(of: keys))
      try bench.checkMarks(marked)
      var span = batch.mutableSpan
      let newCount = try bench.tree.insertAll(&span, from: &bench.frames)
      try #require(newCount == Set(keys).count - marked.count)
      try bench.checkMarks(Set(keys))
    }
  }
}
