import MemoryAccess

// Extents come from the storage, slabs from extents. An extent of which every slab is free goes back to
// the storage, but for one that is kept, so that a slab taken and given back in turn costs little.

extension Arena where Storage: ~Copyable {
  /// Takes a slab for objects of `sizeClass`, none of which is in use.
  mutating func takeSlab(_ sizeClass: Int) throws(PersistentCollectionError) -> UInt64 {
    var extent = loadRoot(RootLayout.extentsWithRoom)
    if extent == 0 { extent = try addExtent() }
    extent = try checkedExtent(extent, foundAt: root &+ RootLayout.extentsWithRoom)
    return try takeSlab(sizeClass, of: extent)
  }

  /// Takes a slab of an extent that has a free one.
  mutating func takeSlab(
    _ sizeClass: Int, of extent: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let freeSlabs = load(extent &+ Extent.freeSlabs)
    guard freeSlabs != 0, freeSlabs <= Extent.allFree else {
      throw .damaged(PhysicalAddress(extent &+ Extent.freeSlabs))
    }
    if freeSlabs == Extent.allFree { try addToFreeExtentCount(-1) }
    let left = freeSlabs & (freeSlabs &- 1)
    try set(left, at: extent &+ Extent.freeSlabs)
    if left == 0 { try unlink(extent, from: RootLayout.extentsWithRoom, .extentsWithRoom) }
    let slab = Extent.slab(freeSlabs.trailingZeroBitCount, of: extent)
    try set(SlabState(sizeClass: sizeClass).word, at: slab &+ Slab.state)
    return slab
  }

  /// Gives back a slab without objects.
  mutating func giveBack(slab: UInt64) throws(PersistentCollectionError) {
    try set(0, at: slab &+ Slab.state)
    let extent = Extent.containing(slab)
    let freeSlabs = load(extent &+ Extent.freeSlabs)
    let bit = (1 as UInt64) &<< ((slab &- extent) &>> 16)
    guard freeSlabs & bit == 0 else { throw .damaged(PhysicalAddress(extent &+ Extent.freeSlabs)) }
    try set(freeSlabs | bit, at: extent &+ Extent.freeSlabs)
    if freeSlabs == 0 { try link(extent, into: RootLayout.extentsWithRoom, .extentsWithRoom) }
    guard freeSlabs | bit == Extent.allFree else { return }
    if loadRoot(RootLayout.freeExtentCount) == 0 {
      try addToFreeExtentCount(1)
    } else {
      try release(extent)
    }
  }

  /// Gives the extent that was kept back to the storage.
  ///
  /// - Returns: whether one existed.
  mutating func releaseFreeExtent() throws(PersistentCollectionError) -> Bool {
    guard loadRoot(RootLayout.freeExtentCount) != 0 else { return false }
    var extent = loadRoot(RootLayout.extentsWithRoom)
    var place = root &+ RootLayout.extentsWithRoom
    // No more extents than fit into the memory: who follows a loop notices.
    var rest = storage.memory.byteCount / Extent.byteCount
    while extent != 0, rest > 0 {
      extent = try checkedExtent(extent, foundAt: place)
      if load(extent &+ Extent.freeSlabs) == Extent.allFree {
        try addToFreeExtentCount(-1)
        try release(extent)
        return true
      }
      place = extent &+ Extent.nextWithRoom
      extent = load(place)
      rest &-= 1
    }
    throw .damaged(PhysicalAddress(root &+ RootLayout.freeExtentCount))
  }

  func checkedExtent(
    _ extent: UInt64, foundAt place: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    guard extent & Extent.mask == 0 else { throw .damaged(PhysicalAddress(place)) }
    return try checked(extent, byteCount: Extent.byteCount, foundAt: place)
  }

  private mutating func addExtent() throws(PersistentCollectionError) -> UInt64 {
    let extent = try allocatePiece(byteCount: Extent.byteCount).start.rawValue
    // All of it is zero, and nothing points to it.
    publish(Extent.allFree, at: extent &+ Extent.freeSlabs)
    try link(extent, into: RootLayout.extents, .extents)
    try link(extent, into: RootLayout.extentsWithRoom, .extentsWithRoom)
    try addToFreeExtentCount(1)
    return extent
  }

  private mutating func release(_ extent: UInt64) throws(PersistentCollectionError) {
    try unlink(extent, from: RootLayout.extentsWithRoom, .extentsWithRoom)
    try unlink(extent, from: RootLayout.extents, .extents)
    try freeAtCommit(extent)
  }

  private mutating func addToFreeExtentCount(
    _ difference: Int64
  ) throws(PersistentCollectionError) {
    let count = loadRoot(RootLayout.freeExtentCount)
    try setRoot(count &+ UInt64(bitPattern: difference), RootLayout.freeExtentCount)
  }
}
