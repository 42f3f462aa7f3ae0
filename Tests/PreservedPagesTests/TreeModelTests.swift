import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Random changes to a tree and to a plain set, compared.
@Suite(.namesCombination)
struct TreeModelTests {
  struct Effort: Sendable, CustomTestStringConvertible {
    let shift: Int
    let seedCount: UInt64
    let batchCount: Int
    /// How many places the keys are around: a place costs a path of nodes.
    let anchorCount: Int
    var testDescription: String { "shift \(shift)" }
  }

  static let efforts = [
    Effort(shift: 4, seedCount: 10, batchCount: 5, anchorCount: 25),
    Effort(shift: 5, seedCount: 10, batchCount: 5, anchorCount: 25),
    Effort(shift: 6, seedCount: 10, batchCount: 5, anchorCount: 25),
    Effort(shift: 12, seedCount: 3, batchCount: 3, anchorCount: 7),
    Effort(shift: 14, seedCount: 2, batchCount: 2, anchorCount: 4),
    Effort(shift: 16, seedCount: 2, batchCount: 1, anchorCount: 3),
  ]

  @Test("random changes leave what a set says", arguments: efforts)
  func randomChanges(_ effort: Effort) throws {
    try withEvery("seed", in: 1...effort.seedCount) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(effort.shift))
      let anchors = (0..<effort.anchorCount).map { _ in
        InterestingKeys.random(shift: effort.shift, using: &generator)
      }
      var bench = try TreeBench(shift: effort.shift, nodeCount: effort.anchorCount * 2 * 60)
      var model: Set<UInt64> = []
      try withEvery("batch", in: 1...effort.batchCount) { _ in
        for _ in 0..<80 { try change(&bench, &model, anchors, using: &generator) }
        try bench.check(against: model)
        try bench.checkSurvey(against: model)
        try bench.checkValidity(against: model)
      }
      try checkLast(&bench, model)
    }
  }

  /// One change or question, put to both.
  private func change(
    _ bench: inout TreeBench, _ model: inout Set<UInt64>, _ anchors: [UInt64],
    using generator: inout SeededGenerator
  ) throws {
    let keyEnd: UInt64 = 1 << UInt64(65 - bench.geometry.page.shift)
    // A key near an anchor: within its word or the next, seldom outside its leaf.
    let near = generator.pick(anchors) &+ UInt64(generator.index(below: 7)) &- 3
    let key = min(max(near, 2), keyEnd - 1)
    switch generator.index(below: 20) {
    case 0..<8:
      let isNew = try bench.insert(key)
      try #require(isNew == model.insert(key).inserted)
    case 8..<10:
      for next in key...(key + UInt64(generator.index(below: 70))) where next < keyEnd {
        try bench.insert(next)
        model.insert(next)
      }
    case 10..<15:
      let victim = generator.isOne(in: 2) ? key : model.min() ?? key
      try #require(bench.remove(victim) == (model.remove(victim) != nil))
    case 15:
      bench.prune()
    case 16:
      bench.adoptAgain()
    case 17:
      let expected = model.filter { $0 >= key }.min()
      try #require(bench.tree.firstKey(atOrAfter: key)?.rawValue == expected)
    default:
      try #require(bench.tree.contains(RadixKey(rawValue: key)) == model.contains(key))
    }
  }

  @Test("keys of two orders by turns, each in leaves of its own", arguments: [4, 5, 6, 12])
  func ordersByTurns(shift: Int) throws {
    let orders = Array(0...(63 - shift))
    for first in orders where first + shift + 3 < 64 - shift {
      for second in orders.reversed().prefix(shift == 12 ? 36 : 12) where second != first {
        var bench = try TreeBench(shift: shift, nodeCount: 120)
        var model: Set<UInt64> = []
        // Twice to a new leaf, so that the tree remembers the word; the other order; then a third leaf of the first.
        for (order, leaf) in [(first, 0), (first, 1), (second, 0), (first, 2), (first, 1)]
          as [(Int, UInt64)]
        {
          let block = order == first ? leaf << UInt64(shift + 3) | leaf : leaf
          let key = InterestingKeys.key(order: order, block: block, shift: shift)
          let isNew = try bench.insert(key)
          try #require(
            isNew == model.insert(key).inserted, "order \(order) after \(first), \(second)")
          let isFound = bench.tree.contains(RadixKey(rawValue: key))
          try #require(isFound, "order \(order) after \(first), \(second)")
        }
        for key in model { try #require(bench.remove(key) == true, "orders \(first), \(second)") }
        try bench.check(against: [])
      }
    }
  }

  /// As a page allocator hands blocks out: of mixed orders within a few pages, then elsewhere. Now and then keys of one
  /// order come in a row, are removed though never inserted, or nodes are pruned.
  @Test("blocks of mixed orders, in memory below several tables", arguments: [4, 5, 6, 12, 14, 16])
  func mixedOrders(shift: Int) throws {
    // Tables of level 1 and of level 2 cover 64 GiB and 32 TiB with pages of 4 KiB.
    let reach = RadixGeometry(PageGeometry(shift: shift)).slotShift(level: 2)
    let places: [UInt64] = [
      0, 1 << UInt64(reach - 4), 1 << UInt64(reach), 3 << UInt64(reach),
      1 << UInt64(min(reach + shift - 3, 60 - shift)),
    ]
    try withEvery("seed", in: 1...4 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: 6000)
      var model: Set<UInt64> = []
      for _ in 0..<60 {
        let place = generator.pick(places)
        for _ in 0..<30 {
          let order = UInt64(generator.index(below: min(10, 60 - shift)))
          let page = place + UInt64(generator.index(below: 1024))
          let key = InterestingKeys.key(order: Int(order), block: page >> order, shift: shift)
          let isRun = generator.isOne(in: 25)
          for next in key..<(key + (isRun ? 150 : 1)) {
            if generator.isOne(in: 3) {
              try #require(bench.remove(next) == (model.remove(next) != nil))
            } else {
              let isNew = try bench.insert(next)
              try #require(isNew == model.insert(next).inserted)
            }
          }
        }
        if generator.isOne(in: 20) { bench.prune() }
      }
      try bench.check(against: model)
      try checkLast(&bench, model)
    }
  }

  /// Empties the tree, and sees that all frames come back.
  private func checkLast(_ bench: inout TreeBench, _ model: Set<UInt64>) throws {
    for key in model { try #require(bench.remove(key) == true) }
    try #require(bench.tree.isEmpty == true)
    bench.prune()
    try #require(bench.frames.pool.takenCount == 1, "the root stays")
    try #require(bench.destroyTree() == 1)
    try #require(bench.frames.pool.takenCount == 0)
  }
}
