import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// A process that is killed after any store of any operation: its successor finds in the map what was there
/// before the operation or after it, nothing is lost or leaked, and killed itself while it opens, it
/// leaves the same.
@Suite(.namesCombination) struct MapCrashTests {
  struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    var fill: @Sendable (inout MapBench) throws -> Void = { _ in }
    let operation: @Sendable (inout MapBench) throws -> Void
    /// Whether it changes an entry, and not only where entries are.
    var changesEntries = true
    var testDescription: String { name }
  }

  private static func some(_ count: Int) -> @Sendable (inout MapBench) throws -> Void {
    { bench in
      for number in 0..<count {
        try bench.set(MapBench.key(number), MapBench.bytes(number % 90, seed: UInt64(number)))
      }
    }
  }

  private static let large: @Sendable (inout MapBench) throws -> Void = { bench in
    for number in 0..<3 {
      try bench.set(MapBench.key(number), MapBench.bytes(33_000, seed: UInt64(number)))
    }
  }

  /// Keys that share a bucket as long as there are 8 of them.
  private static let crowd = (0..<400).map { MapBench.key($0) }.filter {
    $0.withRawSpan { SipHash(key: MapBench.hashKey).hash($0) } & 7 == 0
  }

  static let scenarios = [
    Scenario(name: "first value") { try $0.set([1], [2, 3]) },
    Scenario(name: "empty key and value") { try $0.set([], []) },
    Scenario(name: "new value", fill: some(20)) { try $0.set([1], MapBench.bytes(70, seed: 1)) },
    Scenario(name: "value replaced", fill: some(20)) { try $0.set(MapBench.key(3), [1, 2]) },
    Scenario(name: "value written over", fill: some(20)) {
      try $0.set(MapBench.key(3), [1, 2, 3], metadata: EntryMetadata(first: 8, second: 9))
    },
    // Three words, the first and the last of which hold something else too.
    Scenario(name: "value across words written over", fill: some(20)) {
      try $0.set(MapBench.key(17), MapBench.bytes(17, seed: 99))
    },
    Scenario(name: "value removed", fill: some(20)) { try $0.remove(MapBench.key(3)) },
    Scenario(name: "last value removed", fill: some(1)) { try $0.remove(MapBench.key(0)) },
    // The index of 8 buckets is split when more than 40 entries are there.
    Scenario(name: "bucket split", fill: some(40)) { try $0.set(MapBench.key(40), [9]) },
    Scenario(
      name: "buckets merged",
      fill: { bench in
        try some(60)(&bench)
        for number in 11..<60 { try bench.remove(MapBench.key(number)) }
      }, operation: { try $0.remove(MapBench.key(10)) }),
    Scenario(name: "appended in place", fill: { try $0.set([7], [1]) }) {
      try $0.append([2, 3], to: [7])
    },
    Scenario(name: "appended to a copy", fill: { try $0.set([7], [1]) }) {
      try $0.append(MapBench.bytes(60, seed: 1), to: [7])
    },
    Scenario(name: "metadata", fill: { try $0.set([7], [1]) }) {
      try $0.setMetadata(EntryMetadata(first: 5), of: [7])
    },
    Scenario(name: "large value", fill: large) {
      try $0.set([7], MapBench.bytes(34_000, seed: 7))
    },
    Scenario(name: "large value replaced by a small one", fill: large) {
      try $0.set(MapBench.key(1), [1])
    },
    Scenario(name: "large value removed", fill: large) { try $0.remove(MapBench.key(1)) },
    Scenario(
      name: "everything removed",
      fill: {
        try some(30)(&$0); try large(&$0)
      }
    ) { bench in
      try bench.map.removeAll()
      bench.expected = [:]
    },
    Scenario(
      name: "entries moved out of a slab",
      fill: { bench in
        // Two slabs of entries of one size, the second of which keeps five.
        for number in 0..<200 { try bench.set(MapBench.key(number), MapBench.bytes(400, seed: 1)) }
        for number in 20..<195 { try bench.remove(MapBench.key(number)) }
      },
      operation: { bench in
        _ = try bench.map.makeRoom(forByteCount: 100)
      }, changesEntries: false),
    Scenario(
      name: "buckets moved out of a slab",
      fill: { bench in
        for key in crowd { try bench.set(key, [1]) }
        for number in 0..<30 { try bench.set(MapBench.key(1000 + number), [2]) }
      },
      operation: { bench in
        // The overflow buckets are in one slab: they move to a free one.
        let slab = bench.map.arena.loadRoot(bench.map.arena.slabs(SizeClasses.bucketClass))
        let range = slab..<slab + UInt64(Slab.byteCount)
        _ = try bench.map.evacuate(slab: slab, outside: range, takesSlabs: true)
      }, changesEntries: false),
    Scenario(name: "transaction", fill: some(20)) { bench in
      try bench.together { bench throws(PersistentCollectionError) in
        try bench.setInside(MapBench.key(3), [1])
        try bench.setInside([5], MapBench.bytes(33_000, seed: 5))
        try bench.setInside(MapBench.key(3), MapBench.bytes(300, seed: 3))
        try bench.setInside([5], [2])
        try bench.removeInside(MapBench.key(6))
        try bench.setInside(MapBench.key(4), [])
        try bench.setInside(MapBench.key(5), MapBench.bytes(5, seed: 6))
        try bench.setInside(MapBench.key(5), MapBench.bytes(5, seed: 7))
      }
    },
    Scenario(
      name: "bucket dropped and taken again",
      fill: { bench in for key in crowd[..<20] { try bench.set(key, [1]) } },
      operation: { bench in
        // The second bucket of three goes, and comes back behind the third.
        try bench.together { bench throws(PersistentCollectionError) in
          for key in crowd[7..<14] { try bench.removeInside(key) }
          for key in crowd[20..<23] { try bench.setInside(key, [2]) }
        }
      }),
    Scenario(name: "transaction of overflowing buckets", fill: some(40)) { bench in
      try bench.together { bench throws(PersistentCollectionError) in
        for number in 100..<130 { try bench.setInside(MapBench.key(number), [UInt8(number)]) }
      }
    },
  ]

  @Test(arguments: scenarios)
  func everyStore(of scenario: Scenario) throws {
    var bench = try MapBench.make(byteCount: 16 << 20)
    try scenario.fill(&bench)
    let before = bench.expected
    var points = CrashPoints(try bench.memory.copy(), PieceBooks(bench.books.allocated))
    bench.books.changes = []
    let events = try bench.memory.journal.recording { try scenario.operation(&bench) }
    let after = bench.expected
    #expect((before != after) == scenario.changesEntries)
    #expect(!events.isEmpty)
    var isAfterCount = 0
    try points.run(events, bench.books.changes) { memory, books in
      let found = try open(memory, books, isNested: false)
      try #require(found == before || found == after)
      if found == after { isAfterCount += 1 }
      // What has once happened stays.
      try #require(isAfterCount == 0 || found == after)
    }
    #expect(isAfterCount > 0)
    #expect((isAfterCount < points.count) == scenario.changesEntries)
  }

  /// What a process finds that opens the map; memory and metadata are then as before.
  private func open(
    _ memory: RecordingMemory, _ books: PieceBooks, isNested: Bool
  ) throws -> MapBench.Contents {
    let allocated = books.allocated
    books.changes = []
    var found: MapBench.Contents = [:]
    let events = try memory.journal.recording {
      let map = try MapBench.open(memory, books)
      found = try MapBench.contents(of: map)
      try #require(MapBench.problems(of: map, books) == [])
    }
    let changes = books.changes
    memory.base.undo(events)
    books.allocated = allocated
    // Long ones not each time: their number is that of the operation's stores.
    if isNested || events.count > 20 && !events.count.isMultiple(of: 11) { return found }
    // Through the same stores once more, stopped after each.
    var points = CrashPoints(memory, books)
    try points.run(events, changes) { memory, books in
      try #require(try open(memory, books, isNested: true) == found)
    }
    memory.base.undo(events)
    books.allocated = allocated
    return found
  }

  @Test(arguments: scenarios)
  func everyFailingAllocation(of scenario: Scenario) throws {
    // Full memory is seen where a piece is asked for; there are at most a few.
    for failing in 0..<8 {
      try withCombination("failing allocation", failing) {
        var bench = try MapBench.make(byteCount: 16 << 20)
        try scenario.fill(&bench)
        let before = bench.expected
        bench.books.failing = failing
        do { try scenario.operation(&bench) } catch let error as PersistentCollectionError {
          guard case .memory = error else { throw error }
          bench.expected = before
        }
        bench.books.failing = nil
        try #require(try MapBench.contents(of: bench.map) == bench.expected)
        try #require(MapBench.problems(of: bench.map, bench.books) == [])
        try scenario.operation(&bench)
      }
    }
  }
}
