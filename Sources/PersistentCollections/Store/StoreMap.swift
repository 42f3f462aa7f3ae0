public import MemoryAccess

/// A hash map of a ``PersistentStore``.
///
/// A value that refers to the store: cheap to copy, and usable from any thread. A key has up to 65,535
/// bytes, a value up to 1 GiB.
public struct StoreMap<Key: PersistentElement, Value: PersistentElement>: Sendable {
  @usableFromInline
  let store: PersistentStore
  @usableFromInline
  let root: CollectionRoot

  /// The number of entries.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  public var count: Int {
    get throws(PersistentCollectionError) {
      try store.read(root) { (view) throws(PersistentCollectionError) in view.count }
    }
  }

  /// The value of `key`, or nil.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``, also where the bytes are not of the type.
  /// - Complexity: O(key + value).
  @inlinable
  public subscript(key: Key) -> Value? {
    get throws(PersistentCollectionError) {
      try key.withPersistentBytes { (key) throws(PersistentCollectionError) -> Value? in
        var value: Value?
        let address = try store.readValue(of: key, in: root) { value = Value(persistentBytes: $0) }
        // A read is repeated if another process changed the store: only the last one counts.
        guard let address else { return nil }
        guard let value else { throw .damaged(address) }
        return value
      }
    }
  }

  /// Two words beside the value of `key`, a deadline for example; nil for an unknown key.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(key).
  public func metadata(of key: Key) throws(PersistentCollectionError) -> EntryMetadata? {
    let key = key.encodedBytes
    return try store.read(root) { (view) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        try view.find(key, hash: view.sip.hash(key)).map { view.metadata(of: $0) }
      }
    }
  }

  /// Puts a value in the place of what is there.
  ///
  /// - Returns: whether the key is new.
  /// - Throws: ``PersistentCollectionError``; the old value is still there then.
  /// - Complexity: O(key + value).
  @inlinable
  @discardableResult
  public func set(
    _ value: Value, for key: Key, metadata: EntryMetadata = EntryMetadata()
  ) throws(PersistentCollectionError) -> Bool {
    try key.withPersistentBytes { (key) throws(PersistentCollectionError) in
      try store.setValue(
        of: key, in: root, byteCount: value.persistentByteCount, metadata: metadata
      ) { value.write(to: &$0) }
    }
  }

  /// Removes the value of `key`.
  ///
  /// - Returns: whether one existed.
  /// - Throws: ``PersistentCollectionError``; nothing is removed then.
  /// - Complexity: O(key).
  @discardableResult
  public func remove(_ key: Key) throws(PersistentCollectionError) -> Bool {
    let key = key.encodedBytes
    return try store.write(root) { (engine) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        try engine.removeValue(of: key)
      }
    }
  }

  /// Removes everything.
  ///
  /// - Throws: ``PersistentCollectionError``.
  /// - Complexity: O(pieces of memory).
  /// - Precondition: not inside a transaction.
  public func removeAll() throws(PersistentCollectionError) {
    try store.write(root) { (engine) throws(PersistentCollectionError) in try engine.removeAll() }
  }

  /// Removes the entries whose deadline, the first word of their metadata, is not 0 and not after `now`.
  ///
  /// - Returns: their number.
  /// - Throws: ``PersistentCollectionError``; those removed before stay removed.
  /// - Complexity: O(entries).
  @discardableResult
  public func removeExpired(now: UInt64) throws(PersistentCollectionError) -> Int {
    var count = 0
    var cursor: UInt64 = 0
    repeat {
      let found = try store.read(root) { (view) throws(PersistentCollectionError) in
        var keys: [[UInt8]] = []
        let next = try view.scan(from: cursor) { key, _, metadata in
          if metadata.first != 0, metadata.first <= now { keys.append(key.copiedBytes()) }
        }
        return (keys: keys, next: next)
      }
      cursor = found.next
      for key in found.keys {
        try store.write(root) { (engine) throws(PersistentCollectionError) in
          try key.withRawSpan { (key) throws(PersistentCollectionError) in
            // Another thread may have changed the deadline.
            guard let entry = try engine.find(key, hash: engine.sip.hash(key)) else { return }
            let deadline = engine.metadata(of: entry).first
            guard deadline != 0, deadline <= now else { return }
            if try engine.removeValue(of: key) { count += 1 }
          }
        }
      }
    } while cursor != 0
    return count
  }

  /// Calls `body` with every key and value, in no order, until it returns false.
  ///
  /// `body` runs without the store's lock, and may use the store. An entry that is there all the while is
  /// visited at least once.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  public func forEach(
    _ body: (Key, Value) -> Bool
  ) throws(PersistentCollectionError) {
    var cursor: UInt64 = 0
    repeat {
      let found = try batch(from: cursor)
      for (key, value) in found.entries where !body(key, value) { return }
      cursor = found.next
    } while cursor != 0
  }

  /// The keys and values, in no order, for a `for` loop.
  public var entries: StoreEntries<Key, Value> {
    var cursor: UInt64? = 0
    return StoreEntries { () throws(PersistentCollectionError) in
      guard let from = cursor else { return nil }
      let found = try batch(from: from)
      cursor = found.next == 0 ? nil : found.next
      return found.entries
    }
  }

  /// A few entries from `cursor` on, and where the next ones begin; 0 behind the last.
  private func batch(
    from cursor: UInt64
  ) throws(PersistentCollectionError) -> (entries: [(Key, Value)], next: UInt64) {
    try store.read(root) { (view) throws(PersistentCollectionError) in
      var entries: [(Key, Value)] = []
      var isDamaged = false
      let next = try view.scan(from: cursor) { key, value, _ in
        if let key = Key(persistentBytes: key), let value = Value(persistentBytes: value) {
          entries.append((key, value))
        } else {
          isDamaged = true
        }
      }
      if isDamaged { throw .damaged(PhysicalAddress(root.start)) }
      return (entries, next)
    }
  }

  /// Looks at every entry, every object, every list.
  public func check() throws(PersistentCollectionError) -> PersistentMapReport {
    try store.read(root) { (view) throws(PersistentCollectionError) in view.check() }
  }
}

extension StoreMap where Value == [UInt8] {
  /// Adds bytes to the end of a value.
  ///
  /// - Returns: the size of the value then; nil where the key is not there.
  public func append(
    _ bytes: [UInt8], to key: Key
  ) throws(PersistentCollectionError) -> Int? {
    let key = key.encodedBytes
    return try store.write(root) { (engine) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        try bytes.withRawSpan { (bytes) throws(PersistentCollectionError) in
          try engine.append(bytes, to: key)
        }
      }
    }
  }
}

/// The entries of a collection, for a `for` loop; they are read a handful at a time, so the collection
/// may change meanwhile, and the loop may end early.
public struct StoreEntries<Key, Value>: Sequence, IteratorProtocol {
  private let nextBatch: () throws(PersistentCollectionError) -> [(Key, Value)]?
  private var batch: [(Key, Value)] = []
  private var index = 0
  /// Why the entries ended early: memory that is damaged. Nil where all were read.
  public private(set) var failure: PersistentCollectionError?

  init(_ nextBatch: @escaping () throws(PersistentCollectionError) -> [(Key, Value)]?) {
    self.nextBatch = nextBatch
  }

  /// The next entry; nil at the end, and where the memory is damaged.
  public mutating func next() -> (Key, Value)? {
    while index == batch.count {
      guard failure == nil else { return nil }
      do throws(PersistentCollectionError) {
        guard let more = try nextBatch() else { return nil }
        batch = more
        index = 0
      } catch {
        failure = error
        return nil
      }
    }
    defer { index += 1 }
    return batch[index]
  }
}

extension PersistentStore {
  /// The hash map called `name`, made if it does not exist.
  ///
  /// - Throws: ``PersistentCollectionError``.
  public func map<Key: PersistentElement, Value: PersistentElement>(
    _ name: String, of types: (Key.Type, Value.Type)
  ) throws(PersistentCollectionError) -> StoreMap<Key, Value> {
    StoreMap(store: self, root: try collection(name, .map, Key.self, Value.self))
  }
}

// Not generic, so that the compiler makes little code for each type of key and value.

extension PersistentStore {
  /// Calls `body` with the value of `key`, perhaps several times; returns where the entry is, nil if the map does
  /// not contain the key.
  @usableFromInline
  func readValue(
    of key: RawSpan, in root: CollectionRoot, _ body: (RawSpan) -> Void
  ) throws(PersistentCollectionError) -> PhysicalAddress? {
    try read(root) { (view) throws(PersistentCollectionError) -> PhysicalAddress? in
      guard let entry = try view.find(key, hash: view.sip.hash(key)) else { return nil }
      try view.withBytes(at: entry.value, count: entry.header.valueByteCount, body)
      return PhysicalAddress(entry.address)
    }
  }

  /// Puts a value in the place of what is there; returns whether the key is new.
  @usableFromInline
  func setValue(
    of key: RawSpan, in root: CollectionRoot, byteCount: Int, metadata: EntryMetadata,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    try write(root) { (engine) throws(PersistentCollectionError) in
      try engine.setValue(of: key, byteCount: byteCount, metadata: metadata, fill)
    }
  }
}
