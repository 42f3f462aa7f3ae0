import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  package static var keyByteLimit: Int { 0xffff }
  /// 1 GiB.
  package static var valueByteLimit: Int { 1 << 30 }

  /// Puts a value in the place of what is there, in one step.
  ///
  /// - Parameter fill: writes all bytes of the value, which are undefined at first.
  /// - Returns: whether the key is new.
  @inline(__always)
  package mutating func setValue(
    of key: RawSpan, byteCount: Int, metadata: EntryMetadata, room: Int = 0,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    let hash = sip.hash(key)
    try arena.begin()
    let isNew: Bool
    do throws(PersistentCollectionError) {
      guard key.byteCount <= Self.keyByteLimit, byteCount <= Self.valueByteLimit, byteCount >= 0
      else { throw .tooLarge }
      let before = try find(key, hash: hash)
      isNew = before == nil
      if let before, Self.fitsInPlace(byteCount, of: before) {
        try overwrite(before, metadata: metadata, fill)
      } else {
        let object = try makeEntry(key, byteCount: byteCount, metadata: metadata, room: room, fill)
        let word = Index.tag(hash) | object.rawValue
        if let before {
          try arena.set(word, at: before.slot)
          arena.unlinkObject(before.object)
        } else {
          try add(word, toChain: address(ofBucket: bucket(of: hash)))
          try addToCount(1)
        }
      }
      try arena.end()
    } catch {
      try arena.abandon(after: error)
      throw error
    }
    if isNew { try adjust() }
    return isNew
  }

  /// A new entry that nothing points to yet.
  @inline(__always)
  mutating func makeEntry(
    _ key: RawSpan, byteCount: Int, metadata: EntryMetadata, room: Int,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> ObjectReference {
    let header = EntryHeader(keyByteCount: key.byteCount, valueByteCount: byteCount)
    let object = try arena.takeObject(
      byteCount: header.entryByteCount &+ room, first: header.word)
    let entry = FoundEntry(object: object, header: header, slot: 0, bucket: 0, previousBucket: 0)
    arena.storage.memory.withWords(
      at: PhysicalAddress(entry.address &+ EntryHeader.metadata), count: 2
    ) {
      $0.publish(metadata.first, at: 0)
      $0.publish(metadata.second, at: 1)
    }
    write(at: entry.key, count: key.byteCount) { copy(key, to: &$0) }
    write(at: entry.value, count: byteCount, fill)
    return object
  }

  @inline(__always)
  func write(
    at address: UInt64, count: Int, _ body: (inout MutableRawSpan) -> Void
  ) {
    arena.storage.memory.withMutableBytes(
      in: PhysicalRange(
        start: PhysicalAddress(address), byteCount: UInt64(truncatingIfNeeded: count)), body)
  }

  /// Adds bytes to the end of a value: in its place where there is room, or to a copy with more room.
  ///
  /// - Returns: the size of the value then; nil where the key is not there.
  package mutating func append(
    _ bytes: RawSpan, to key: RawSpan
  ) throws(PersistentCollectionError) -> Int? {
    var byteCount: Int?
    try transaction { (map) throws(PersistentCollectionError) in
      guard let entry = try map.find(key, hash: map.sip.hash(key)) else { return }
      byteCount = try map.append(bytes, to: entry, key)
    }
    return byteCount
  }

  private mutating func append(
    _ bytes: RawSpan, to entry: FoundEntry, _ key: RawSpan
  ) throws(PersistentCollectionError) -> Int {
    let old = entry.header.valueByteCount
    let byteCount = old + bytes.byteCount
    guard byteCount <= Self.valueByteLimit else { throw .tooLarge }
    let header = EntryHeader(keyByteCount: entry.header.keyByteCount, valueByteCount: byteCount)
    if try header.entryByteCount <= arena.capacity(of: entry.object) {
      try arena.requireOwn(entry.object)
      // The bytes behind the value belong to no entry until the header is stored.
      write(at: entry.value &+ UInt64(old), count: bytes.byteCount) { copy(bytes, to: &$0) }
      try arena.set(header.word, at: entry.address)
      return byteCount
    }
    let memory = arena.storage.memory
    let value = PhysicalRange(start: PhysicalAddress(entry.value), byteCount: UInt64(old))
    _ = try setValue(
      of: key, byteCount: byteCount, metadata: metadata(of: entry), room: byteCount / 4
    ) {
      target in
      _ = memory.withBytes(in: value) { copy($0, to: &target) }
      copy(bytes, to: &target, at: old)
    }
    return byteCount
  }

  /// Removes the value of `key`; false if the map does not contain it.
  package mutating func removeValue(
    of key: RawSpan
  ) throws(PersistentCollectionError) -> Bool {
    var isThere = false
    try transaction { (map) throws(PersistentCollectionError) in
      guard let entry = try map.find(key, hash: map.sip.hash(key)) else { return }
      isThere = true
      try map.remove(entry)
    }
    if isThere { try adjust() }
    return isThere
  }

  private mutating func remove(
    _ entry: FoundEntry
  ) throws(PersistentCollectionError) {
    try clear(slot: entry.slot, of: entry.bucket, after: entry.previousBucket)
    arena.unlinkObject(entry.object)
    try addToCount(-1)
  }

  /// Calls `body` as one change: on throw, and after a crash in it, nothing of it has happened.
  package mutating func transaction(
    _ body: (inout Self) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    try arena.begin()
    do throws(PersistentCollectionError) {
      try body(&self)
      try arena.end()
    } catch {
      try arena.abandon(after: error)
      throw error
    }
  }

  mutating func addToCount(_ difference: Int64) throws(PersistentCollectionError) {
    let count = arena.loadRoot(RootLayout.entryCount)
    try arena.setRoot(count &+ UInt64(bitPattern: difference), RootLayout.entryCount)
  }

  /// Removes everything, in one step, which needs no memory. The rest is the time to free the pieces.
  ///
  /// The directory of the index and its first chunk stay; until the other chunks are freed, the directory is
  /// noted as garbage as well.
  package mutating func removeAll() throws(PersistentCollectionError) {
    precondition(arena.depth == 0, "removal of everything inside a transaction")
    try arena.collectGarbage(atMost: .max)
    try transaction { (map) throws(PersistentCollectionError) in
      for (list, garbage) in [
        (RootLayout.extents, RootLayout.garbageExtents),
        (RootLayout.largeObjects, RootLayout.garbageLargeObjects),
      ] {
        try map.arena.setRoot(map.arena.loadRoot(list), garbage)
        try map.arena.setRoot(0, list)
      }
      for (source, garbage) in [
        (RootLayout.directory, RootLayout.garbageDirectory),
        (RootLayout.chunkCount, RootLayout.garbageChunkCount),
      ] {
        try map.arena.setRoot(map.arena.loadRoot(source), garbage)
      }
      try map.arena.setRoot(0, RootLayout.extentsWithRoom)
      try map.arena.setRoot(0, RootLayout.freeExtentCount)
      for sizeClass in 0..<map.arena.sizeClasses.count {
        try map.arena.setRoot(0, map.arena.slabs(sizeClass))
      }
      let first = try map.address(ofBucket: 0)
      for offset in stride(from: 0, to: Index.smallestBucketCount &* Index.bucketByteCount, by: 8)
      where map.arena.load(first &+ offset) != 0 {
        try map.arena.set(0, at: first &+ offset)
      }
      try map.arena.setRoot(1, RootLayout.chunkCount)
      try map.arena.setRoot(Index.smallestBucketCount, RootLayout.bucketCount)
      try map.arena.setRoot(0, RootLayout.entryCount)
    }
    try arena.collectGarbage(atMost: .max)
  }
}
