import MemoryAccess

// Taking memory outside of a stretch that is to become free.

extension Arena where Storage: ~Copyable {
  /// Takes an object of `sizeClass` outside of `avoided`, from slabs and extents that are there already.
  ///
  /// - Parameter takesSlab: whether a free slab may be used for it.
  /// - Returns: nil if none exists; nothing has changed then.
  mutating func takeSlot(
    _ sizeClass: Int, first: UInt64, outside avoided: Range<UInt64>, takesSlab: Bool
  ) throws(PersistentCollectionError) -> UInt64? {
    let list = slabs(sizeClass)
    var place = root &+ list
    var slab = load(place)
    // Only slabs inside of `avoided` are passed.
    var rest = (avoided.upperBound &- avoided.lowerBound) / UInt64(Slab.byteCount) &+ 2
    while slab != 0, avoided.contains(slab), rest > 0 {
      slab = try checkedSlab(slab, foundAt: place)
      place = slab &+ Slab.next
      slab = load(place)
      rest &-= 1
    }
    if slab == 0 {
      guard takesSlab, let made = try takeSlab(sizeClass, outside: avoided) else { return nil }
      slab = made
      try link(slab, into: list, .slabs)
    } else {
      guard rest > 0 else { throw .damaged(PhysicalAddress(place)) }
      slab = try checkedSlab(slab, foundAt: place)
    }
    return try takeSlot(sizeClass, first: first, of: slab)
  }

  /// Takes a free slab outside of `avoided`; nil where no extent has one.
  private mutating func takeSlab(
    _ sizeClass: Int, outside avoided: Range<UInt64>
  ) throws(PersistentCollectionError) -> UInt64? {
    var place = root &+ RootLayout.extentsWithRoom
    var extent = load(place)
    var rest = storage.memory.byteCount / Extent.byteCount
    while extent != 0, avoided.contains(extent) {
      extent = try checkedExtent(extent, foundAt: place)
      place = extent &+ Extent.nextWithRoom
      extent = load(place)
      guard rest > 0 else { throw .damaged(PhysicalAddress(place)) }
      rest &-= 1
    }
    guard extent != 0 else { return nil }
    return try takeSlab(sizeClass, of: checkedExtent(extent, foundAt: place))
  }

  private func checkedSlab(
    _ slab: UInt64, foundAt place: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    guard slab & Slab.mask == 0 else { throw .damaged(PhysicalAddress(place)) }
    return try checked(slab, byteCount: UInt64(Slab.byteCount), foundAt: place)
  }

  /// The slots of a slab that hold objects.
  ///
  /// - Complexity: O(slots).
  func usedSlots(
    of slab: UInt64, _ state: SlabState
  ) throws(PersistentCollectionError) -> [UInt64] {
    var isFree = [Bool](repeating: false, count: state.freshIndex)
    var next = state.firstFree
    while next != 0 {
      let slot = address(ofSlot: next &- 1, state.sizeClass, in: slab)
      guard next <= state.freshIndex, !isFree[next &- 1], let following = FreeSlot.next(load(slot))
      else { throw .damaged(PhysicalAddress(slab)) }
      isFree[next &- 1] = true
      next = following
    }
    return (0..<state.freshIndex).filter { !isFree[$0] }
      .map { address(ofSlot: $0, state.sizeClass, in: slab) }
  }

  /// How many objects a slab can still take.
  func freeSlotCount(_ state: SlabState) -> Int {
    sizeClasses.slotCount(state.sizeClass) &- state.usedCount
  }
}
