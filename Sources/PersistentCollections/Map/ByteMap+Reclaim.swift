import MemoryModel

extension ByteMap where Storage: ~Copyable {
  /// Removes all entries that lie near one at random, so that their memory can serve entries of other
  /// sizes: those in one extent, or a single large one.
  ///
  /// - Returns: how many entries were removed.
  package mutating func reclaim(
    using generator: inout some RandomNumberGenerator
  ) throws(PersistentCollectionError) -> Int {
    var extent: UInt64?
    // Extents with buckets in them cannot be emptied like that; few have some.
    for _ in 0..<16 {
      guard let object = try object(atRandom: &generator) else { return 0 }
      if object.isLarge { return try remove(object) ? 1 : 0 }
      let candidate = try arena.checkedExtent(
        Extent.containing(object.address), foundAt: object.address)
      extent = candidate
      if try !holdsBuckets(candidate) { break }
    }
    guard let extent else { return 0 }
    var removedCount = 0
    for index in 0..<Extent.slabCount where isInUse(index, of: extent) {
      let slab = Extent.slab(index, of: extent)
      let state = try arena.slabState(slab)
      if state.sizeClass == SizeClasses.bucketClass { continue }
      for slot in 0..<state.freshIndex {
        let address = arena.address(ofSlot: slot, state.sizeClass, in: slab)
        guard EntryHeader(arena.load(address)) != nil else { continue }
        if try remove(ObjectReference(address: address, isLarge: false)) { removedCount += 1 }
      }
    }
    return removedCount
  }

  private func isInUse(_ index: Int, of extent: UInt64) -> Bool {
    arena.load(extent &+ Extent.freeSlabs) &>> UInt64(index) & 1 == 0
  }

  private func holdsBuckets(_ extent: UInt64) throws(PersistentCollectionError) -> Bool {
    for index in 0..<Extent.slabCount where isInUse(index, of: extent) {
      let state = try arena.slabState(Extent.slab(index, of: extent))
      if state.sizeClass == SizeClasses.bucketClass { return true }
    }
    return false
  }

  private func object(
    atRandom generator: inout some RandomNumberGenerator
  ) throws(PersistentCollectionError) -> ObjectReference? {
    let bucketCount = arena.loadRoot(RootLayout.bucketCount)
    guard count > 0, bucketCount > 0 else { return nil }
    let start = UInt64.random(in: 0..<bucketCount, using: &generator)
    for step in 0..<bucketCount {
      var found: ObjectReference?
      try forEachEntry(inChain: address(ofBucket: (start &+ step) % bucketCount)) {
        found = $0.object
      }
      if let found { return found }
    }
    return nil
  }

  /// Removes the entry at `object`, if it is one of the map's.
  private mutating func remove(
    _ object: ObjectReference
  ) throws(PersistentCollectionError) -> Bool {
    let header = try header(of: object, foundAt: object.address)
    let key = object.address &+ EntryHeader.byteCount
    let hash = try withBytes(at: key, count: header.keyByteCount) { sip.hash($0) }
    var entry: FoundEntry?
    try forEachEntry(inChain: address(ofBucket: bucket(of: hash))) {
      if $0.object == object { entry = $0 }
    }
    guard let entry else { return false }
    try remove(entry)
    return true
  }
}
