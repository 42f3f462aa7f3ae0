import MemoryAccess

/// A single value of a ``PersistentStore``, of any size.
public struct StoreValue<Value: PersistentElement>: Sendable {
  let store: PersistentStore
  let root: CollectionRoot

  /// The value; nil if none was set.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  public var value: Value? {
    get throws(PersistentCollectionError) {
      try store.read(root) { (view) throws(PersistentCollectionError) -> Value? in
        let word = view.arena.loadRoot(RootLayout.value)
        if word == 0 { return nil }
        let object = ObjectReference(in: word)
        let header = try view.header(of: object, foundAt: root.start &+ RootLayout.value)
        let start =
          object.address &+ EntryHeader.byteCount &+ UInt64(header.keyByteCount)
        let value = try view.withBytes(at: start, count: header.valueByteCount) {
          Value(persistentBytes: $0)
        }
        guard let value else { throw .damaged(PhysicalAddress(object.address)) }
        return value
      }
    }
  }

  /// Puts a value in the place of what is there, completely or not at all.
  ///
  /// - Throws: ``PersistentCollectionError``; the old value is still there then.
  public func set(_ value: Value) throws(PersistentCollectionError) {
    try store.write(root) { (engine) throws(PersistentCollectionError) in
      try engine.transaction { (engine) throws(PersistentCollectionError) in
        let byteCount = value.persistentByteCount
        guard byteCount >= 0, byteCount <= PersistentByteMap.valueByteLimit else { throw .tooLarge }
        let none: [UInt8] = []
        let object = try none.withRawSpan { (key) throws(PersistentCollectionError) in
          try engine.makeEntry(key, byteCount: byteCount, metadata: EntryMetadata(), room: 0) {
            value.write(to: &$0)
          }
        }
        let old = engine.arena.loadRoot(RootLayout.value)
        try engine.arena.setRoot(object.rawValue, RootLayout.value)
        if old != 0 { engine.arena.unlinkObject(ObjectReference(in: old)) }
        try engine.arena.setRoot(1, RootLayout.entryCount)
      }
    }
  }
}

/// A number of a ``PersistentStore`` that is counted up and down.
public struct StoreCounter: Sendable {
  let store: PersistentStore
  let root: CollectionRoot

  /// The number.
  public var value: Int64 {
    get throws(PersistentCollectionError) {
      try store.read(root) { (view) throws(PersistentCollectionError) in
        Int64(bitPattern: view.arena.loadRoot(RootLayout.value))
      }
    }
  }

  /// Adds `difference`, which may be negative; the sum wraps around beyond 64 bits.
  ///
  /// - Returns: the sum.
  @discardableResult
  public func add(_ difference: Int64 = 1) throws(PersistentCollectionError) -> Int64 {
    try store.write(root) { (engine) throws(PersistentCollectionError) in
      let sum = Int64(bitPattern: engine.arena.loadRoot(RootLayout.value)) &+ difference
      try engine.transaction { (engine) throws(PersistentCollectionError) in
        try engine.arena.setRoot(UInt64(bitPattern: sum), RootLayout.value)
      }
      return sum
    }
  }
}

extension PersistentStore {
  /// The value called `name`, made if it does not exist.
  public func value<Value: PersistentElement>(
    _ name: String, of type: Value.Type
  ) throws(PersistentCollectionError) -> StoreValue<Value> {
    try requirePreservable(Value.self)
    let numbers = (0 as UInt64, Value.persistentTypeNumber)
    return StoreValue(store: self, root: try collection(name, .value, types: numbers))
  }

  /// The counter called `name`, made if it does not exist.
  public func counter(_ name: String) throws(PersistentCollectionError) -> StoreCounter {
    StoreCounter(store: self, root: try collection(name, .counter, types: (0, 10)))
  }
}
