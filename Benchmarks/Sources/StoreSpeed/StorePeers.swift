import Foundation
import KexecHandover
import PersistentCollections

struct StoreMapPeer: Peer {
  static let name = "store: map"
  let store: PersistentStore
  let map: StoreMap<UInt64, UInt64>

  init(path: String, isNew: Bool) throws {
    store = try PersistentStore.open(.init(path))
    map = try store.map("map", of: (UInt64.self, UInt64.self))
  }

  func put(_ key: UInt64, _ value: UInt64) throws { try map.set(value, for: key) }
  func commit() {}
  func get(_ key: UInt64) throws -> UInt64? { try map[key] }
  func scan() throws -> UInt64 { map.entries.reduce(0) { count, _ in count + 1 } }
  func byteCount() -> UInt64? { try? store.contents().first?.storageByteCount }
}

struct OrderedMapPeer: Peer {
  static let name = "store: ordered map"
  let store: PersistentStore
  let map: StoreOrderedMap<UInt64, UInt64>

  init(path: String, isNew: Bool) throws {
    store = try PersistentStore.open(.init(path))
    map = try store.orderedMap("map", of: (UInt64.self, UInt64.self))
  }

  func put(_ key: UInt64, _ value: UInt64) throws { try map.set(value, for: key) }
  func commit() {}
  func get(_ key: UInt64) throws -> UInt64? { try map[key] }
  func scan() throws -> UInt64 { map.entries.reduce(0) { count, _ in count + 1 } }
  func byteCount() -> UInt64? { try? store.contents().first?.storageByteCount }
}

/// Swift's dictionary, which is lost with its process. For the restart, it reads a file that the process wrote.
final class DictionaryPeer: Peer {
  static let name = "Dictionary"
  private var entries: [UInt64: UInt64] = [:]
  private let path: String

  init(path: String, isNew: Bool) throws {
    self.path = path
    guard !isNew else { return }
    let data = try Data(contentsOf: URL(filePath: path))
    let words = data.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
    entries.reserveCapacity(words.count / 2)
    for index in stride(from: 0, to: words.count, by: 2) {
      entries[words[index]] = words[index + 1]
    }
  }

  func put(_ key: UInt64, _ value: UInt64) { entries[key] = value }
  func commit() {}
  func get(_ key: UInt64) -> UInt64? { entries[key] }
  func scan() -> UInt64 { entries.reduce(0) { count, _ in count + 1 } }

  /// A key, a value and a bit for each bucket; at most three quarters of the buckets are in use.
  func byteCount() -> UInt64? {
    let bucketCount = UInt64(entries.capacity) * 4 / 3
    return bucketCount * 16 + bucketCount / 8
  }

  /// Writes all entries to the file, as a service without a store does now and then.
  func save() throws {
    var words: [UInt64] = []
    words.reserveCapacity(entries.count * 2)
    for (key, value) in entries {
      words.append(key)
      words.append(value)
    }
    try words.withUnsafeBytes { try Data($0).write(to: URL(filePath: path)) }
  }
}
