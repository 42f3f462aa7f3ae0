import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Trees with tables of 2, 4 and 8 pointers, in every combination of a few keys.
@Suite(.namesCombination)
struct ToyTreeTests {
  struct Toy: Sendable, CustomTestStringConvertible {
    let shift: Int
    let keys: [UInt64]
    var testDescription: String { "shift \(shift)" }
  }

  /// Keys that share everything from a word to nothing but the root.
  static let toys: [Toy] = [4, 5, 6].map { shift in
    func key(_ order: Int, _ block: UInt64) -> UInt64 {
      InterestingKeys.key(order: order, block: block, shift: shift)
    }
    let largestOrder = 63 - shift
    let largestPage: UInt64 = (1 << UInt64(64 - shift)) - 1
    let leafKeyCount: UInt64 = 1 << UInt64(shift + 3)
    return Toy(
      shift: shift,
      keys: [
        key(largestOrder, 1),  // 3: the upper half of all memory, in the leaf of no keys
        key(0, 0), key(0, 1),  // page 0 and its neighbour
        key(0, largestPage),  // the last key of the tree
        key(1, largestPage >> 1),  // the number just below order 0's first
        key(0, leafKeyCount - 1), key(0, leafKeyCount),  // over a leaf's end
        key(2, 63),  // the end of a word
      ])
  }

  @Test("every subset, put in upwards, downwards and in disorder", arguments: toys)
  func everySubset(_ toy: Toy) throws {
    try withEvery("subset", in: 0..<(1 << toy.keys.count)) { subset in
      let members = toy.keys.enumerated().filter { subset & (1 << $0.offset) != 0 }
        .map(\.element).sorted()
      var generator = SeededGenerator(seed: UInt64(subset))
      let orders = [members, members.reversed(), members.shuffled(using: &generator)]
      // One bench in turn: what a tree gives back is what the next one is made of.
      var bench = try TreeBench(shift: toy.shift, nodeCount: 600)
      let order = orders[subset % 3]
      for key in order { try #require(try bench.insert(key) == true) }
      for key in order { try #require(try bench.insert(key) == false, "marked twice") }
      try bench.check(against: Set(members))
      try bench.checkSurvey(against: Set(members))
      try bench.checkValidity(against: Set(members))
      for key in toy.keys {
        try #require(bench.tree.contains(RadixKey(rawValue: key)) == members.contains(key))
      }
      try checkRemoval(&bench, members)
    }
  }

  /// Removes every key in turn, prunes, and destroys.
  private func checkRemoval(_ bench: inout TreeBench, _ members: [UInt64]) throws {
    var left = Set(members)
    for key in members {
      try #require(bench.remove(key) == true)
      try #require(bench.remove(key) == false, "removed twice")
      left.remove(key)
      try bench.checkWalks(against: left)
      let before = bench.frames.pool.takenCount
      let freed = bench.prune()
      let nodes = bench.reference.nodes
      let needed = Naive.neededNodes(
        left, shift: bench.geometry.page.shift, levelCount: bench.geometry.levelCount)
      try #require(Set(nodes.map { [UInt64($0.level), $0.firstKey.rawValue] }) == needed)
      try #require(nodes.count == needed.count)
      try #require(bench.frames.pool.takenCount == UInt64(needed.count))
      try #require(freed == before - UInt64(needed.count))
      try #require(bench.prune() == 0)
    }
    try bench.insertAll(members)
    try bench.check(against: Set(members))
    let nodeCount = UInt64(bench.reference.nodes.count)
    try #require(bench.destroyTree() == nodeCount)
    try #require(bench.frames.pool.takenCount == 0)
    try #require(bench.frames.takeCount == bench.frames.giveBackCount)
  }

  @Test("four keys in all 24 orders", arguments: toys)
  func everyPermutation(_ toy: Toy) throws {
    let members = [toy.keys[0], toy.keys[3], toy.keys[5], toy.keys[6]]
    try withEvery("order", in: permutations(of: members)) { order in
      var bench = try TreeBench(shift: toy.shift, nodeCount: 600)
      var marked: Set<UInt64> = []
      for key in order {
        try bench.insert(key)
        marked.insert(key)
        try bench.check(against: marked)
      }
      for key in order.reversed() {
        bench.remove(key)
        marked.remove(key)
        try bench.check(against: marked)
      }
    }
  }

  private func permutations(of keys: [UInt64]) -> [[UInt64]] {
    guard let first = keys.first else { return [[]] }
    return permutations(of: Array(keys.dropFirst())).flatMap { rest in
      (0...rest.count).map { place in
        Array(rest[..<place]) + [first] + Array(rest[place...])
      }
    }
  }

  @Test("every key of a leaf and of its neighbours", arguments: [4, 5, 6])
  func denseLeaves(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 600)
    let leafKeyCount: UInt64 = 1 << UInt64(shift + 3)
    // All orders whose keys fit in the first leaf, the next orders, and the start of one more.
    let keys = Set(2..<(7 * leafKeyCount))
    try bench.insertAll(keys.sorted())
    try bench.check(against: keys)
    try bench.checkSurvey(against: keys)
    for key in keys where key % 3 == 0 { bench.remove(key) }
    let left = keys.filter { $0 % 3 != 0 }
    try bench.check(against: left)
    try bench.checkSurvey(against: left)
  }
}
