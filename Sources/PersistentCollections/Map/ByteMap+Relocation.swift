import MemoryAccess

// Moving what a slab holds. Each object moves in a transaction of its own: its copy is made where nothing
// points to it, one word of the index changes, and the old object is freed. A process killed anywhere in
// between leaves it in one place or the other.

extension ByteMap where Storage: ~Copyable {
  /// Moves all objects of a slab outside of `avoided`; the slab is free then.
  ///
  /// - Parameter takesSlabs: whether free slabs may be used for them.
  /// - Returns: false if not all of them fit; some have moved then.
  mutating func evacuate(
    slab: UInt64, outside avoided: Range<UInt64>, takesSlabs: Bool
  ) throws(PersistentCollectionError) -> Bool {
    let state = try arena.slabState(slab)
    for slot in try arena.usedSlots(of: slab, state) {
      let hasMoved =
        state.sizeClass == SizeClasses.bucketClass
        ? try move(bucket: slot, outside: avoided, takesSlab: takesSlabs)
        : try move(
          ObjectReference(address: slot, isLarge: false), state.sizeClass, outside: avoided,
          takesSlab: takesSlabs)
      guard hasMoved else { return false }
    }
    return true
  }

  /// Moves the entry in `object`, a slot of `sizeClass`.
  private mutating func move(
    _ object: ObjectReference, _ sizeClass: Int, outside avoided: Range<UInt64>, takesSlab: Bool
  ) throws(PersistentCollectionError) -> Bool {
    let entry = FoundEntry(
      object: object, header: try header(of: object, foundAt: object.address), slot: 0, bucket: 0,
      previousBucket: 0)
    let hash = try hash(of: entry)
    let slot = try self.slot(of: object, hash: hash)
    let byteCount = UInt64(arena.sizeClasses.byteCounts[sizeClass])
    return try changing { (map) throws(PersistentCollectionError) in
      let made = try map.arena.takeSlot(
        sizeClass, first: entry.header.word, outside: avoided, takesSlab: takesSlab)
      guard let made else { return false }
      map.copyWords(from: object.address, to: made, byteCount: byteCount)
      let reference = ObjectReference(address: made, isLarge: false)
      try map.arena.set(Index.tag(hash) | reference.rawValue, at: slot)
      map.arena.unlinkObject(object)
      return true
    }
  }

  /// Moves a bucket that is not the first of its chain.
  private mutating func move(
    bucket: UInt64, outside avoided: Range<UInt64>, takesSlab: Bool
  ) throws(PersistentCollectionError) -> Bool {
    let place = try placeOfLink(to: bucket)
    return try changing { (map) throws(PersistentCollectionError) in
      let made = try map.arena.takeSlot(
        SizeClasses.bucketClass, first: map.arena.load(bucket), outside: avoided,
        takesSlab: takesSlab)
      guard let made else { return false }
      map.copyWords(from: bucket, to: made, byteCount: Index.bucketByteCount)
      try map.arena.set(made, at: place)
      // As when a chain drops a bucket: the next one that takes it notes nothing of what was there.
      for offset in stride(from: 0, to: Index.bucketByteCount, by: 8) {
        try map.arena.set(0, at: bucket &+ offset)
      }
      try map.arena.giveBack(slot: bucket)
      return true
    }
  }

  /// Copies all words of an object but the first to one that nothing points to.
  private func copyWords(from source: UInt64, to target: UInt64, byteCount: UInt64) {
    for offset in stride(from: 8, to: byteCount, by: 8) {
      arena.publish(arena.load(source &+ offset), at: target &+ offset)
    }
  }

  private mutating func changing(
    _ body: (inout Self) throws(PersistentCollectionError) -> Bool
  ) throws(PersistentCollectionError) -> Bool {
    var result = false
    try transaction { (map) throws(PersistentCollectionError) in result = try body(&map) }
    return result
  }

  // MARK: What points to an object

  private func hash(of entry: FoundEntry) throws(PersistentCollectionError) -> UInt64 {
    try withBytes(at: entry.key, count: entry.header.keyByteCount) { sip.hash($0) }
  }

  /// Where the index has the reference to `object`, whose key has that hash.
  private func slot(
    of object: ObjectReference, hash: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let word = Index.tag(hash) | object.rawValue
    var found: UInt64 = 0
    try forEachBucket(ofChainWith: hash) { bucket in
      for index in 0..<Index.slotCount where arena.load(Index.slot(index, of: bucket)) == word {
        found = Index.slot(index, of: bucket)
      }
      return found != 0
    }
    // An object in use that no slot points to.
    guard found != 0 else { throw .damaged(PhysicalAddress(object.address)) }
    return found
  }

  /// Where the bucket before `bucket` points to it. Its entries say in which chain that is.
  private func placeOfLink(to bucket: UInt64) throws(PersistentCollectionError) -> UInt64 {
    var found: UInt64 = 0
    for index in 0..<Index.slotCount {
      let slot = Index.slot(index, of: bucket)
      let word = arena.load(slot)
      if word == 0 { continue }
      let object = ObjectReference(in: word)
      let entry = FoundEntry(
        object: object, header: try header(of: object, foundAt: slot), slot: slot, bucket: bucket,
        previousBucket: 0)
      try forEachBucket(ofChainWith: hash(of: entry)) { each in
        if arena.load(each &+ Index.overflow) == bucket { found = each &+ Index.overflow }
        return found != 0
      }
      break
    }
    guard found != 0 else { throw .damaged(PhysicalAddress(bucket)) }
    return found
  }

  /// Calls `body` with the buckets of a chain until it returns true.
  private func forEachBucket(
    ofChainWith hash: UInt64, _ body: (UInt64) -> Bool
  ) throws(PersistentCollectionError) {
    var bucket = try address(ofBucket: self.bucket(of: hash))
    var rest = Index.chainLimit
    while bucket != 0 {
      if body(bucket) { return }
      bucket = try overflow(of: bucket)
      rest &-= 1
      guard rest > 0 else { throw .damaged(PhysicalAddress(bucket)) }
    }
  }
}
