import HandoverTestSupport
import KexecHandover
import PersistentCollections
import ProcessHandover
import Testing

/// The map in the memory of a process.
@Suite(.namesCombination) struct PersistentByteMapTests {
  private func memory() throws -> PreservedMemory {
    try PreservedMemory(creating: .memfd(name: "map"), byteCount: 1 << 20, growableTo: 1 << 28)
  }

  private func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

  private func set(
    _ map: inout PersistentByteMap, _ number: Int, byteCount: Int
  ) throws(PersistentCollectionError) {
    try key(number).withRawSpan { (key) throws(PersistentCollectionError) in
      _ = try map.setValue(of: key, byteCount: byteCount) {
        for offset in 0..<byteCount {
          $0.storeBytes(
            of: UInt8(truncatingIfNeeded: number &+ offset), toByteOffset: offset, as: UInt8.self)
        }
      }
    }
  }

  private func isRight(_ map: inout PersistentByteMap, _ number: Int) throws -> Bool? {
    try key(number).withRawSpan { key in
      try map.withValue(of: key) { value, _ in
        (0..<value.byteCount).allSatisfy {
          value.byte(at: $0) == UInt8(truncatingIfNeeded: number &+ $0)
        }
      }
    }
  }

  @Test func nextOwnerHasAll() throws {
    var map = try PersistentByteMap.open(memory())
    for number in 0..<2000 { try set(&map, number, byteCount: number % 700) }
    try set(&map, 5, byteCount: 300_000)
    let count = map.count
    let preserved = map.close()
    let file = preserved.file
    _ = consume preserved
    var again = try PersistentByteMap.open(PreservedMemory(adopting: file))
    #expect(again.count == count && count == 2000)
    for number in 0..<2000 { try #require(try isRight(&again, number) == true) }
    #expect(again.check().findings == [])
    try again.removeAll()
    #expect(again.count == 0 && again.check().findings == [])
  }

  /// All that the map has is preserved, and all that it gave up is not.
  @Test func piecesArePreserved() throws {
    var map = try PersistentByteMap.open(memory())
    for number in 0..<300 { try set(&map, number, byteCount: number * 150) }
    for number in 0..<200 { try key(number).withRawSpan { _ = try map.removeValue(of: $0) } }
    var preserved: UInt64 = 0
    let geometry = map.memory.geometry
    map.memory.forEachBlock { preserved += $0.range(in: geometry).byteCount }
    let root = try #require(try map.memory.region(named: "map"))
    let pages = (root.byteCount + 4095) / 4096 * 4096
    // And the page of the device tree, and the ledger.
    #expect(preserved == map.storageByteCount + pages + 4096 + LedgerLayout.byteCount)
  }

  @Test func otherRegionIsRefused() throws {
    var preserved = try memory()
    try preserved.makeRegion(named: "map", byteCount: 4096)
    let file = preserved.file
    do throws(PersistentCollectionError) {
      _ = try PersistentByteMap.open(preserved)
      Issue.record("opened")
    } catch {
      #expect(error == .notThisCollection)
    }
    #expect(try PreservedMemory(adopting: file).names() == ["map"])
  }

  @Test func limitAndReclaiming() throws {
    var map = try PersistentByteMap.open(memory())
    map.storageByteLimit = 12 << 20
    var number = 0
    // Full of small ones.
    while true {
      do throws(PersistentCollectionError) { try set(&map, number, byteCount: 500) } catch {
        try #require(error == .limitReached)
        break
      }
      number += 1
    }
    #expect(map.storageByteCount <= 12 << 20 && number > 15_000)
    // Large ones need that whole extents are given up.
    var reclaimedCount = 0
    for large in 1_000_000..<1_000_030 {
      while true {
        do throws(PersistentCollectionError) {
          try set(&map, large, byteCount: 100_000)
          break
        } catch {
          try #require(error == .limitReached)
          var keys: [[UInt8]] = []
          try map.forEachEvictionCandidate(freeing: 100_000) { key, _, _ in
            keys.append(key.copiedBytes())
          }
          try #require(!keys.isEmpty)
          for key in keys { try key.withRawSpan { _ = try map.removeValue(of: $0) } }
          reclaimedCount += keys.count
        }
      }
      try #require(try isRight(&map, large) == true)
    }
    #expect(map.storageByteCount <= 12 << 20)
    #expect(reclaimedCount > 0 && map.count == number + 30 - reclaimedCount)
    #expect(map.check().findings == [])
  }

  @Test func failedTransactionLeavesNothing() throws {
    var map = try PersistentByteMap.open(memory())
    try set(&map, 1, byteCount: 10)
    #expect(throws: PersistentCollectionError.tooLarge) {
      try map.transaction { (map) throws(PersistentCollectionError) in
        try set(&map, 1, byteCount: 20)
        try set(&map, 2, byteCount: 20)
        // That it goes on after an error does not make it whole.
        do throws(PersistentCollectionError) {
          let long = [UInt8](repeating: 1, count: 70_000)
          try long.withRawSpan { (key) throws(PersistentCollectionError) in
            _ = try map.setValue(key, of: key)
          }
        } catch {}
      }
    }
    #expect(map.count == 1 && map.check().findings == [])
    let count = try key(1).withRawSpan { try map.withValue(of: $0) { value, _ in value.byteCount } }
    #expect(count == 10)
  }
}
