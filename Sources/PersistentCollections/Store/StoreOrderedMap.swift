import MemoryAccess

/// A map of a ``PersistentStore`` that is in the order of its keys.
///
/// A value that refers to the store: cheap to copy, and usable from any thread. A key has up to 65,535
/// bytes, a value up to 1 GiB.
public struct StoreOrderedMap<Key: PersistentOrderedElement, Value: PersistentElement>: Sendable {
  let store: PersistentStore
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
  /// - Complexity: O(log n + key + value).
  public subscript(key: Key) -> Value? {
    get throws(PersistentCollectionError) {
      let key = key.orderedBytes
      return try store.read(root) { (view) throws(PersistentCollectionError) -> Value? in
        try key.withRawSpan { (key) throws(PersistentCollectionError) -> Value? in
          let found = try view.treeValue(of: key) { bytes, _ in Value(persistentBytes: bytes) }
          guard let found else { return nil }
          guard let value = found else { throw .damaged(PhysicalAddress(root.start)) }
          return value
        }
      }
    }
  }

  /// Puts a value in the place of what is there.
  ///
  /// - Returns: whether the key is new.
  /// - Throws: ``PersistentCollectionError``; the old value is still there then.
  /// - Complexity: O(log n + key + value).
  @discardableResult
  public func set(
    _ value: Value, for key: Key, metadata: EntryMetadata = EntryMetadata()
  ) throws(PersistentCollectionError) -> Bool {
    let key = key.orderedBytes
    return try store.write(root) { (engine) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        try engine.treeSetValue(of: key, byteCount: value.persistentByteCount, metadata: metadata) {
          value.write(to: &$0)
        }
      }
    }
  }

  /// Removes the value of `key`.
  ///
  /// - Returns: whether one existed.
  /// - Throws: ``PersistentCollectionError``; nothing is removed then.
  /// - Complexity: O(log n + key).
  @discardableResult
  public func remove(_ key: Key) throws(PersistentCollectionError) -> Bool {
    let key = key.orderedBytes
    return try store.write(root) { (engine) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        try engine.treeRemoveValue(of: key)
      }
    }
  }

  /// The first entry; nil of an empty map.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(log n + key + value).
  public var first: (key: Key, value: Value)? {
    get throws(PersistentCollectionError) { try batch(from: nil, true, forward: true, 1).first }
  }

  /// The last entry; nil of an empty map.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(log n + key + value).
  public var last: (key: Key, value: Value)? {
    get throws(PersistentCollectionError) { try batch(from: nil, true, forward: false, 1).first }
  }

  /// The first entry whose key is not less than `key`; nil if all keys are less.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(log n + key + value).
  public func lowerBound(
    _ key: Key
  ) throws(PersistentCollectionError) -> (key: Key, value: Value)? {
    try batch(from: key.orderedBytes, true, forward: true, 1).first
  }

  /// The entries in order, for a `for` loop.
  public var entries: StoreEntries<Key, Value> { entries(from: nil, to: nil, reversed: false) }

  /// The entries whose keys are not less than `lower` and less than `upper`, in order or backwards, for
  /// a `for` loop; nil for no bound.
  ///
  /// The loop reads 64 entries at a time, and may change the map, also inside a transaction. An entry that was read
  /// is shown as it was, even if it was changed or removed since; an entry that is there during the whole loop is
  /// shown once. One that is added during the loop may be shown or not.
  public func entries(
    from lower: Key?, to upper: Key? = nil, reversed: Bool = false
  ) -> StoreEntries<Key, Value> {
    let lower = lower?.orderedBytes
    let upper = upper?.orderedBytes
    var bound = reversed ? upper : lower
    var includesBound = !reversed
    var isAtEnd = false
    return StoreEntries { () throws(PersistentCollectionError) in
      guard !isAtEnd else { return nil }
      let batch = try self.batch(
        from: bound, includesBound, forward: !reversed, 64, until: reversed ? lower : upper)
      isAtEnd = batch.count < 64
      bound = batch.last?.key.orderedBytes
      includesBound = false
      return batch.map { ($0.key, $0.value) }
    }
  }

  private func batch(
    from bound: [UInt8]?, _ includesBound: Bool, forward: Bool, _ limit: Int,
    until end: [UInt8]? = nil
  ) throws(PersistentCollectionError) -> [(key: Key, value: Value)] {
    try store.read(root) { (view) throws(PersistentCollectionError) in
      var entries: [(key: Key, value: Value)] = []
      var isDamaged = false
      func visit(_ key: RawSpan, _ value: RawSpan, _ metadata: EntryMetadata) -> Bool {
        if let end {
          let order = end.withRawSpan { compareBytes(key, $0) }
          if forward ? order >= 0 : order < 0 { return false }
        }
        guard let key = Key(orderedBytes: key), let value = Value(persistentBytes: value) else {
          isDamaged = true
          return false
        }
        entries.append((key, value))
        return entries.count < limit
      }
      if let bound {
        try bound.withRawSpan { (bound) throws(PersistentCollectionError) in
          try view.treeScan(from: bound, includesBound: includesBound, forward: forward, visit)
        }
      } else {
        try view.treeScan(from: nil, includesBound: true, forward: forward, visit)
      }
      if isDamaged { throw .damaged(PhysicalAddress(root.start)) }
      return entries
    }
  }

  /// Looks at every node, every entry, every object, every list.
  public func check() throws(PersistentCollectionError) -> PersistentMapReport {
    try store.read(root) { (view) throws(PersistentCollectionError) in view.checkTree() }
  }
}

extension PersistentStore {
  /// The ordered map called `name`, made if it does not exist.
  ///
  /// - Throws: ``PersistentCollectionError``.
  public func orderedMap<Key: PersistentOrderedElement, Value: PersistentElement>(
    _ name: String, of types: (Key.Type, Value.Type)
  ) throws(PersistentCollectionError) -> StoreOrderedMap<Key, Value> {
    StoreOrderedMap(store: self, root: try collection(name, .orderedMap, Key.self, Value.self))
  }
}
