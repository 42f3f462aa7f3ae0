import MemoryAccess
internal import ProcessHandover

// What `removeAll` leaves hangs together by lists of its own, and is freed piece by piece; a crash in
// between loses nothing of the lists.

extension Arena where Storage: ~Copyable {
  var hasGarbage: Bool {
    loadRoot(RootLayout.garbageExtents) != 0 || loadRoot(RootLayout.garbageLargeObjects) != 0
      || loadRoot(RootLayout.garbageDirectory) != 0
  }

  /// Frees up to `limit` pieces that nothing points to any more.
  mutating func collectGarbage(atMost limit: Int) throws(PersistentCollectionError) {
    var rest = limit
    while rest > 0, hasGarbage {
      let count = min(rest, LedgerLayout.pendingFreeCapacity / 2)
      try transaction { (arena) throws(PersistentCollectionError) in
        for _ in 0..<count where try !arena.collectPiece() { return }
      }
      rest &-= count
    }
  }

  /// Frees one piece; false if none exists.
  private mutating func collectPiece() throws(PersistentCollectionError) -> Bool {
    let extent = loadRoot(RootLayout.garbageExtents)
    if extent != 0 {
      let extent = try checkedExtent(extent, foundAt: root &+ RootLayout.garbageExtents)
      try setRoot(load(extent &+ Extent.next), RootLayout.garbageExtents)
      try freeAtCommit(extent)
      return true
    }
    let pages = loadRoot(RootLayout.garbageLargeObjects)
    if pages != 0 {
      _ = try checkedByteCount(ofPages: pages)
      try setRoot(load(pages &+ LargeObject.next), RootLayout.garbageLargeObjects)
      try freeAtCommit(pages)
      return true
    }
    let directory = loadRoot(RootLayout.garbageDirectory)
    guard directory != 0 else { return false }
    let count = loadRoot(RootLayout.garbageChunkCount)
    if directory == loadRoot(RootLayout.directory), count <= 1 {
      // The index goes on with its directory and the first chunk: see `ByteMap.removeAll()`.
      try clearUnusedBuckets()
      try setRoot(0, RootLayout.garbageChunkCount)
      try setRoot(0, RootLayout.garbageDirectory)
      return true
    }
    guard count > 0 else {
      try setRoot(0, RootLayout.garbageDirectory)
      try freeAtCommit(directory)
      return true
    }
    let place = directory &+ (count &- 1) &* 8
    let chunk = try checked(
      checkedLoad(place, from: root &+ RootLayout.garbageDirectory),
      byteCount: Index.chunkByteCount, foundAt: place)
    try setRoot(count &- 1, RootLayout.garbageChunkCount)
    try freeAtCommit(chunk)
    return true
  }

  /// Clears the buckets of the first chunk that nothing points to: the index grows into them.
  private mutating func clearUnusedBuckets() throws(PersistentCollectionError) {
    let directory = loadRoot(RootLayout.directory)
    let first = try checked(
      checkedLoad(directory, from: root &+ RootLayout.directory), byteCount: Index.chunkByteCount,
      foundAt: directory)
    guard isOwn(first), isOwn(first &+ Index.chunkByteCount &- 8) else {
      throw .damaged(PhysicalAddress(directory))
    }
    let used = min(loadRoot(RootLayout.bucketCount), Index.bucketsInChunk)
    for offset in stride(from: used &* Index.bucketByteCount, to: Index.chunkByteCount, by: 8) {
      publish(0, at: first &+ offset)
    }
  }
}
