import HandoverDemo
import KHOCommands
import KexecHandover
import PersistentCollections

/// A store whose collections were opened in some order.
struct TorturedStore {
  enum Collection {
    case map(StoreMap<UInt64, [UInt8]>)
    case orderedMap(StoreOrderedMap<UInt64, [UInt8]>)
    case log(StoreLog<[UInt8]>)
    case value(StoreValue<[UInt8]>)
    case counter(StoreCounter)
  }

  private struct Abort: Error {}

  let store: PersistentStore
  private var collections: [Collection?]

  init(
    _ memory: consuming PreservedMemory, collectionCount: Int
  ) throws(PersistentCollectionError) {
    store = try PersistentStore(memory)
    collections = Array(repeating: nil, count: collectionCount)
  }

  /// The numbers from 0 on in an order that follows from a seed.
  static func order(_ count: Int, seed: UInt64) -> [Int] {
    var random = SplitMix(seed: seed)
    return (0..<count).shuffled(using: &random)
  }

  static func name(_ index: Int) -> String { "collection-\(index)" }

  @discardableResult
  mutating func open(_ index: Int) throws(PersistentCollectionError) -> Collection {
    let name = Self.name(index)
    let collection: Collection
    switch StoreModel.kind(index) {
    case .map: collection = .map(try store.map(name, of: (UInt64.self, [UInt8].self)))
    case .orderedMap:
      collection = .orderedMap(try store.orderedMap(name, of: (UInt64.self, [UInt8].self)))
    case .log: collection = .log(try store.log(name, of: [UInt8].self))
    case .value: collection = .value(try store.value(name, of: [UInt8].self))
    case .counter: collection = .counter(try store.counter(name))
    }
    collections[index] = collection
    return collection
  }

  mutating func apply(_ operation: StoreOperation) throws {
    switch operation {
    case .single(let change): try apply(change)
    case .together(let changes):
      try store.transaction { for change in changes { try apply(change) } }
    case .aborted(let changes):
      do {
        try store.transaction {
          for change in changes { try apply(change) }
          throw Abort()
        }
      } catch is Abort {}
    case .removal(let index):
      try store.removeCollection(Self.name(index))
      try open(index)
    case .clearing(let index): if case .map(let map) = collections[index] { try map.removeAll() }
    case .region(let number): try toggleRegion(number)
    }
  }

  private func toggleRegion(_ number: UInt64) throws(PreservedMemoryError) {
    let name = "region-\(number)"
    try store.withMemory { (memory) throws(PreservedMemoryError) in
      if try memory.region(named: name) != nil {
        try memory.removeRegion(named: name)
      } else {
        try memory.makeRegion(named: name, byteCount: Self.byteCount(ofRegion: number)) { bytes in
          for offset in stride(from: 0, to: bytes.byteCount - 7, by: 8) {
            bytes.storeBytes(
              of: SplitMix.mixed(number ^ UInt64(offset)), toByteOffset: offset, as: UInt64.self)
          }
        }
      }
    }
  }

  static func byteCount(ofRegion number: UInt64) -> UInt64 { 3000 + number * 70_000 }

  private func apply(_ change: StoreChange) throws(PersistentCollectionError) {
    switch (collections[change.collection], change.action) {
    case (.map(let map), .put): try map.set(change.bytes, for: change.key)
    case (.map(let map), .extend):
      _ = try map.append(Array(change.bytes.prefix(2000)), to: change.key)
    case (.map(let map), .take): try map.remove(change.key)
    case (.orderedMap(let map), .take): try map.remove(change.key)
    case (.orderedMap(let map), _): try map.set(change.bytes, for: change.key)
    case (.log(let log), .take):
      try log.removeEntries(before: log.range.lowerBound + change.key)
    case (.log(let log), _): try log.append(change.bytes)
    case (.value(let value), .take): try value.set([])
    case (.value(let value), _): try value.set(change.bytes)
    case (.counter(let counter), .take): try counter.add(-Int64(change.key))
    case (.counter(let counter), _): try counter.add(Int64(change.byteCount))
    case (nil, _): preconditionFailure("a collection that was not opened")
    }
  }

  // MARK: What is there

  /// What a collection contains, and what is wrong with it.
  func content(
    _ index: Int
  ) throws(PersistentCollectionError) -> (StoreModel.Content, [PersistentMapFinding]) {
    var content = StoreModel.Content(kind: StoreModel.kind(index))
    switch collections[index] {
    case .map(let map):
      try map.forEach { key, value in
        content.entries[key] = value
        return true
      }
      guard try map.count == content.entries.count else { throw .damaged(.zero) }
      return (content, try map.check().findings)
    case .orderedMap(let map):
      var entries = map.entries
      while let (key, value) = entries.next() { content.entries[key] = value }
      if let failure = entries.failure { throw failure }
      return (content, try map.check().findings)
    case .log(let log):
      var entries = log.entries()
      while let (number, value) = entries.next() { content.entries[number] = value }
      if let failure = entries.failure { throw failure }
      content.range = try log.range
      return (content, try log.check().findings)
    case .value(let value): content.value = try value.value
    case .counter(let counter): content.number = try counter.value
    case nil: preconditionFailure("a collection that was not opened")
    }
    return (content, [])
  }

  /// Allocates memory for a collection and frees it, as a successor does before it has opened the others.
  func use(_ index: Int) throws(PersistentCollectionError) {
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 36_000)
    switch collections[index] {
    case .map(let map):
      try map.set(bytes, for: 1 << 40)
      try map.remove(1 << 40)
    case .orderedMap(let map):
      try map.set(bytes, for: 1 << 40)
      try map.remove(1 << 40)
    default: break
    }
  }
}
