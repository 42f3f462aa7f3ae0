import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Trees walked in parts, and values that share a tree.
@Suite(.namesCombination)
struct PartTests {
  @Test("the parts make up the whole", arguments: [5, 12, 16])
  func parts(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    var bench = try TreeBench(shift: shift, nodeCount: 3000)
    var model: Set<UInt64> = []
    try withEvery("keys", in: [0, 1, 25]) { count in
      for _ in 0..<count {
        let key = InterestingKeys.random(shift: shift, using: &generator)
        try bench.insert(key)
        model.insert(key)
      }
      let leafCount = bench.reference.nodes.filter { $0.level == 0 }.count
      try withEvery("parts", in: [1, 2, 3, 7, 1000]) { partCount in
        let parts = bench.tree.parts(partCount)
        try #require(parts.count == max(1, min(partCount, leafCount)))
        var keys: [UInt64] = []
        var runKeys: [UInt64] = []
        var leaves: [Int] = []
        for part in parts {
          let before = keys.count
          bench.tree.forEachKey(in: part) { keys.append($0.rawValue) }
          bench.tree.forEachRange(in: part) { run in
            let first = RadixKey(run.address, order: run.order, in: bench.geometry.page)
            runKeys += (0..<run.blockCount).map { first.rawValue + $0 }
          }
          leaves.append(Set(keys[before...].map { $0 >> UInt64(shift + 3) }).count)
        }
        try #require(keys == model.sorted())
        try #require(runKeys == model.sorted())
        if leafCount > 0 { try #require(leaves.max()! - leaves.min()! <= 1, "uneven: \(leaves)") }
      }
    }
  }

  @Test("the runs in a part of memory", arguments: [4, 5, 12, 16])
  func overlapping(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(0x600 + shift))
    var bench = try TreeBench(shift: shift, nodeCount: 3000)
    let page = bench.geometry.page
    var model: Set<UInt64> = []
    try withEvery("keys", in: [0, 1, 30]) { count in
      for _ in 0..<count {
        let key = InterestingKeys.random(shift: shift, using: &generator)
        try bench.insert(key)
        model.insert(key)
      }
      let blocks = model.map { ReferenceTree.block(of: $0, shift: shift) }
        .sorted { ($0.order, $0.address) < ($1.order, $1.address) }
      let edges: [UInt64] =
        [0, .max] + blocks.flatMap { [$0.address.rawValue, Naive.last($0, shift: shift)] }
      for _ in 0..<30 {
        let ends = [edges, edges].map { edges in
          edges[generator.index(below: edges.count)] &+ UInt64(generator.index(below: 3)) &- 1
        }
        let (start, last) = (ends.min()!, ends.max()!)
        guard last &- start < .max else { continue }
        let range = PhysicalRange(
          start: PhysicalAddress(start), byteCount: last &- start &+ 1)
        var runs: [BlockRun] = []
        bench.tree.forEachRange(overlapping: range) { runs.append($0) }
        let expected = blocks.filter {
          $0.address.rawValue <= last && Naive.last($0, shift: shift) >= start
        }
        try #require(runs == Naive.runs(expected, shift: shift), "\(range) \(page)")
      }
    }
  }

  @Test("words of every density", arguments: [5, 12])
  func densities(shift: Int) throws {
    try withEvery("one in", in: [1, 2, 5, 10, 64] as [UInt64]) { divisor in
      var generator = SeededGenerator(seed: divisor)
      var bench = try TreeBench(shift: shift, nodeCount: 600)
      let first = InterestingKeys.key(order: 0, block: 0, shift: shift)
      let end = shift == 12 ? first + 5000 : first + 6 << UInt64(shift + 3)
      let keys = (first..<max(end, first + 700)).filter { _ in generator.next() % divisor == 0 }
      try bench.insertAll(keys)
      try bench.checkWalks(against: Set(keys))
    }
  }

  @Test("two values for one tree lose nothing of each other's", arguments: [4, 12])
  func twoValues(shift: Int) throws {
    var bench = try TreeBench(shift: shift)
    var other = RadixTree(adopting: bench.tree.root, in: bench.memory, geometry: bench.geometry)
    var generator = SeededGenerator(seed: 3)
    var model: Set<UInt64> = []
    let first = InterestingKeys.key(order: 0, block: 0, shift: shift)
    for _ in 0..<1500 {
      let key = first + UInt64(generator.index(below: 130))
      switch generator.index(below: 4) {
      case 0: try #require(try bench.insert(key) == model.insert(key).inserted)
      case 1:
        let isNew = try other.insert(RadixKey(rawValue: key), from: &bench.frames)
        try #require(isNew == model.insert(key).inserted)
      case 2: try #require(bench.remove(key) == (model.remove(key) != nil))
      default:
        try #require(other.remove(RadixKey(rawValue: key)) == (model.remove(key) != nil))
      }
    }
    try bench.check(against: model)
  }
}
