import HandoverTestSupport
import MemoryAccess
import Testing

@testable import PreservedPages

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
        #expect(try bench.tree.insert(contentsOf: &span, from: &bench.frames) == newCount)
        model.formUnion(keys)
        try #require(batch.map(\.rawValue).sorted() == keys.sorted(), "keys lost")
        try bench.checkMarks(model)
      }
    }
  }

  @Test("many keys, some values often, most of them rarely", arguments: [5, 12])
  func manyKeys(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    var bench = try TreeBench(shift: shift, nodeCount: 9000)
    let span: UInt64 = (shift > 5 ? 4000 : 2000) << UInt64(shift + 3)
    let often = (0..<3).map { _ in generator.next() % span }
    let keys = (0..<6000).map { _ in
      let block =
        generator.isOne(in: 3)
        ? generator.next() % span : min(generator.pick(often) + generator.next() % 2000, span)
      return InterestingKeys.key(order: generator.pick([0, 0, 1]), block: block, shift: shift)
    }
    try withEvery("is sorted", in: [false, true]) { isSorted in
      var batch = (isSorted ? keys.sorted() : keys).map { RadixKey(rawValue: $0) }
      var span = batch.mutableSpan
      let newCount = try bench.tree.insert(contentsOf: &span, from: &bench.frames)
      try #require(newCount == (isSorted ? 0 : Set(keys).count))
      try #require(batch.map(\.rawValue).sorted() == keys.sorted(), "keys lost")
      try bench.checkMarks(Set(keys))
    }
  }

  @Test("what is partitioned is together, and nothing is lost")
  func partition() throws {
    var generator = SeededGenerator(seed: 7)
    try withEvery("count", in: [0, 1, 15, 16, 17, 500, 3000]) { count in
      try withEvery("value count", in: [1, 2, 64] as [UInt64]) { valueCount in
        let keys = (0..<count).map { _ in
          RadixKey(rawValue: generator.next() % valueCount << 40 | generator.next() % 1000)
        }
        // The margins belong to others.
        var all = [RadixKey(rawValue: 1)] + keys + [RadixKey(rawValue: 2)]
        var span = all.mutableSpan
        let classes = span.partition(1..<count + 1, byBitsFrom: 40)
        var sum = 0
        for value in 0..<64 {
          let (blocks, rest) = classes[value]
          try #require(blocks.count % 16 == 0 && rest.count < 16)
          for index in [blocks, rest].joined() {
            try #require(all[index].rawValue >> 40 == UInt64(value))
          }
          sum += blocks.count + rest.count
        }
        try #require(sum == count)
        try #require(all.first == RadixKey(rawValue: 1) && all.last == RadixKey(rawValue: 2))
        try #require(all[1..<count + 1].sorted() == keys.sorted(), "keys lost")
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
    try bench.tree.insert(contentsOf: &span, from: &bench.frames)
    try bench.check(against: Set(keys))
  }

  @Test("one number that is not a key, and nothing is marked", arguments: [4, 12])
  func noKey(shift: Int) throws {
    var bench = try TreeBench(shift: shift)
    try withEvery("wrong", in: [0, 1, 1 << UInt64(65 - shift), .max] as [UInt64]) { wrong in
      try withEvery("place", in: [0, 1, 50, 98]) { place in
        try withEvery("is sorted", in: [false, true]) { isSorted in
          var keys: [UInt64] = Array(2..<100)
          if !isSorted { keys.reverse() }
          keys.insert(wrong, at: place)
          // The first of two is named.
          keys.append(1)
          var batch = keys.map { RadixKey(rawValue: $0) }
          #expect(throws: RadixTreeError.keyOutsideTree(RadixKey(rawValue: wrong))) {
            var span = batch.mutableSpan
            try bench.tree.insert(contentsOf: &span, from: &bench.frames)
          }
          try bench.check(against: [])
        }
      }
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
        try bench.tree.insert(contentsOf: &span, from: &bench.frames)
      } catch {
        failure = error
      }
      try #require(failure != nil)
      let marked = Set(bench.reference.keys)
      try #require(marked.isSuperset(of: old) && marked.isSubset(of: keys))
      try bench.checkMarks(marked)
      var span = batch.mutableSpan
      let newCount = try bench.tree.insert(contentsOf: &span, from: &bench.frames)
      try #require(newCount == Set(keys).count - marked.count)
      try bench.checkMarks(Set(keys))
    }
  }
}
