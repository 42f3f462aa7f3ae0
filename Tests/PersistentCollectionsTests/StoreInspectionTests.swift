import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// What a tool reads of a store that a process is using.
@Suite(.namesCombination) struct StoreInspectionTests {
  private func store() throws -> PersistentStore {
    let store = try PersistentStore(
      PreservedMemory(creating: .memfd(name: "looked at"), byteCount: 1 << 20, growableTo: 1 << 26))
    let map = try store.map("map", of: (String.self, UInt64.self))
    let ordered = try store.orderedMap("ordered", of: (Int32.self, [UInt8].self))
    let log = try store.log("log", of: String.self)
    for number in 0..<150 {
      try map.set(UInt64(number), for: "key \(number)")
      try ordered.set([UInt8](repeating: 3, count: number * 300), for: Int32(number) - 75)
      try log.append("entry \(number)")
    }
    try store.counter("counter").add(-5)
    try store.value("value", of: String.self).set("text")
    return store
  }

  private func inspect(_ file: MemoryFile) throws -> StoreInspection<MemoryFile>? {
    try StoreInspection(MemoryContents(reading: file), in: file)
  }

  @Test func everythingIsFound() throws {
    let store = try store()
    let file = store.withMemory { $0.file }
    let found = try #require(try inspect(file))
    #expect(!found.isChanging)
    #expect(found.collections.map(\.name) == ["map", "ordered", "log", "counter", "value"])
    #expect(found.collections.map(\.count) == [150, 150, 150, 0, 1])
    for collection in found.collections {
      #expect(found.check(collection).findings == [])
      var count: UInt64 = 0
      try found.forEachEntry(of: collection) { _, _, _ in
        count += 1
        return true
      }
      #expect(count == max(1, collection.count))
    }
    var numbers: [Int32] = []
    try found.forEachEntry(of: found.collections[1]) { key, value, _ in
      numbers.append(Int32(orderedBytes: key) ?? .max)
      return numbers.count < 100
    }
    #expect(numbers == (0..<100).map { $0 - 75 })
  }

  /// Zeros and random words anywhere in the collections: findings or errors, and nothing worse.
  @Test(arguments: 0..<40)
  func damagedMemory(seed: Int) throws {
    let store = try store()
    let file = store.withMemory { $0.file }
    let sound = try #require(try inspect(file))
    var generator = SeededGenerator(seed: UInt64(seed))
    let ranges =
      [sound.ledgerRegion] + sound.collections.map(\.root) + sound.collections.flatMap(\.pieces)
    for _ in 0..<6 {
      let range = generator.pick(ranges)
      let words = min(range.byteCount, 4096) / 8
      let place = range.start.rawValue + UInt64(generator.index(below: Int(words))) * 8
      let old = file.withWords(at: PhysicalAddress(place), count: 1) { $0.load(0) }
      let choices = [
        0, old ^ 1 << UInt64(generator.index(below: 64)), generator.next(),
        generator.pick(ranges).start.rawValue, generator.pick(ranges).start.rawValue >> 4,
      ]
      file.withWords(at: PhysicalAddress(place), count: 1) {
        $0.publish(generator.pick(choices), at: 0)
      }
      guard let found = try? inspect(file) else { continue }
      for collection in found.collections {
        _ = found.check(collection)
        try? found.forEachEntry(of: collection) { _, _, _ in true }
      }
    }
  }

  /// Pages of a collection that were overwritten with zeros are a finding.
  @Test func zeroedPagesAreFound() throws {
    let store = try store()
    let file = store.withMemory { $0.file }
    let found = try #require(try inspect(file))
    for index in 0..<3 {
      let collection = found.collections[index]
      for piece in collection.pieces {
        let pages = PhysicalRange(start: piece.start, byteCount: min(piece.byteCount, 60 * 4096))
        file.withWords(at: pages.start, count: Int(pages.byteCount / 8)) { $0.clear() }
      }
      #expect(found.check(collection).findings != [])
    }
  }
}
