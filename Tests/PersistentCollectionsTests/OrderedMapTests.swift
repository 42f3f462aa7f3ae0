import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// The ordered map against a sorted array.
@Suite(.namesCombination) struct OrderedMapTests {
  private static func key(_ generator: inout SeededGenerator, _ range: Int) -> [UInt8] {
    let number = generator.index(below: range)
    // Keys that share their first 8 bytes, keys that begin others, short ones.
    switch number % 3 {
    case 0: return Array("a long common beginning \(number)".utf8)
    case 1: return [UInt8](repeating: UInt8(number & 255), count: number % 12)
    default: return withBigEndian(UInt64(number))
    }
  }

  private static func withBigEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - $0 * 8)) }
  }

  private static func scan(
    _ map: borrowing MapBench.Map, from bound: [UInt8]?, _ includes: Bool, forward: Bool
  ) throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    func visit(_ key: RawSpan, _ value: RawSpan, _ metadata: EntryMetadata) -> Bool {
      keys.append(key.copiedBytes())
      return true
    }
    if let bound {
      try bound.withRawSpan {
        try map.treeScan(from: $0, includesBound: includes, forward: forward, visit)
      }
    } else {
      try map.treeScan(from: nil, includesBound: includes, forward: forward, visit)
    }
    return keys
  }

  private func compare(
    _ bench: borrowing MapBench, _ expected: [[UInt8]: [UInt8]],
    _ generator: inout SeededGenerator, _ range: Int
  ) throws {
    let sorted = expected.keys.sorted { $0.lexicographicallyPrecedes($1) }
    try #require(try Self.scan(bench.map, from: nil, true, forward: true) == sorted)
    try #require(try Self.scan(bench.map, from: nil, true, forward: false) == sorted.reversed())
    let bound = Self.key(&generator, range)
    let after = sorted.filter { !$0.lexicographicallyPrecedes(bound) }
    let before = sorted.filter { $0.lexicographicallyPrecedes(bound) }
    try #require(try Self.scan(bench.map, from: bound, true, forward: true) == after)
    try #require(
      try Self.scan(bench.map, from: bound, false, forward: true) == after.filter { $0 != bound })
    try #require(
      try Self.scan(bench.map, from: bound, false, forward: false) == before.reversed())
    let upTo = before + after.filter { $0 == bound }
    try #require(try Self.scan(bench.map, from: bound, true, forward: false) == upTo.reversed())
    let report = bench.map.checkTree()
    try #require(report.findings == [])
    try #require(report.entryCount == UInt64(expected.count))
    try #require(Set(report.pieces) == bench.books.allocated)
  }

  /// Few keys, many keys; growing, shrinking, and keys in order.
  @Test(arguments: [(30, 3000), (3000, 12_000), (100_000, 20_000)])
  func randomOperations(range: Int, operationCount: Int) throws {
    let seed = UInt64(range)
    try withCombination("seed", seed) {
      var generator = SeededGenerator(seed: seed)
      var bench = try MapBench.makeOrdered()
      var expected: [[UInt8]: [UInt8]] = [:]
      for number in 0..<operationCount {
        try withCombination("operation", number) {
          let key = Self.key(&generator, range)
          // Growing in the first half, shrinking in the second.
          let removes = generator.index(below: 10) < (number < operationCount / 2 ? 3 : 7)
          try key.withRawSpan { key in
            if removes {
              let isRemoved = try bench.map.treeRemoveValue(of: key)
              #expect(isRemoved == (expected.removeValue(forKey: key.copiedBytes()) != nil))
            } else {
              let value = MapBench.bytes(generator.index(below: 60), seed: UInt64(number))
              let isNew = try bench.map.treeSetValue(
                of: key, byteCount: value.count, metadata: EntryMetadata()
              ) { target in value.withRawSpan { copy($0, to: &target) } }
              #expect(isNew == (expected.updateValue(value, forKey: key.copiedBytes()) == nil))
            }
          }
          if number.isMultiple(of: operationCount / 10) {
            try compare(bench, expected, &generator, range)
          }
        }
      }
      for (key, value) in expected {
        let found = try key.withRawSpan {
          try bench.map.treeValue(of: $0) { value, _ in value.copiedBytes() }
        }
        try #require(found == value)
      }
      for key in expected.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        _ = try key.withRawSpan { try bench.map.treeRemoveValue(of: $0) }
      }
      try compare(bench, [:], &generator, range)
    }
  }

  @Test func keysInOrderFillTheirNodes() throws {
    var bench = try MapBench.makeOrdered()
    for number in 0..<5000 as Range<UInt64> {
      _ = try Self.withBigEndian(number).withRawSpan { key in
        try bench.map.treeSetValue(of: key, byteCount: 0, metadata: EntryMetadata()) { _ in }
      }
    }
    let leafCount = 5000 / TreeNode.leafCapacity + 1
    #expect(try bench.map.treeHeight() == 2)
    #expect(bench.map.checkTree().findings == [])
    let root = ObjectReference(in: bench.map.arena.loadRoot(RootLayout.treeRoot)).address
    let top = try bench.map.readNode(root, level: 2)
    var count = 0
    for entry in top.entries {
      count += try bench.map.entryCount(
        ofNode: ObjectReference(in: entry.child).address, level: 1)
    }
    #expect(count == leafCount)
  }

  /// Killed after every store of an insertion that splits, and of a removal that merges.
  @Test(arguments: [true, false])
  func everyStore(inserting: Bool) throws {
    var bench = try MapBench.makeOrdered()
    // A leaf that is full, or two that together just fit into one.
    let count = inserting ? 62 : 63
    for number in 0..<count {
      _ = try Self.withBigEndian(UInt64(number * 2)).withRawSpan { key in
        try bench.map.treeSetValue(of: key, byteCount: 3, metadata: EntryMetadata()) { _ in }
      }
    }
    let before = try Self.scan(bench.map, from: nil, true, forward: true)
    var points = CrashPoints(try bench.memory.copy(), PieceBooks(bench.books.allocated))
    bench.books.changes = []
    let events = try bench.memory.journal.recording {
      if inserting {
        _ = try Self.withBigEndian(5).withRawSpan { key in
          try bench.map.treeSetValue(of: key, byteCount: 3, metadata: EntryMetadata()) { _ in }
        }
      } else {
        _ = try Self.withBigEndian(124).withRawSpan { try bench.map.treeRemoveValue(of: $0) }
      }
    }
    let after = try Self.scan(bench.map, from: nil, true, forward: true)
    var isAfterCount = 0
    try points.run(events, bench.books.changes) { memory, books in
      let allocated = books.allocated
      let opening = try memory.journal.recording {
        let map = try MapBench.openOrdered(memory, books)
        let found = try Self.scan(map, from: nil, true, forward: true)
        try #require(found == before || found == after)
        if found == after { isAfterCount += 1 }
        try #require(isAfterCount == 0 || found == after)
        let report = map.checkTree()
        try #require(report.findings == [] && Set(report.pieces) == books.allocated)
      }
      memory.base.undo(opening)
      books.allocated = allocated
    }
    #expect(isAfterCount > 0 && isAfterCount < points.count)
  }

  /// Flips bits of nodes and of the root: errors, and nothing worse.
  @Test(arguments: 0..<60)
  func flippedBits(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    var bench = try MapBench.makeOrdered()
    for number in 0..<700 {
      let key = Self.key(&generator, 100_000)
      _ = try key.withRawSpan { key in
        try bench.map.treeSetValue(of: key, byteCount: number % 40, metadata: EntryMetadata()) {
          _ in
        }
      }
    }
    let root = MapBench.root.start.rawValue
    let extent = bench.memory.word(at: root + RootLayout.extents)
    for _ in 0..<4 {
      let places = [
        root + RootLayout.treeRoot, root + RootLayout.treeHeight,
        extent + UInt64(generator.index(below: 8 << 13)) * 8,
        bench.map.arena.loadRoot(RootLayout.treeRoot) << 4 + UInt64(generator.index(below: 40)) * 8,
      ]
      let address = generator.pick(places)
      guard address & 7 == 0, address < bench.memory.byteCount else { continue }
      let bit = UInt64(generator.index(below: 64))
      bench.memory.setWord(bench.memory.word(at: address) ^ 1 << bit, at: address)
      _ = bench.map.checkTree()
      _ = try? Self.scan(bench.map, from: nil, true, forward: true)
      for _ in 0..<40 {
        let key = Self.key(&generator, 100_000)
        key.withRawSpan { key in
          _ = try? bench.map.treeRemoveValue(of: key)
          _ = try? bench.map.treeSetValue(of: key, byteCount: 9, metadata: EntryMetadata()) { _ in }
          _ = try? bench.map.treeValue(of: key) { _, _ in }
        }
      }
    }
  }
}
