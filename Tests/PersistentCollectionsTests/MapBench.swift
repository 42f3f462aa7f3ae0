import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections
@testable import ProcessHandover

/// A map over memory that is watched, beside a dictionary that says what should be in it.
struct MapBench: ~Copyable {
  typealias Map = ByteMap<PieceStorage>

  struct Value: Equatable {
    var bytes: [UInt8]
    var metadata: EntryMetadata
  }
  typealias Contents = [[UInt8]: Value]

  static let hashKey: (UInt64, UInt64) = (1, 2)
  static let root = PhysicalRange(start: PhysicalAddress(4096), byteCount: Map.rootByteCount)
  static let ledger = PhysicalRange(
    start: PhysicalAddress(8192), byteCount: LedgerLayout.byteCount)

  let memory: RecordingMemory
  let books: PieceBooks
  var map: Map
  var expected: Contents = [:]

  static func make(byteCount: UInt64 = 24 << 20) throws -> MapBench {
    let memory = RecordingMemory(
      try AnonymousMemory(PhysicalRange(start: .zero, byteCount: byteCount)))
    let books = PieceBooks()
    memory.base.withMutableBytes(in: ledger) { LedgerLayout.fill(&$0, identity: 7) }
    memory.base.withMutableBytes(in: root) { Map.fill(root: &$0, hashKey: hashKey, ledger: 7) }
    return MapBench(memory: memory, books: books, map: try open(memory, books))
  }

  private init(memory: RecordingMemory, books: PieceBooks, map: consuming Map) {
    self.memory = memory
    self.books = books
    self.map = map
  }

  /// An ordered map.
  static func makeOrdered(byteCount: UInt64 = 24 << 20) throws -> MapBench {
    let memory = RecordingMemory(
      try AnonymousMemory(PhysicalRange(start: .zero, byteCount: byteCount)))
    let books = PieceBooks()
    memory.base.withMutableBytes(in: ledger) { LedgerLayout.fill(&$0, identity: 7) }
    memory.base.withMutableBytes(in: root) {
      CollectionRoot.fill(&$0, .orderedMap, hashKey: hashKey, ledger: 7)
    }
    return MapBench(memory: memory, books: books, map: try openOrdered(memory, books))
  }

  static func openOrdered(_ memory: RecordingMemory, _ books: PieceBooks) throws -> Map {
    try open(memory, books) { storage, ledger in
      let found = try CollectionRoot(in: root, of: memory, ledger: 7)
      var map = Map(arena: Arena(storage, ledger), sip: found.sip)
      map.use(try map.arena.open(found))
      return map
    }
  }

  static func open(_ memory: RecordingMemory, _ books: PieceBooks) throws -> Map {
    try open(memory, books) { storage, ledger in try Map.open(at: root, in: storage, ledger) }
  }

  private static func open(
    _ memory: RecordingMemory, _ books: PieceBooks,
    _ open: (consuming PieceStorage, MemoryLedger) throws -> Map
  ) throws -> Map {
    var storage = PieceStorage(
      memory: memory, books: books, rootByteCount: 8192 + ledger.byteCount)
    do {
      let found = try MemoryLedger(at: ledger.start, in: memory)
      if found.control != LedgerControl() || found.sequence & 1 != 0 {
        // What the memory does when it is adopted.
        try LedgerRecovery(found, in: memory) { _ in true }.run { try storage.freeIfAllocated($0) }
      }
      return try open(storage, MemoryLedger(at: ledger.start, in: memory))
    } catch let damage as LedgerDamage {
      throw PersistentCollectionError.damaged(damage.address)
    }
  }

  /// The pieces in the ledger, without the map's root.
  static func ledgerPieces(_ memory: RecordingMemory) throws -> [PhysicalRange] {
    let ledger = try MemoryLedger(at: ledger.start, in: memory)
    return try ledger.pieces(memory.ledgerWord).map(\.range).filter { $0 != root }
  }

  static func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

  /// Bytes that follow from a seed.
  static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  static func contents(of map: borrowing Map) throws -> Contents {
    var contents: Contents = [:]
    var cursor: UInt64 = 0
    repeat {
      cursor = try map.scan(from: cursor) { key, value, metadata in
        contents[key.copiedBytes()] = Value(bytes: value.copiedBytes(), metadata: metadata)
      }
    } while cursor != 0
    return contents
  }

  /// What is wrong with a map, its pieces compared with what is allocated.
  static func problems(of map: borrowing Map, _ books: PieceBooks) -> [String] {
    let report = map.check()
    var problems = report.findings.map { "\($0)" }
    if Set(report.pieces) != books.allocated || report.pieces.count != books.allocated.count {
      problems.append(
        "pieces \(Set(report.pieces).symmetricDifference(books.allocated)) differ")
    }
    let recorded = (try? ledgerPieces(map.arena.storage.memory)) ?? []
    if Set(recorded) != books.allocated || recorded.count != books.allocated.count {
      problems.append("the ledger has \(recorded)")
    }
    return problems
  }

  // MARK: Operations

  mutating func set(
    _ key: [UInt8], _ value: [UInt8], metadata: EntryMetadata = EntryMetadata()
  ) throws {
    let isNew = try value.withRawSpan { value in
      try key.withRawSpan { key in
        try map.setValue(of: key, byteCount: value.byteCount, metadata: metadata) {
          copy(value, to: &$0)
        }
      }
    }
    #expect(isNew == (expected[key] == nil))
    expected[key] = Value(bytes: value, metadata: metadata)
  }

  mutating func remove(_ key: [UInt8]) throws {
    let isRemoved = try key.withRawSpan { try map.removeValue(of: $0) }
    #expect(isRemoved == (expected.removeValue(forKey: key) != nil))
  }

  mutating func append(_ bytes: [UInt8], to key: [UInt8]) throws {
    let count = try bytes.withRawSpan { bytes in
      try key.withRawSpan { try map.append(bytes, to: $0) }
    }
    expected[key]?.bytes += bytes
    #expect(count == expected[key]?.bytes.count)
  }

  mutating func setMetadata(_ metadata: EntryMetadata, of key: [UInt8]) throws {
    let found = try key.withRawSpan { key in
      try map.withValue(of: key) { value, old -> Value in
        let found = Value(bytes: value.copiedBytes(), metadata: old)
        old = metadata
        return found
      }
    }
    #expect(found == expected[key])
    expected[key]?.metadata = metadata
  }

  /// What `body` does is there completely or not at all.
  mutating func together(
    _ body: (inout MapBench) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    let before = expected
    try map.arena.begin()
    do throws(PersistentCollectionError) {
      try body(&self)
      try map.arena.end()
    } catch {
      try map.arena.abandon(after: error)
      expected = before
      throw error
    }
  }

  mutating func setInside(
    _ key: [UInt8], _ value: [UInt8]
  ) throws(PersistentCollectionError) {
    try value.withRawSpan { (value) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        _ = try map.setValue(of: key, byteCount: value.byteCount, metadata: EntryMetadata()) {
          copy(value, to: &$0)
        }
      }
    }
    expected[key] = Value(bytes: value, metadata: EntryMetadata())
  }

  mutating func removeInside(_ key: [UInt8]) throws(PersistentCollectionError) {
    _ = try key.withRawSpan { (key) throws(PersistentCollectionError) in
      try map.removeValue(of: key)
    }
    expected[key] = nil
  }
}
