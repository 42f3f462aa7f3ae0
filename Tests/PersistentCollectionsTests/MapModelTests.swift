import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// Random operations against a plain dictionary.
@Suite(.namesCombination) struct MapModelTests {
  /// Few keys, many keys, and values of all sizes.
  @Test(arguments: [(4, 3000, 40), (400, 6000, 300), (60, 1500, 90_000), (6000, 30_000, 24)])
  func randomOperations(keyCount: Int, operationCount: Int, largest: Int) throws {
    let seed = UInt64(keyCount)
    try withCombination("seed", seed) {
      var generator = SeededGenerator(seed: seed)
      var bench = try MapBench.make()
      for number in 0..<operationCount {
        try withCombination("operation", number) {
          try operate(&bench, keyCount, largest, &generator)
          if number.isMultiple(of: operationCount / 12) { try compare(&bench) }
        }
      }
      try compare(&bench)
      // Another process.
      let reopened = try MapBench.open(bench.memory, bench.books)
      try #require(try MapBench.contents(of: reopened) == bench.expected)
      // The index shrinks, and what it had is given back.
      for key in bench.expected.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        try bench.remove(key)
      }
      try compare(&bench)
      try #require(bench.map.count == 0)
    }
  }

  /// A value that is in three words at most is written over by one that is as long, and every other byte
  /// around it stays.
  @Test(arguments: 0..<40)
  func shortValuesStayWhereTheyAre(byteCount: Int) throws {
    for keyByteCount in 0..<9 {
      try withCombination("key of bytes", keyByteCount) {
        var bench = try MapBench.make()
        let key = [UInt8](repeating: 7, count: keyByteCount)
        try bench.set(key, MapBench.bytes(byteCount, seed: 1))
        let first = try place(of: key, in: bench.map)
        let metadata = EntryMetadata(first: 2, second: .max)
        try bench.set(key, MapBench.bytes(byteCount, seed: 2), metadata: metadata)
        let second = try place(of: key, in: bench.map)
        // The entry begins with three words.
        #expect((first == second) == (keyByteCount % 8 + byteCount <= 24))
        try bench.set(key, MapBench.bytes(byteCount + 1, seed: 3))
        #expect(try place(of: key, in: bench.map) != second)
        try compare(&bench)
      }
    }
  }

  private func place(of key: [UInt8], in map: borrowing MapBench.Map) throws -> UInt64? {
    try key.withRawSpan { key in try map.find(key, hash: map.sip.hash(key))?.address }
  }

  private func operate(
    _ bench: inout MapBench, _ keyCount: Int, _ largest: Int,
    _ generator: inout SeededGenerator
  ) throws {
    let key = MapBench.key(generator.index(below: keyCount))
    switch generator.index(below: 16) {
    case 0..<8:
      // Small ones more often than large ones.
      let size = generator.index(below: 1 + generator.index(below: largest + 1))
      let metadata = EntryMetadata(first: generator.next(), second: generator.next())
      try bench.set(key, MapBench.bytes(size, seed: generator.next()), metadata: metadata)
    case 8..<11: try bench.remove(key)
    case 11..<13:
      let size = generator.index(below: 1 + largest / 4)
      // What is appended again and again would not end.
      guard bench.expected[key]?.bytes.count ?? 0 < 2 * largest else { return }
      try bench.append(MapBench.bytes(size, seed: generator.next()), to: key)
    case 13..<15: try bench.setMetadata(EntryMetadata(first: generator.next(), second: 7), of: key)
    default:
      guard generator.isOne(in: 100) else { return }
      try bench.map.removeAll()
      bench.expected = [:]
    }
  }

  private func compare(_ bench: inout MapBench) throws {
    try #require(bench.map.count == bench.expected.count)
    let contents = try MapBench.contents(of: bench.map)
    try #require(contents == bench.expected)
    try #require(MapBench.problems(of: bench.map, bench.books) == [])
    for (key, value) in bench.expected.prefix(50) {
      let found = try key.withRawSpan { key in
        try bench.map.withValue(of: key) { value, _ in value.copiedBytes() }
      }
      try #require(found == value.bytes)
    }
  }
}
