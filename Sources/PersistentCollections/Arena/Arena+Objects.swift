import MemoryAccess

extension Arena where Storage: ~Copyable {
  /// Takes an object of at least `byteCount` bytes, whose first word becomes `first`; the others are
  /// undefined, and may be stored as they come.
  @inline(__always)
  mutating func takeObject(
    byteCount: Int, first: UInt64
  ) throws(PersistentCollectionError) -> ObjectReference {
    if byteCount <= SizeClasses.largestByteCount {
      let slot = try takeSlot(sizeClasses.sizeClass(of: byteCount), first: first)
      return ObjectReference(address: slot, isLarge: false)
    }
    return try takeLargeObject(byteCount: byteCount, first: first)
  }

  @inline(never)
  private mutating func takeLargeObject(
    byteCount: Int, first: UInt64
  ) throws(PersistentCollectionError) -> ObjectReference {
    let wanted = (UInt64(byteCount) + LargeObject.headerByteCount + 4095) & ~4095
    // Zeros would be overwritten at once: of a value of 100 KiB they took a tenth of the time of a store.
    let piece = try allocatePiece(byteCount: wanted, zeroed: false)
    let pages = piece.start.rawValue
    guard pages < 1 &<< 44 else { throw .tooLarge }
    for offset in stride(from: 0, to: LargeObject.headerByteCount, by: 8) {
      publish(0, at: pages &+ offset)
    }
    publish(piece.byteCount, at: pages &+ LargeObject.byteCount)
    publish(LargeObject.mark, at: pages &+ LargeObject.markOffset)
    publish(first, at: pages &+ LargeObject.headerByteCount)
    try link(pages, into: RootLayout.largeObjects, .largeObjects)
    return ObjectReference(address: pages &+ LargeObject.headerByteCount, isLarge: true)
  }

  /// How many bytes an object can hold.
  func capacity(of object: ObjectReference) throws(PersistentCollectionError) -> Int {
    guard object.isLarge else {
      let state = try slabState(Slab.containing(object.address))
      return Int(sizeClasses.byteCounts[state.sizeClass])
    }
    let pages = object.address &- LargeObject.headerByteCount
    return Int(try checkedByteCount(ofPages: pages) &- LargeObject.headerByteCount)
  }

  func checkedByteCount(
    ofPages pages: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    guard exists(pages, byteCount: LargeObject.headerByteCount),
      load(pages &+ LargeObject.markOffset) == LargeObject.mark
    else { throw .damaged(PhysicalAddress(pages)) }
    let byteCount = load(pages &+ LargeObject.byteCount)
    guard byteCount > LargeObject.headerByteCount, byteCount & 4095 == 0,
      exists(pages, byteCount: byteCount)
    else { throw .damaged(PhysicalAddress(pages)) }
    return byteCount
  }

  /// Frees an object at the end of the transaction: what it holds stays until then.
  mutating func unlinkObject(_ object: ObjectReference) {
    unlinked.append(UnlinkedObject(object: object.rawValue, root: root, owner: owner))
  }

  mutating func free(_ object: ObjectReference) throws(PersistentCollectionError) {
    guard object.isLarge else { return try giveBack(slot: object.address) }
    let pages = object.address &- LargeObject.headerByteCount
    _ = try checkedByteCount(ofPages: pages)
    try unlink(pages, from: RootLayout.largeObjects, .largeObjects)
    try set(0, at: pages &+ LargeObject.markOffset)
    try freeAtCommit(pages)
  }
}
