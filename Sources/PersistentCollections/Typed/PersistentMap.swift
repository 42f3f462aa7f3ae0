public import MemoryAccess
public import ProcessHandover

/// A map that outlives its process, of keys and values of any ``PersistentElement``.
///
///     var visits = try PersistentMap<String, UInt64>.open(PreservedMemory.open("/dev/shm/visits"))
///     try visits.setValue((visits.value(of: page) ?? 0) + 1, of: page)
///
/// What ``PersistentByteMap`` says holds here too. Which types a map has is not in its memory: the process that
/// changes them takes another name for the map.
public struct PersistentMap<Key: PersistentElement, Value: PersistentElement>: ~Copyable {
  /// The map of bytes under it.
  public var bytes: PersistentByteMap

  /// Opens the map called `name` in `memory`, or makes one.
  ///
  /// - Throws: ``PersistentCollectionError``, as ``PersistentByteMap/open(_:named:)``; with
  ///   `typeNotPreservable` of a type with undefined bytes.
  /// - Complexity: O(1).
  public static func open(
    _ memory: consuming PreservedMemory, named name: String = "map"
  ) throws(PersistentCollectionError) -> PersistentMap {
    try requirePreservable(Key.self)
    try requirePreservable(Value.self)
    return PersistentMap(bytes: try PersistentByteMap.open(memory, named: name))
  }

  private init(bytes: consuming PersistentByteMap) { self.bytes = bytes }

  /// Gives the memory back, to hand it over.
  public consuming func close() -> PreservedMemory { bytes.close() }

  /// The number of entries.
  public var count: Int { bytes.count }

  /// The value of `key`; nil if the map does not contain it.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``, also where the bytes are not a value of the type.
  /// - Complexity: O(key + value).
  @inlinable
  public mutating func value(of key: Key) throws(PersistentCollectionError) -> Value? {
    try key.withPersistentBytes { (key) throws(PersistentCollectionError) -> Value? in
      var value: Value?
      let isFound = try bytes.readValue(of: key) { value = Value(persistentBytes: $0) }
      if isFound, value == nil { throw .damaged(try bytes.address(of: key) ?? .zero) }
      return value
    }
  }

  /// Puts a value in the place of what is there, completely or not at all.
  ///
  /// - Returns: whether the key is new.
  /// - Throws: ``PersistentCollectionError``; the old value is still there then.
  /// - Complexity: O(key + value).
  @inlinable
  @discardableResult
  public mutating func setValue(
    _ value: Value, of key: Key
  ) throws(PersistentCollectionError) -> Bool {
    try key.withPersistentBytes { (key) throws(PersistentCollectionError) in
      try bytes.setValue(of: key, byteCount: value.persistentByteCount) { value.write(to: &$0) }
    }
  }

  /// Removes the value of `key`.
  ///
  /// - Returns: whether one existed.
  /// - Throws: as ``PersistentByteMap/removeValue(of:)``.
  /// - Complexity: O(key).
  @inlinable
  @discardableResult
  public mutating func removeValue(of key: Key) throws(PersistentCollectionError) -> Bool {
    try key.withPersistentBytes { (key) throws(PersistentCollectionError) in
      try bytes.removeValue(of: key)
    }
  }

  /// Calls `body` as one change: on throw, and after a crash in it, nothing of it has happened.
  ///
  /// - Throws: as ``PersistentByteMap/transaction(_:)``.
  public mutating func transaction(
    _ body: (inout PersistentMap) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    try bytes.transaction { (bytes) throws(PersistentCollectionError) in
      var whole = PersistentMap(bytes: bytes)
      do throws(PersistentCollectionError) { try body(&whole) } catch {
        bytes = whole.bytes
        throw error
      }
      bytes = whole.bytes
    }
  }

  /// Calls `body` with every key and value, in no order.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``, also where bytes are not values of the types.
  /// - Complexity: O(entries + buckets).
  public mutating func forEach(
    _ body: (Key, Value) -> Void
  ) throws(PersistentCollectionError) {
    var cursor: UInt64 = 0
    repeat {
      var undecodable: [UInt8]?
      cursor = try bytes.scan(from: cursor) { key, value, _ in
        guard let decodedKey = Key(persistentBytes: key),
          let decodedValue = Value(persistentBytes: value)
        else {
          undecodable = key.copiedBytes()
          return
        }
        body(decodedKey, decodedValue)
      }
      if let undecodable {
        let address = try undecodable.withRawSpan { (key) throws(PersistentCollectionError) in
          try bytes.address(of: key)
        }
        throw .damaged(address ?? .zero)
      }
    } while cursor != 0
  }
}

extension PersistentByteMap {
  /// Calls `body` with the value of `key`; returns false if the map does not contain it.
  @usableFromInline
  mutating func readValue(
    of key: RawSpan, _ body: (RawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    let found: Void? = try map.withValue(of: key) { bytes, _ in body(bytes) }
    return found != nil
  }

  /// Where the entry of `key` is; nil if the map does not contain it.
  @usableFromInline
  func address(of key: RawSpan) throws(PersistentCollectionError) -> PhysicalAddress? {
    try map.find(key, hash: map.sip.hash(key)).map { PhysicalAddress($0.address) }
  }
}
