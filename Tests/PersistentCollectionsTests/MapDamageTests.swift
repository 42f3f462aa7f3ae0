import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections
@testable import ProcessHandover

/// Memory that another program has written: errors, and nothing worse.
@Suite(.namesCombination) struct MapDamageTests {
  @Test func refusals() throws {
    let bench = try MapBench.make()
    let root = MapBench.root.start
    let ledger = MapBench.ledger.start
    func refusal(
      in region: PhysicalAddress = MapBench.root.start, of offset: UInt64, _ word: UInt64
    ) throws -> PersistentCollectionError? {
      let offset = region.rawValue + offset
      let old = bench.memory.word(at: offset)
      bench.memory.setWord(word, at: offset)
      defer { bench.memory.setWord(old, at: offset) }
      do { _ = try MapBench.open(bench.memory, bench.books) } catch {
        return error as? PersistentCollectionError
      }
      return nil
    }
    #expect(try refusal(of: 0, 0) == .notThisCollection)
    #expect(try refusal(of: 8, 1) == .unknownLayout(version: 1))
    #expect(try refusal(of: 8, 3) == .unknownLayout(version: 3))
    #expect(try refusal(of: 16, 77) == .damaged(root))
    #expect(try refusal(of: 40, 8) == .damaged(root))
    #expect(try refusal(of: 64, 1) == .damaged(root))
    #expect(try refusal(in: ledger, of: 64, 0xf_ffff) == .damaged(PhysicalAddress(8192 + 64)))
    #expect(try refusal(in: ledger, of: 8, 2) == .damaged(ledger))
    #expect(try refusal(of: RootLayout.bucketCount, 0) != nil)
    #expect(try refusal(of: RootLayout.bucketCount, 1 << 40) != nil)
    #expect(try refusal(of: RootLayout.directory, 1 << 43) != nil)
    #expect(try refusal(of: RootLayout.directory, 24) != nil)
    #expect(MapBench.problems(of: bench.map, bench.books) == [])
  }

  /// Flips bits of words that say where something is, and works on.
  @Test(arguments: 0..<8)
  func flippedBits(part: Int) throws {
    for seed in UInt64(part * 40)..<UInt64(part * 40 + 40) {
      try withCombination("seed", seed) {
        var generator = SeededGenerator(seed: seed)
        var bench = try MapBench.make(byteCount: 8 << 20)
        for number in 0..<60 {
          try bench.set(MapBench.key(number), MapBench.bytes(number * 7 % 200, seed: seed))
        }
        try bench.set([1], MapBench.bytes(33_000, seed: seed))
        let words = addresses(of: bench)
        for _ in 0...generator.index(below: 4) {
          let address = generator.pick(words)
          let bit = UInt64(generator.index(below: 64))
          bench.memory.setWord(bench.memory.word(at: address) ^ 1 << bit, at: address)
        }
        // As it is, and opened anew.
        try workOn(&bench.map, &generator)
        do {
          var map = try MapBench.open(bench.memory, bench.books)
          try workOn(&map, &generator)
        } catch is PersistentCollectionError {}
      }
    }
  }

  /// Root words, the index, slab headers, and the first words of entries.
  private func addresses(of bench: borrowing MapBench) -> [UInt64] {
    let root = MapBench.root.start.rawValue
    var addresses = Array(stride(from: root + 64, to: root + 2304, by: 8))
    let ledger = MapBench.ledger.start.rawValue
    for start in [64, LedgerLayout.chunks, LedgerLayout.slots, LedgerLayout.log] {
      addresses += stride(from: ledger + start, to: ledger + start + 160, by: 8)
    }
    let directory = bench.memory.word(at: root + RootLayout.directory)
    let chunk = bench.memory.word(at: directory)
    addresses += [directory] + stride(from: chunk, to: chunk + 16 * 64, by: 8)
    let extent = bench.memory.word(at: root + RootLayout.extents)
    for slab in 0..<12 as Range<UInt64> {
      addresses += stride(from: extent + slab << 16, to: extent + slab << 16 + 512, by: 8)
    }
    let large = bench.memory.word(at: root + RootLayout.largeObjects)
    return addresses + stride(from: large, to: large + 96, by: 8)
  }

  /// What happens is not asked, only that it ends.
  private func workOn(_ map: inout MapBench.Map, _ generator: inout SeededGenerator) throws {
    func attempt(_ body: () throws -> Void) throws {
      do { try body() } catch is PersistentCollectionError {}
    }
    _ = map.check()
    for number in 0..<70 {
      let key = MapBench.key(number)
      let bytes = MapBench.bytes(generator.index(below: 300), seed: generator.next())
      let choice = generator.index(below: 5)
      try attempt {
        try key.withRawSpan { key in
          try bytes.withRawSpan { bytes in
            switch choice {
            case 0: _ = try map.withValue(of: key) { value, metadata in metadata.first = 1 }
            case 1: _ = try map.removeValue(of: key)
            case 2: _ = try map.append(bytes, to: key)
            case 3: try map.sample(using: &generator) { _, _, _ in }
            default:
              _ = try map.setValue(
                of: key, byteCount: bytes.byteCount, metadata: EntryMetadata()
              ) { copy(bytes, to: &$0) }
            }
          }
        }
      }
    }
    var cursor: UInt64 = 0
    var stepCount = 0
    try attempt {
      repeat {
        cursor = try map.scan(from: cursor) { _, _, _ in }
        stepCount += 1
      } while cursor != 0 && stepCount < 10_000
    }
    try attempt { _ = try map.tidy() }
    try attempt { _ = try map.makeRoom(forByteCount: 100) }
    try attempt { _ = try map.makeRoom(forByteCount: 3 << 20) }
    try attempt { try map.forEachEvictionCandidate(freeing: 100_000) { _, _, _ in } }
    try attempt { try map.removeAll() }
    _ = map.check()
  }
}
