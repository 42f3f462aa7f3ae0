import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// Memory that was freed in one size is used for all others, without an entry being lost.
@Suite struct CompactionTests {
  private static let limit: UInt64 = 24 << 20

  private func makeMap() throws -> PersistentByteMap {
    var map = try PersistentByteMap.open(
      PreservedMemory(
        creating: .memfd(name: "compaction"), byteCount: 4 << 20, growableTo: 64 << 20))
    map.storageByteLimit = Self.limit
    return map
  }

  private static func key(_ kind: Int, _ number: Int) -> [UInt8] { Array("\(kind):\(number)".utf8) }

  /// Stores a value whose bytes follow from its key; moves entries if it does not fit.
  ///
  /// - Returns: false if it does not fit after that either.
  private func store(
    _ map: inout PersistentByteMap, _ kind: Int, _ number: Int, byteCount: Int
  ) throws -> Bool {
    let key = Self.key(kind, number)
    let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: byteCount)
    for _ in 0..<16 {
      do throws(PersistentCollectionError) {
        try key.withRawSpan { (key) throws(PersistentCollectionError) in
          try value.withRawSpan { (value) throws(PersistentCollectionError) in
            _ = try map.setValue(value, of: key)
          }
        }
        return true
      } catch {
        guard try map.makeRoom(forByteCount: key.count + byteCount) else { return false }
      }
    }
    return false
  }

  private func isRight(
    _ map: inout PersistentByteMap, _ kind: Int, _ number: Int, byteCount: Int
  ) throws -> Bool? {
    try Self.key(kind, number).withRawSpan { key in
      try map.withValue(of: key) { value, _ in
        value.byteCount == byteCount
          && value.copiedBytes().allSatisfy { $0 == UInt8(truncatingIfNeeded: number) }
      }
    }
  }

  /// Fills the map with values of one size, removes most of them here and there, and stores values of
  /// another size: at least three quarters of what was freed is used again.
  @Test(arguments: [(3000, 100), (100, 3000), (1000, 5 << 20), (1000, 100_000), (30_000, 200)])
  func memoryOfOtherSizes(_ old: Int, _ new: Int) throws {
    var generator = SeededGenerator(seed: UInt64(old + new))
    var map = try makeMap()
    var count = 0
    while try store(&map, 0, count, byteCount: old) { count += 1 }
    try #require(count * old > 12 << 20)
    var kept: [Int] = []
    var freed = 0
    for number in 0..<count {
      guard generator.next() % 5 > 0 else {
        kept.append(number)
        continue
      }
      let isRemoved = try Self.key(0, number).withRawSpan { try map.removeValue(of: $0) }
      try #require(isRemoved)
      freed += old
    }
    var stored = 0
    while try store(&map, 1, stored, byteCount: new) { stored += 1 }
    // An entry has a header of 24 bytes and a key of up to 7, and takes a multiple of 16.
    func cost(_ byteCount: Int) -> Int { (byteCount + 31 + 15) / 16 * 16 }
    let share = Double(stored * cost(new)) / Double(freed / old * cost(old))
    #expect(share > 0.75, "\(share) of \(freed) bytes, freed as \(old), stored as \(new)")
    #expect(map.storageByteCount <= Self.limit)
    for number in kept {
      try #require(try isRight(&map, 0, number, byteCount: old) == true, "\(number)")
    }
    for number in 0..<stored {
      try #require(try isRight(&map, 1, number, byteCount: new) == true)
    }
    #expect(map.count == kept.count + stored)
    #expect(map.check().findings == [])
  }

  /// Removing everything needs no memory, gives all of it back, and the map goes on with its index.
  @Test func everythingRemovedFromFullMap() throws {
    var map = try makeMap()
    for round in 0..<3 {
      var count = 0
      // So many that the index has several chunks.
      while count < 45_000, try store(&map, round, count, byteCount: 300) { count += 1 }
      try #require(count > 25_000)
      map.storageByteLimit = 1
      try map.removeAll()
      map.storageByteLimit = Self.limit
      #expect(map.count == 0 && map.storageByteCount < 1 << 20)
      #expect(map.check().findings == [])
      for number in stride(from: 0, to: count, by: 997) {
        #expect(try isRight(&map, round, number, byteCount: 300) == nil)
      }
      try map.memory.trim()
      let stored = try #require(map.memory.file.storedByteCount)
      #expect(stored < 4 << 20, "\(stored)")
    }
  }

  /// The storage of the file follows the limit, whatever sizes come and go.
  @Test(arguments: [1, 2])
  func storageFollowsLimit(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var map = try makeMap()
    let sizes = [50, 700, 9000, 50_000, 300_000, 2_000_000]
    var alive: [(Int, Int)] = []
    for number in 0..<4000 {
      let size = sizes[Int(generator.next() % 6)]
      while try !store(&map, 2, number, byteCount: size) {
        try #require(!alive.isEmpty, "seed \(seed), \(number)")
        let (victim, _) = alive.remove(at: Int(generator.next() % UInt64(alive.count)))
        _ = try Self.key(2, victim).withRawSpan { try map.removeValue(of: $0) }
      }
      alive.append((number, size))
      let stored = try #require(map.memory.file.storedByteCount)
      try #require(
        stored < Self.limit + Self.limit / 20 + UInt64(size), "seed \(seed), \(number): \(stored)")
    }
    for (number, size) in alive {
      try #require(try isRight(&map, 2, number, byteCount: size) == true, "seed \(seed)")
    }
    #expect(map.check().findings == [])
  }
}
