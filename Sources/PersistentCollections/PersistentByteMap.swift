internal import MemoryAccess
public import ProcessHandover

/// A map from bytes to bytes that outlives its process.
///
///     var map = try PersistentByteMap.open(PreservedMemory.open("/dev/shm/service"))
///     try map.setValue(value, of: key)
///
/// It is in `PreservedMemory` in a form that needs no rebuilding: opening it takes the same time
/// whatever its size, and the next process has every value that was stored, also after kill -9.
/// A crash leaves each operation complete, or without any effect.
///
/// The memory may have been written by another program: what cannot be is an error, and nothing outside
/// of the memory is read or written. One thread at a time uses the value.
public struct PersistentByteMap: ~Copyable {
  typealias Map = ByteMap<PreservedStorage>

  var map: Map

  /// The longest key, in bytes.
  public static var keyByteLimit: Int { Map.keyByteLimit }
  /// The longest value, in bytes: 1 GiB.
  public static var valueByteLimit: Int { Map.valueByteLimit }

  /// Opens the map called `name` in `memory`, or makes one.
  ///
  /// - Throws: ``PersistentCollectionError``. The memory is let go of then; nothing in it has changed,
  ///   unless what a predecessor was killed in was completed.
  /// - Complexity: O(1).
  public static func open(
    _ memory: consuming PreservedMemory, named name: String = "map"
  ) throws(PersistentCollectionError) -> PersistentByteMap {
    let region: PhysicalRange
    do throws(PreservedMemoryError) {
      if let found = try memory.region(named: name) {
        region = found
      } else {
        region = try memory.makeRoot(.map, named: name)
      }
    } catch {
      throw .memory(error)
    }
    return try open(memory, at: region)
  }

  private static func open(
    _ memory: consuming PreservedMemory, at region: PhysicalRange
  ) throws(PersistentCollectionError) -> PersistentByteMap {
    // Refuses before anything is made.
    _ = try CollectionRoot(in: region, of: memory.file, ledger: nil)
    let ledger: MemoryLedger
    do throws(PreservedMemoryError) { ledger = try memory.ledger() } catch { throw .memory(error) }
    return PersistentByteMap(map: try Map.open(at: region, in: PreservedStorage(memory), ledger))
  }

  init(map: consuming ByteMap<PreservedStorage>) { self.map = map }

  /// The memory, for values of one's own.
  public var memory: PreservedMemory {
    _read { yield map.arena.storage.preserved }
    _modify {
      yield &map.arena.storage.preserved
      map.arena.storage.refresh()
    }
  }

  /// Gives the memory back, to hand it over.
  public consuming func close() -> PreservedMemory { map.close().take() }

  /// The number of entries.
  public var count: Int { map.count }

  /// How many bytes of the memory the map takes: entries, free room between them, the index.
  public var storageByteCount: UInt64 { map.arena.loadRoot(RootLayout.storageByteCount) }

  /// How many bytes of the memory the map may take. Of this process; no limit at first.
  ///
  /// The storage of the memory's file follows: where it exceeds the limit, what is free of it goes back to
  /// the file system.
  public var storageByteLimit: UInt64 {
    get { map.arena.storageByteLimit }
    set {
      map.arena.storageByteLimit = newValue
      map.arena.storage.storedByteLimit = newValue
    }
  }

  /// Calls `body` with the value of `key` and its metadata, and stores the metadata if `body` changes it; returns
  /// nil if the map does not contain the key.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(key).
  public mutating func withValue<Result>(
    of key: RawSpan, _ body: (RawSpan, inout EntryMetadata) -> Result
  ) throws(PersistentCollectionError) -> Result? {
    try map.withValue(of: key, body)
  }

  /// Puts a value in the place of what is there.
  ///
  /// - Returns: whether the key is new.
  /// - Throws: ``PersistentCollectionError``; the old value is still there then.
  /// - Precondition: neither `value` nor `key` is a view of the map's memory.
  /// - Complexity: O(key + value).
  @discardableResult
  public mutating func setValue(
    _ value: RawSpan, of key: RawSpan, metadata: EntryMetadata = EntryMetadata()
  ) throws(PersistentCollectionError) -> Bool {
    try map.setValue(of: key, byteCount: value.byteCount, metadata: metadata) {
      copy(value, to: &$0)
    }
  }

  /// Puts a value of `byteCount` bytes in the place of what is there.
  ///
  /// - Parameter key: the key, of up to 65,535 bytes.
  /// - Parameter byteCount: the size of the value, in bytes.
  /// - Parameter metadata: two numbers that are kept with the entry.
  /// - Parameter fill: writes all bytes of the value, which are undefined at first.
  /// - Returns: whether the key is new.
  /// - Throws: as ``setValue(_:of:metadata:)``.
  /// - Complexity: O(key + value).
  @discardableResult
  public mutating func setValue(
    of key: RawSpan, byteCount: Int, metadata: EntryMetadata = EntryMetadata(),
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    try map.setValue(of: key, byteCount: byteCount, metadata: metadata, fill)
  }

  /// Adds bytes to the end of a value.
  ///
  /// - Returns: the size of the value then; nil where the key is not there.
  /// - Throws: as ``setValue(_:of:metadata:)``.
  /// - Complexity: O(key + bytes), amortised.
  public mutating func append(
    _ bytes: RawSpan, to key: RawSpan
  ) throws(PersistentCollectionError) -> Int? {
    try map.append(bytes, to: key)
  }

  /// Removes the value of `key`.
  ///
  /// - Returns: whether one existed.
  /// - Throws: ``PersistentCollectionError/damaged(_:)``;
  ///   ``PersistentCollectionError/transactionTooLarge`` in a transaction.
  /// - Complexity: O(key).
  @discardableResult
  public mutating func removeValue(
    of key: RawSpan
  ) throws(PersistentCollectionError) -> Bool {
    try map.removeValue(of: key)
  }

  /// Removes everything.
  ///
  /// - Throws: ``PersistentCollectionError``.
  /// - Precondition: not inside ``transaction(_:)``.
  /// - Complexity: O(bytes / 2 MiB + values of more than 32 KiB).
  public mutating func removeAll() throws(PersistentCollectionError) { try map.removeAll() }

  /// Calls `body` as one change: on throw, and after a crash in it, nothing of it has happened.
  ///
  /// - Throws: the error of `body`, also where `body` went on after one;
  ///   ``PersistentCollectionError/transactionTooLarge`` beyond some 1,500 values.
  public mutating func transaction(
    _ body: (inout PersistentByteMap) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    try map.transaction { (map) throws(PersistentCollectionError) in
      var whole = PersistentByteMap(map: map)
      do throws(PersistentCollectionError) { try body(&whole) } catch {
        map = whole.map
        throw error
      }
      map = whole.map
    }
    try map.adjust()
  }

  /// Calls `body` with key, value and metadata of the entries at a cursor, a handful or none.
  ///
  /// From 0 on, until 0 comes back, an entry that is there all the while is seen at least once.
  ///
  /// - Returns: the next cursor; 0 at the end.
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(entries at the cursor); on average at most five.
  public func scan(
    from cursor: UInt64, _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) -> UInt64 {
    try map.scan(from: cursor, body)
  }

  /// Calls `body` with key, value and metadata of a handful of entries in a random place of the map; with none
  /// only if the map is empty.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(1) on average; O(buckets) right after most entries were removed.
  public func sample(
    using generator: inout some RandomNumberGenerator,
    _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) {
    try map.sample(using: &generator, body)
  }

  /// How many bytes of the memory the entry of `key` takes, with its share of the index; nil if the map does not
  /// contain the key.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(key).
  public func memoryByteCount(of key: RawSpan) throws(PersistentCollectionError) -> Int? {
    try map.memoryByteCount(of: key)
  }

  // MARK: Room

  /// Moves entries together, so that an entry of `byteCount` bytes, its key and its value, fits where
  /// memory is free only in smaller pieces, or in pieces of another size.
  ///
  /// Each entry moves as one change: a process killed at any point leaves it in one place or the other.
  ///
  /// - Returns: whether memory has become free that such an entry can use; false where moving entries
  ///   does not help.
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Precondition: not inside ``transaction(_:)``.
  /// - Complexity: O(what is moved), 64 KiB or the size of the entry; for more than 32 KiB also O(extents of
  ///   2 MiB + values of more than 32 KiB).
  public mutating func makeRoom(
    forByteCount byteCount: Int
  ) throws(PersistentCollectionError) -> Bool {
    try map.makeRoom(forByteCount: byteCount &+ Int(EntryHeader.byteCount))
  }

  /// Moves the entries of 64 KiB of memory of which at most a quarter is in use to where others of their
  /// size are.
  ///
  /// - Returns: whether there were such.
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Precondition: not inside ``transaction(_:)``.
  /// - Complexity: O(1).
  public mutating func tidy() throws(PersistentCollectionError) -> Bool { try map.tidy() }

  /// Calls `body` with key, value and metadata of entries that are next to each other: those of the fewest bytes
  /// whose removal makes room for an entry of `byteCount` bytes.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(extents of 2 MiB + values of more than 32 KiB + entries that `body` is called with).
  public func forEachEvictionCandidate(
    freeing byteCount: Int, _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) {
    try map.forEachEvictionCandidate(
      freeing: byteCount &+ Int(EntryHeader.byteCount), body)
  }
}

extension PersistentByteMap {
  /// Looks at every entry, every object, every list.
  ///
  /// - Complexity: O(memory of the map); takes a word of process memory for each entry.
  public func check() -> PersistentMapReport { map.check() }
}
