import MemoryAccess

// A cursor is a place among the hashes with their bits reversed. A bucket has all of a stretch of them,
// and splitting it halves the stretch: what a scan has passed stays passed, and what is there all the
// while is seen.

extension ByteMap where Storage: ~Copyable {
  /// Calls `body` with the entries of the bucket that `cursor` points to.
  ///
  /// - Returns: where to go on; 0 at the end.
  package func scan(
    from cursor: UInt64, _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) -> UInt64 {
    let bucket = bucket(of: cursor)
    try forEachEntry(inChain: address(ofBucket: bucket)) {
      (entry) throws(PersistentCollectionError) in
      try visit(entry, body)
    }
    let bucketCount = arena.loadRoot(RootLayout.bucketCount)
    let depth = Index.depth(of: bucket, bucketCount: bucketCount)
    let stretch = (1 as UInt64) &<< UInt64(64 &- depth)
    let (next, isAtEnd) = (Self.reversed(cursor) | (stretch &- 1)).addingReportingOverflow(1)
    return isAtEnd ? 0 : Self.reversed(next)
  }

  /// Calls `body` with the entries of a bucket at random, one that has some.
  package func sample(
    using generator: inout some RandomNumberGenerator,
    _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) {
    try forEachEntryOfChain(atRandom: &generator) { (entry) throws(PersistentCollectionError) in
      try visit(entry, body)
    }
  }

  /// Calls `body` with the entries of a bucket at random, one that has some.
  func forEachEntryOfChain(
    atRandom generator: inout some RandomNumberGenerator,
    _ body: (FoundEntry) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    let bucketCount = arena.loadRoot(RootLayout.bucketCount)
    guard count > 0, bucketCount > 0 else { return }
    let start = UInt64.random(in: 0..<bucketCount, using: &generator)
    for step in 0..<bucketCount {
      var isEmpty = true
      try forEachEntry(inChain: address(ofBucket: (start &+ step) % bucketCount)) {
        (entry) throws(PersistentCollectionError) in
        isEmpty = false
        try body(entry)
      }
      if !isEmpty { return }
    }
  }

  func visit(
    _ entry: FoundEntry, _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) {
    let metadata = metadata(of: entry)
    let value = PhysicalRange(
      start: PhysicalAddress(entry.value), byteCount: UInt64(entry.header.valueByteCount))
    let memory = arena.storage.memory
    let isThere = try withBytes(at: entry.key, count: entry.header.keyByteCount) { key in
      memory.withBytes(in: value) { value in body(key, value, metadata) } != nil
    }
    guard isThere else { throw .damaged(PhysicalAddress(entry.value)) }
  }

  private static func reversed(_ word: UInt64) -> UInt64 {
    var word = word.byteSwapped
    word = (word & 0x0f0f_0f0f_0f0f_0f0f) &<< 4 | word &>> 4 & 0x0f0f_0f0f_0f0f_0f0f
    word = (word & 0x3333_3333_3333_3333) &<< 2 | word &>> 2 & 0x3333_3333_3333_3333
    return (word & 0x5555_5555_5555_5555) &<< 1 | word &>> 1 & 0x5555_5555_5555_5555
  }
}
