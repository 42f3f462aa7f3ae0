package import MemoryAccess
package import ProcessHandover

/// A map from bytes to bytes, over any storage: what ``PersistentByteMap`` is, and what tests watch.
package struct ByteMap<Storage: PersistentStorage & ~Copyable>: ~Copyable {
  var arena: Arena<Storage>
  var sip: SipHash

  /// The size of the region that points to the map, in bytes.
  package static var rootByteCount: UInt64 { RootLayout.byteCount }

  /// What a new root region begins with.
  package static func fill(
    root: inout MutableRawSpan, hashKey: (UInt64, UInt64), ledger: UInt64
  ) {
    CollectionRoot.fill(&root, .map, hashKey: hashKey, ledger: ledger)
  }

  /// The map whose root region is `region`.
  ///
  /// - Parameter ledger: the memory's; what a predecessor was killed in is completed or undone.
  /// - Throws: ``PersistentCollectionError``; also where the region holds something else.
  /// - Complexity: O(1).
  package static func open(
    at region: PhysicalRange, in storage: consuming Storage, _ ledger: MemoryLedger
  ) throws(PersistentCollectionError) -> ByteMap {
    let root = try CollectionRoot(in: region, of: storage.memory, ledger: ledger.identity)
    guard root.kind == .map else { throw .notThisCollection }
    var map = ByteMap(arena: Arena(storage, ledger), sip: root.sip)
    try map.arena.checkControl()
    _ = try map.arena.open(root)
    try map.prepare()
    return map
  }

  init(arena: consuming Arena<Storage>, sip: SipHash) {
    self.arena = arena
    self.sip = sip
  }

  /// Means another collection of the same memory from now on.
  @inline(__always)
  mutating func use(_ root: CollectionRoot) {
    arena.select(root: root.start, owner: root.owner)
    sip = root.sip
  }

  /// Makes the index of a new map.
  mutating func prepare() throws(PersistentCollectionError) {
    if arena.loadRoot(RootLayout.directory) == 0 { try makeIndex() }
    try checkIndex()
  }

  package consuming func close() -> Storage { arena.takeStorage() }

  /// The number of entries.
  package var count: Int { Int(truncatingIfNeeded: arena.loadRoot(RootLayout.entryCount)) }

  /// An index without entries, in place of what is there, which is not freed.
  mutating func makeIndex() throws(PersistentCollectionError) {
    let limit = arena.storageByteLimit
    // So much there must be.
    arena.storageByteLimit = .max
    defer { arena.storageByteLimit = limit }
    try arena.transaction { (arena) throws(PersistentCollectionError) in
      let directory = try arena.allocatePiece(byteCount: Index.directoryByteCount).start.rawValue
      let chunk = try arena.allocatePiece(byteCount: Index.chunkByteCount).start.rawValue
      arena.publish(chunk, at: directory)
      try arena.setRoot(1, RootLayout.chunkCount)
      try arena.setRoot(Index.smallestBucketCount, RootLayout.bucketCount)
      try arena.setRoot(0, RootLayout.entryCount)
      try arena.setRoot(directory, RootLayout.directory)
    }
  }

  /// What lookups rely on: the directory exists, and has a chunk for each bucket.
  func checkIndex() throws(PersistentCollectionError) {
    _ = try arena.checked(
      arena.loadRoot(RootLayout.directory), byteCount: Index.directoryByteCount,
      foundAt: arena.root &+ RootLayout.directory)
    let chunkCount = arena.loadRoot(RootLayout.chunkCount)
    let bucketCount = arena.loadRoot(RootLayout.bucketCount)
    guard chunkCount <= Index.chunkLimit, bucketCount >= Index.smallestBucketCount,
      bucketCount <= chunkCount &* Index.bucketsInChunk
    else { throw .damaged(PhysicalAddress(arena.root &+ RootLayout.bucketCount)) }
    let garbage = arena.loadRoot(RootLayout.garbageDirectory)
    if garbage == 0 { return }
    _ = try arena.checked(
      garbage, byteCount: Index.directoryByteCount,
      foundAt: arena.root &+ RootLayout.garbageDirectory)
    guard arena.loadRoot(RootLayout.garbageChunkCount) <= Index.chunkLimit else {
      throw .damaged(PhysicalAddress(arena.root &+ RootLayout.garbageChunkCount))
    }
  }
}
