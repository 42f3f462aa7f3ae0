import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  /// Puts a slot's word into the first free slot of a chain, or into a new bucket at its end.
  mutating func add(
    _ word: UInt64, toChain first: UInt64
  ) throws(PersistentCollectionError) {
    var bucket = first
    var rest = Index.chainLimit
    while true {
      for index in 0..<Index.slotCount {
        let slot = Index.slot(index, of: bucket)
        if arena.load(slot) == 0 { return try arena.set(word, at: slot) }
      }
      let next = try overflow(of: bucket)
      if next == 0 { break }
      bucket = next
      rest &-= 1
      guard rest > 0 else { throw .damaged(PhysicalAddress(bucket)) }
    }
    let made = try arena.takeSlot(SizeClasses.bucketClass, first: word)
    for offset in stride(from: 8 as UInt64, to: Index.bucketByteCount, by: 8) {
      arena.publish(0, at: made &+ offset)
    }
    try arena.set(made, at: bucket &+ Index.overflow)
  }

  /// Empties a slot; a bucket behind the first one of its chain goes with its last entry.
  mutating func clear(
    slot: UInt64, of bucket: UInt64, after previous: UInt64
  ) throws(PersistentCollectionError) {
    try arena.set(0, at: slot)
    guard previous != 0, isEmpty(bucket) else { return }
    try drop(bucket, after: previous)
  }

  private func isEmpty(_ bucket: UInt64) -> Bool {
    (0..<Index.slotCount).allSatisfy { arena.load(Index.slot($0, of: bucket)) == 0 }
  }

  /// Takes a bucket without entries out of its chain, and gives it back.
  private mutating func drop(
    _ bucket: UInt64, after previous: UInt64
  ) throws(PersistentCollectionError) {
    try arena.set(arena.load(bucket &+ Index.overflow), at: previous &+ Index.overflow)
    // The next user of the bucket stores to it without a note of what was there.
    try arena.set(0, at: bucket &+ Index.overflow)
    try arena.giveBack(slot: bucket)
  }

  /// Lets the index follow the number of entries, by a few buckets; and frees some garbage.
  ///
  /// Never inside a transaction, which would fail with it: an index that is too small works as well.
  mutating func adjust() throws(PersistentCollectionError) {
    guard arena.depth == 0 else { return }
    if arena.hasGarbage {
      // Before the index grows: garbage may have a part of its directory, and of its first chunk.
      let isPartOfIndex =
        arena.loadRoot(RootLayout.garbageDirectory) == arena.loadRoot(RootLayout.directory)
      try arena.collectGarbage(atMost: isPartOfIndex ? .max : 1)
    }
    for _ in 0..<2 {
      let entryCount = arena.loadRoot(RootLayout.entryCount)
      let bucketCount = arena.loadRoot(RootLayout.bucketCount)
      do throws(PersistentCollectionError) {
        if entryCount > bucketCount &* Index.entriesBeforeGrowth {
          guard bucketCount < Index.chunkLimit &* Index.bucketsInChunk else { return }
          try transaction { (map) throws(PersistentCollectionError) in
            try map.split(bucketCount)
          }
        } else if entryCount < bucketCount &* Index.entriesBeforeShrinking,
          bucketCount > Index.smallestBucketCount
        {
          try transaction { (map) throws(PersistentCollectionError) in
            try map.merge(bucketCount &- 1)
          }
        } else {
          return
        }
      } catch {
        // Without room the index stays as it is.
        guard case .damaged = error else { return }
        throw error
      }
    }
  }

  /// Makes bucket `new`, the one behind the last, of half of another one.
  private mutating func split(_ new: UInt64) throws(PersistentCollectionError) {
    let half = Index.highestBit(new)
    if new &>> Index.log2BucketsInChunk == arena.loadRoot(RootLayout.chunkCount) {
      try addChunk()
    }
    let old = try address(ofBucket: new &- half)
    let target = try address(ofBucket: new)
    var moved: [FoundEntry] = []
    try forEachEntry(inChain: old) { (entry) throws(PersistentCollectionError) in
      let hash = try withBytes(at: entry.key, count: entry.header.keyByteCount) { sip.hash($0) }
      if hash & half != 0 { moved.append(entry) }
    }
    for entry in moved { try add(arena.load(entry.slot), toChain: target) }
    for entry in moved { try arena.set(0, at: entry.slot) }
    try dropEmptyBuckets(ofChain: old)
    try arena.setRoot(new &+ 1, RootLayout.bucketCount)
  }

  /// Takes bucket `last`, the last one, back into the one it was made of.
  private mutating func merge(_ last: UInt64) throws(PersistentCollectionError) {
    let source = try address(ofBucket: last)
    let target = try address(ofBucket: last &- Index.highestBit(last))
    var words: [UInt64] = []
    try forEachEntry(inChain: source) { words.append(arena.load($0.slot)) }
    var bucket = source
    while bucket != 0 {
      for index in 0..<Index.slotCount {
        let slot = Index.slot(index, of: bucket)
        if arena.load(slot) != 0 { try arena.set(0, at: slot) }
      }
      bucket = try overflow(of: bucket)
    }
    try dropEmptyBuckets(ofChain: source)
    for word in words { try add(word, toChain: target) }
    try arena.setRoot(last, RootLayout.bucketCount)
    // Half a chunk later, so that one that is needed again soon is still there.
    let chunkCount = arena.loadRoot(RootLayout.chunkCount)
    if last & (Index.bucketsInChunk &- 1) == Index.bucketsInChunk / 2,
      chunkCount > last &>> Index.log2BucketsInChunk &+ 1
    {
      try removeChunk(chunkCount &- 1)
    }
  }

  private mutating func dropEmptyBuckets(
    ofChain first: UInt64
  ) throws(PersistentCollectionError) {
    var previous = first
    var bucket = try overflow(of: first)
    while bucket != 0 {
      let next = try overflow(of: bucket)
      if isEmpty(bucket) {
        try drop(bucket, after: previous)
      } else {
        previous = bucket
      }
      bucket = next
    }
  }

  private mutating func addChunk() throws(PersistentCollectionError) {
    let count = arena.loadRoot(RootLayout.chunkCount)
    let chunk = try arena.allocatePiece(byteCount: Index.chunkByteCount).start.rawValue
    let place = arena.loadRoot(RootLayout.directory) &+ count &* 8
    _ = try arena.checkedLoad(place, from: arena.root &+ RootLayout.directory)
    try arena.set(chunk, at: place)
    try arena.setRoot(count &+ 1, RootLayout.chunkCount)
  }

  private mutating func removeChunk(_ index: UInt64) throws(PersistentCollectionError) {
    let place = arena.loadRoot(RootLayout.directory) &+ index &* 8
    let chunk = try arena.checked(
      arena.checkedLoad(place, from: arena.root &+ RootLayout.directory),
      byteCount: Index.chunkByteCount, foundAt: place)
    try arena.set(0, at: place)
    try arena.setRoot(index, RootLayout.chunkCount)
    try arena.freeAtCommit(chunk)
  }
}
