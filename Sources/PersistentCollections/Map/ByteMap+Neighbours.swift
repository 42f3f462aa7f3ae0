import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  /// Calls `body` with all entries that share an extent with one at random, or with a large one alone.
  package func neighbours(
    using generator: inout some RandomNumberGenerator,
    _ body: (RawSpan, RawSpan, EntryNotes) -> Void
  ) throws(PersistentCollectionError) {
    var extent: UInt64?
    // Buckets stay where they are when all entries of their extent are gone; few extents have some.
    for _ in 0..<16 {
      guard let object = try object(atRandom: &generator) else { return }
      if object.isLarge { return try tell(entry(object), body) }
      let candidate = try arena.checkedExtent(
        Extent.containing(object.address), foundAt: object.address)
      extent = candidate
      if try !holdsBuckets(candidate) { break }
    }
    guard let extent else { return }
    for index in 0..<Extent.slabCount where isInUse(index, of: extent) {
      let slab = Extent.slab(index, of: extent)
      let state = try arena.slabState(slab)
      if state.sizeClass == SizeClasses.bucketClass { continue }
      for slot in 0..<state.freshIndex {
        let address = arena.address(ofSlot: slot, state.sizeClass, in: slab)
        guard EntryHeader(arena.load(address)) != nil else { continue }
        try tell(entry(ObjectReference(address: address, isLarge: false)), body)
      }
    }
  }

  private func entry(
    _ object: ObjectReference
  ) throws(PersistentCollectionError) -> FoundEntry {
    FoundEntry(
      object: object, header: try header(of: object, foundAt: object.address), slot: 0, bucket: 0,
      previousBucket: 0)
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
    var found: ObjectReference?
    try forEachEntryOfChain(atRandom: &generator) { found = $0.object }
    return found
  }
}
