import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  /// Where a bucket is.
  @inline(__always)
  func address(ofBucket bucket: UInt64) throws(PersistentCollectionError) -> UInt64 {
    let place =
      arena.loadRoot(RootLayout.directory) &+ (bucket &>> Index.log2BucketsInChunk) &* 8
    // What damaged a bucket may have overwritten the root too.
    let chunk = try arena.checked(
      arena.checkedLoad(place, from: arena.root &+ RootLayout.directory),
      byteCount: Index.chunkByteCount, foundAt: place)
    return chunk &+ (bucket & (Index.bucketsInChunk &- 1)) &* Index.bucketByteCount
  }

  @inline(__always)
  func bucket(of hash: UInt64) -> UInt64 {
    Index.bucket(of: hash, bucketCount: arena.loadRoot(RootLayout.bucketCount))
  }

  /// The bucket after `bucket` in its chain; 0 at the end.
  @inline(__always)
  func overflow(of bucket: UInt64) throws(PersistentCollectionError) -> UInt64 {
    let place = bucket &+ Index.overflow
    let next = arena.load(place)
    if next == 0 { return 0 }
    return try arena.checked(next, byteCount: Index.bucketByteCount, foundAt: place)
  }

  /// The header of the entry at `object`, all of which exists.
  @inline(__always)
  func header(
    of object: ObjectReference, foundAt place: UInt64
  ) throws(PersistentCollectionError) -> EntryHeader {
    let address = try arena.checked(
      object.address, byteCount: EntryHeader.byteCount, foundAt: place)
    guard let header = EntryHeader(arena.load(address)),
      arena.exists(address, byteCount: UInt64(truncatingIfNeeded: header.entryByteCount))
    else { throw .damaged(PhysicalAddress(address)) }
    return header
  }

  @inline(__always)
  func withBytes<Result>(
    at address: UInt64, count: Int, _ body: (RawSpan) -> Result
  ) throws(PersistentCollectionError) -> Result {
    let range = PhysicalRange(
      start: PhysicalAddress(address), byteCount: UInt64(truncatingIfNeeded: count))
    guard let result = arena.storage.memory.withBytes(in: range, body) else {
      throw .damaged(PhysicalAddress(address))
    }
    return result
  }

  /// The entry of `key`; nil if the map does not contain it.
  @inline(__always)
  func find(_ key: RawSpan, hash: UInt64) throws(PersistentCollectionError) -> FoundEntry? {
    let tag = Index.tag(hash)
    var bucket = try address(ofBucket: bucket(of: hash))
    var previous: UInt64 = 0
    var rest = Index.chainLimit
    while true {
      for index in 0..<Index.slotCount {
        let slot = Index.slot(index, of: bucket)
        let word = arena.load(slot)
        guard word & ~ObjectReference.mask == tag, word != 0 else { continue }
        let object = ObjectReference(in: word)
        let header = try header(of: object, foundAt: slot)
        guard header.keyByteCount == key.byteCount else { continue }
        let found = FoundEntry(
          object: object, header: header, slot: slot, bucket: bucket, previousBucket: previous)
        if try withBytes(at: found.key, count: header.keyByteCount, { isEqual($0, key) }) {
          return found
        }
      }
      previous = bucket
      bucket = try overflow(of: bucket)
      if bucket == 0 { return nil }
      rest &-= 1
      guard rest > 0 else { throw .damaged(PhysicalAddress(previous)) }
    }
  }

  /// Calls `body` with each entry of one bucket.
  func forEachEntry(
    inBucket bucket: UInt64, after previous: UInt64 = 0,
    _ body: (FoundEntry) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    for index in 0..<Index.slotCount {
      let slot = Index.slot(index, of: bucket)
      let word = arena.load(slot)
      if word == 0 { continue }
      let object = ObjectReference(in: word)
      try body(
        FoundEntry(
          object: object, header: header(of: object, foundAt: slot), slot: slot, bucket: bucket,
          previousBucket: previous))
    }
  }

  /// Calls `body` with each entry of a chain.
  func forEachEntry(
    inChain first: UInt64, _ body: (FoundEntry) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    var bucket = first
    var previous: UInt64 = 0
    var rest = Index.chainLimit
    while bucket != 0 {
      try forEachEntry(inBucket: bucket, after: previous, body)
      previous = bucket
      bucket = try overflow(of: bucket)
      rest &-= 1
      guard rest > 0 else { throw .damaged(PhysicalAddress(previous)) }
    }
  }

  func metadata(of entry: FoundEntry) -> EntryMetadata {
    EntryMetadata(
      first: arena.load(entry.address &+ EntryHeader.metadata),
      second: arena.load(entry.address &+ EntryHeader.metadata &+ 8))
  }

  /// Stores the words of the metadata that changed; as a part of the transaction, if one is being made.
  mutating func setMetadata(
    _ metadata: EntryMetadata, of entry: FoundEntry, before: EntryMetadata
  ) throws(PersistentCollectionError) {
    let place = entry.address &+ EntryHeader.metadata
    if arena.depth == 0, metadata != before {
      if !arena.ledgerIndex.isMade { try arena.makeLedgerIndex() }
      try arena.requireOwn(entry.object)
    }
    if metadata.first != before.first { try setMetadataWord(metadata.first, at: place) }
    if metadata.second != before.second { try setMetadataWord(metadata.second, at: place &+ 8) }
  }

  private mutating func setMetadataWord(
    _ word: UInt64, at place: UInt64
  ) throws(PersistentCollectionError) {
    if arena.depth == 0 { arena.publish(word, at: place) } else { try arena.set(word, at: place) }
  }

  /// Calls `body` with the value of `key` and its metadata; returns nil if the map does not contain the key.
  @inline(__always)
  package mutating func withValue<Result>(
    of key: RawSpan, _ body: (RawSpan, inout EntryMetadata) -> Result
  ) throws(PersistentCollectionError) -> Result? {
    guard let entry = try find(key, hash: sip.hash(key)) else { return nil }
    let before = metadata(of: entry)
    var metadata = before
    let result = try withBytes(at: entry.value, count: entry.header.valueByteCount) {
      body($0, &metadata)
    }
    if metadata != before { try setMetadata(metadata, of: entry, before: before) }
    return result
  }

  /// How many bytes the entry of `key` takes, with a slot of the index; nil if the map
  /// does not contain the key.
  func memoryByteCount(of key: RawSpan) throws(PersistentCollectionError) -> Int? {
    guard let entry = try find(key, hash: sip.hash(key)) else { return nil }
    let header = entry.object.isLarge ? Int(LargeObject.headerByteCount) : 0
    // Buckets are split when they hold five entries on average.
    let slot = Int(Index.bucketByteCount / Index.entriesBeforeGrowth)
    return try arena.capacity(of: entry.object) &+ header &+ slot
  }
}
