package import MemoryAccess

/// A map from bytes to bytes, over any storage: what ``PersistentByteMap`` is, and what tests watch.
package struct ByteMap<Storage: PersistentStorage & ~Copyable>: ~Copyable {
  var arena: Arena<Storage>
  let sip: SipHash

  /// The size of the region that leads to the map, in bytes.
  package static var rootByteCount: UInt64 { RootLayout.byteCount }

  /// What a new root region begins with.
  package static func fill(root: inout MutableRawSpan, hashKey: (UInt64, UInt64)) {
    let words = [RootLayout.magic, RootLayout.version, hashKey.0, hashKey.1]
    for (index, word) in (words + [checkValue(words)]).enumerated() {
      root.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
    }
  }

  /// The map whose root region begins at `root`; what a predecessor was killed in is completed or undone.
  ///
  /// - Throws: ``PersistentCollectionError``; also where the region holds something else.
  /// - Complexity: O(1).
  package static func open(
    at root: PhysicalAddress, in storage: consuming Storage
  ) throws(PersistentCollectionError) -> ByteMap {
    let hashKey = try hashKey(at: root, in: storage.memory)
    var map = ByteMap(
      arena: Arena(storage, root: root.rawValue), sip: SipHash(key: hashKey))
    try map.recover()
    return map
  }

  private init(arena: consuming Arena<Storage>, sip: SipHash) {
    self.arena = arena
    self.sip = sip
  }

  /// The key of the hash function, from a root region that is one.
  private static func hashKey(
    at root: PhysicalAddress, in memory: Storage.Memory
  ) throws(PersistentCollectionError) -> (UInt64, UInt64) {
    guard let region = PhysicalRange(checkedStart: root, byteCount: RootLayout.byteCount),
      memory.contains(region), root.isAligned(log2ByteCount: 3)
    else { throw .notThisCollection }
    let words = memory.withWords(at: root, count: 5) { words in (0..<5).map { words.load($0) } }
    guard words[0] == RootLayout.magic else { throw .notThisCollection }
    guard words[1] == RootLayout.version else { throw .unknownLayout(version: words[1]) }
    guard words[4] == checkValue(Array(words[..<4])) else { throw .damaged(root) }
    return (words[2], words[3])
  }

  private mutating func recover() throws(PersistentCollectionError) {
    try arena.recover()
    if arena.loadRoot(RootLayout.directory) == 0 { try makeIndex() }
    try checkIndex()
  }

  package consuming func close() -> Storage { arena.takeStorage() }

  /// How many entries there are.
  package var count: Int { Int(truncatingIfNeeded: arena.loadRoot(RootLayout.entryCount)) }

  private static func checkValue(_ words: [UInt64]) -> UInt64 {
    // SAFETY: a word has no padding that could be read.
    SipHash(key: (RootLayout.magic, RootLayout.version)).hash(unsafe words.span.bytes)
  }

  /// An index without entries, in place of what is there, which is not freed.
  mutating func makeIndex() throws(PersistentCollectionError) {
    let limit = arena.storageByteLimit
    // So much there must be.
    arena.storageByteLimit = .max
    defer { arena.storageByteLimit = limit }
    try arena.transaction { (arena) throws(PersistentCollectionError) in
      let directory = try arena.allocatePiece(byteCount: Index.directoryByteCount)
      let chunk = try arena.allocatePiece(byteCount: Index.chunkByteCount)
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
