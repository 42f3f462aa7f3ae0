import HandoverTestSupport
import MemoryAccess
import MemoryImages
import Synchronization
import Testing

@testable import PreservedPages

/// Two operations on one tree, with every order of their steps.
///
/// Each access of a thread to a word is a step, and each operation makes at most one atomic change in
/// a step: whatever two processors do, their steps happen in one of these orders.
@Suite(.namesCombination)
struct InterleavingTests {
  enum Operation: Sendable, CustomStringConvertible {
    case insert(UInt64), remove(UInt64), contains(UInt64)
    case insertAll([UInt64])

    var description: String {
      switch self {
      case .insert(let key): "insert \(key)"
      case .remove(let key): "remove \(key)"
      case .contains(let key): "contains \(key)"
      case .insertAll(let keys): "insertAll \(keys)"
      }
    }

    /// What others see of the operation as one change each: the keys of a word that are together.
    var changes: [Operation] {
      guard case .insertAll(let keys) = self else { return [self] }
      var words: [[UInt64]] = []
      for key in keys {
        if let last = words.last?.last, last / 64 == key / 64 {
          words[words.count - 1].append(key)
        } else {
          words.append([key])
        }
      }
      return words.map { .insertAll($0) }
    }

    /// What the operation does to a set, and how many keys it says were new, or there.
    func apply(to set: inout Set<UInt64>) -> Int {
      switch self {
      case .insert(let key): return set.insert(key).inserted ? 1 : 0
      case .remove(let key): return set.remove(key) != nil ? 1 : 0
      case .contains(let key): return set.contains(key) ? 1 : 0
      case .insertAll(let keys):
        let count = set.count
        set.formUnion(keys)
        return set.count - count
      }
    }
  }

  /// Pages of 16 bytes; a root, two tables, four leaves of 128 keys.
  static let geometry = RadixGeometry(PageGeometry(shift: 4), keyBitCount: 9)

  /// Its word, its leaf's other word, its table's other leaf, the root's other table.
  static let keys: [UInt64] = [2, 3, 70, 130, 300]

  @Test(
    "every order of the steps of every pair",
    arguments: [[], [2], [3, 130], [2, 3, 70, 130, 300]] as [[UInt64]])
  func everyPair(_ start: [UInt64]) throws {
    let firsts: [Operation] = [.insert(2), .remove(2), .contains(2)]
    let seconds = Self.keys.flatMap { [Operation.insert($0), .remove($0), .contains($0)] }
    try withEvery("first", in: firsts) { first in
      try withEvery("second", in: seconds) { second in
        try everyOrder([first, second], from: start, frameCounts: [8, 8])
      }
    }
  }

  @Test(
    "every order of the steps of a batch and of everything else",
    arguments: [[], [2], [3, 130]] as [[UInt64]])
  func batches(_ start: [UInt64]) throws {
    let batches: [Operation] = [.insertAll([2, 3]), .insertAll([130, 2])]
    let others = [2, 130].flatMap { key -> [Operation] in
      [.insert(key), .remove(key), .contains(key)]
    }
    try withEvery("batch", in: batches) { batch in
      try withEvery("other", in: others + [.insertAll([3, 2])]) { other in
        try everyOrder([batch, other], from: start, frameCounts: [8, 8])
      }
    }
  }

  @Test("every order of two inserts, one of which runs out of frames", arguments: [0, 1, 2])
  func outOfFrames(frameCount: UInt64) throws {
    for second in [2, 3, 130] as [UInt64] {
      try everyOrder([.insert(2), .insert(second)], from: [], frameCounts: [8, frameCount])
    }
  }

  /// Runs the operations in every order of their steps.
  private func everyOrder(
    _ operations: [Operation], from start: [UInt64], frameCounts: [UInt64]
  ) throws {
    var prefix: [Int] = []
    var orderCount = 0
    while true {
      let choices = try withOrder(prefix) {
        try run(operations, from: start, frameCounts: frameCounts, $0)
      }
      orderCount += 1
      // Where both had a step and the first went on, the second is next.
      guard let last = choices.lastIndex(of: 0) else { break }
      prefix = choices[..<last] + [1]
    }
    // Each has at least two steps: a pointer, and a bit or the end of the way.
    try #require(orderCount >= 2, "one order is not all of them")
  }

  private func withOrder(_ prefix: [Int], _ body: ([Int]) throws -> [Int]) throws -> [Int] {
    var choices: [Int] = []
    try withCombination("order", prefix) { choices = try body(prefix) }
    return choices
  }

  /// Runs two operations; returns the choices that were made.
  private func run(
    _ operations: [Operation], from start: [UInt64], frameCounts: [UInt64], _ prefix: [Int]
  ) throws -> [Int] {
    let bench = try Bench(start, frameCounts: frameCounts)
    let gate = StepGate()
    let outcomes = Mutex<[Int?]>([nil, nil])
    let bodies = operations.enumerated().map { thread, operation in
      { @Sendable in
        let outcome = bench.perform(operation, on: thread, gate)
        outcomes.withLock { $0[thread] = outcome }
      }
    }
    var choices: [Int] = []
    var damage: String?
    gate.run(bodies) {
      choices.append(choices.count < prefix.count ? prefix[choices.count] : 0)
      return choices[choices.count - 1]
    } afterStep: {
      damage = damage ?? bench.damage(operations, start)
    }
    try #require(damage == nil)
    try bench.check(operations, start, outcomes.withLock { $0 })
    return choices
  }
}

/// A tree, and a pool for each thread.
private final class Bench: Sendable {
  private let memory: AnonymousMemory
  private let root: PhysicalAddress
  private let startCount: UInt64
  /// How many frames each thread holds in the end.
  private let taken = Mutex<[UInt64]>([0, 0])
  private let frameCounts: [UInt64]

  private static let start = PhysicalAddress(1 << 20)
  private static let page = InterleavingTests.geometry.page

  init(_ keys: [UInt64], frameCounts: [UInt64]) throws {
    memory = try AnonymousMemory(PhysicalRange(start: Self.start, byteCount: 4096))
    self.frameCounts = frameCounts
    var frames = Self.frames(in: memory, part: 0, count: 16)
    var tree = try RadixTree(in: memory, geometry: InterleavingTests.geometry, from: &frames)
    for key in keys { try tree.insert(RadixKey(rawValue: key), from: &frames) }
    root = tree.root
    startCount = frames.takenCount
  }

  private static func frames(
    in memory: AnonymousMemory, part: UInt64, count: UInt64
  ) -> FramePool<AnonymousMemory> {
    let range = PhysicalRange(start: start.advanced(byBytes: part * 1024), byteCount: count * 16)
    return FramePool(of: range, in: memory, geometry: page)
  }

  /// nil where there were too few frames.
  func perform(
    _ operation: InterleavingTests.Operation, on thread: Int, _ gate: StepGate
  ) -> Int? {
    let stepped = SteppedMemory(base: memory, gate: gate, thread: thread)
    var tree = ConcurrentRadixTree(
      adopting: root, in: stepped, geometry: InterleavingTests.geometry)
    var frames = Self.frames(in: memory, part: UInt64(thread) + 1, count: frameCounts[thread])
    defer { taken.withLock { $0[thread] = frames.takenCount } }
    switch operation {
    case .insert(let key):
      return (try? tree.insert(RadixKey(rawValue: key), from: &frames)).map { $0 ? 1 : 0 }
    case .remove(let key): return tree.remove(RadixKey(rawValue: key)) ? 1 : 0
    case .contains(let key): return tree.contains(RadixKey(rawValue: key)) ? 1 : 0
    case .insertAll(let keys):
      var batch = keys.map { RadixKey(rawValue: $0) }
      var span = batch.mutableSpan
      return try? tree.insert(contentsOf: &span, from: &frames)
    }
  }

  private var tree: RadixTree<AnonymousMemory> {
    RadixTree(adopting: root, in: memory, geometry: InterleavingTests.geometry)
  }

  private var keys: Set<UInt64> {
    var keys: Set<UInt64> = []
    tree.forEachKey { keys.insert($0.rawValue) }
    return keys
  }

  /// What is wrong between two steps; nil where the tree is sound and holds what it may.
  func damage(_ operations: [InterleavingTests.Operation], _ start: [UInt64]) -> String? {
    var certain = Set(start)
    var possible = Set(start)
    for operation in operations {
      if case .insert(let key) = operation { possible.insert(key) }
      if case .insertAll(let keys) = operation { possible.formUnion(keys) }
      if case .remove(let key) = operation { certain.remove(key) }
    }
    let keys = keys
    if !keys.isSuperset(of: certain) { return "lost a key: \(keys)" }
    if !keys.isSubset(of: possible) { return "made up a key: \(keys)" }
    var nodes: Set<PhysicalAddress> = []
    var count = 0
    tree.forEachNode {
      nodes.insert($0.address)
      count += 1
    }
    return nodes.count == count ? nil : "a node in two places"
  }

  /// Checks that the end is one that the changes of both lead to, one after the other.
  func check(
    _ operations: [InterleavingTests.Operation], _ start: [UInt64], _ outcomes: [Int?]
  ) throws {
    let keys = keys
    let changes = operations.indices.map { outcomes[$0] == nil ? [] : operations[$0].changes }
    var isExplained = false
    for order in Self.merges(changes[0].count, changes[1].count) {
      var set = Set(start)
      var said: [Int?] = outcomes.map { $0 == nil ? nil : 0 }
      var done = [0, 0]
      for thread in order {
        said[thread]! += changes[thread][done[thread]].apply(to: &set)
        done[thread] += 1
      }
      if said == outcomes, set == keys { isExplained = true }
    }
    try #require(isExplained, "\(outcomes), \(keys)")
    try #require(outcomes[0] != nil, "the first has frames enough")

    var nodeCount: UInt64 = 0
    tree.forEachNode { _ in nodeCount += 1 }
    let held = taken.withLock { $0.reduce(startCount, +) }
    try #require(nodeCount == held, "frames lost, or given back while in use")
  }

  /// Every order of `first` changes of one thread and `second` of the other.
  private static func merges(_ first: Int, _ second: Int) -> [[Int]] {
    if first == 0 { return [[Int](repeating: 1, count: second)] }
    if second == 0 { return [[Int](repeating: 0, count: first)] }
    return merges(first - 1, second).map { [0] + $0 } + merges(first, second - 1).map { [1] + $0 }
  }
}
