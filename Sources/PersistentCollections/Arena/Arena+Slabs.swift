import MemoryAccess

extension Arena where Storage: ~Copyable {
  @inline(__always)
  func slabs(_ sizeClass: Int) -> UInt64 {
    RootLayout.slabsWithRoom &+ UInt64(truncatingIfNeeded: sizeClass) &* 8
  }

  @inline(__always)
  func address(ofSlot index: Int, _ sizeClass: Int, in slab: UInt64) -> UInt64 {
    slab &+ UInt64(Slab.headerByteCount)
      &+ UInt64(truncatingIfNeeded: index &* Int(sizeClasses.byteCounts[sizeClass]))
  }

  /// What the header of a slab says, checked so far that following it stays in the slab.
  @inline(__always)
  func slabState(_ slab: UInt64) throws(PersistentCollectionError) -> SlabState {
    guard let state = SlabState(load(slab &+ Slab.state)), state.sizeClass < sizeClasses.count
    else {
      throw .damaged(PhysicalAddress(slab))
    }
    let slotCount = sizeClasses.slotCount(state.sizeClass)
    guard state.firstFree <= slotCount, state.usedCount <= slotCount,
      state.freshIndex <= slotCount
    else { throw .damaged(PhysicalAddress(slab)) }
    return state
  }

  /// Takes an object of `sizeClass`, whose first word becomes `first`; the others are undefined, and may
  /// be stored as they come.
  @inline(__always)
  mutating func takeSlot(
    _ sizeClass: Int, first: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let list = slabs(sizeClass)
    var slab = loadRoot(list)
    if slab == 0 {
      slab = try takeSlab(sizeClass)
      try link(slab, into: list, .slabs)
    } else {
      slab = try checked(slab, byteCount: UInt64(Slab.byteCount), foundAt: root &+ list)
      guard slab & Slab.mask == 0 else { throw .damaged(PhysicalAddress(root &+ list)) }
    }
    return try takeSlot(sizeClass, first: first, of: slab)
  }

  /// Takes an object of `sizeClass` in a slab that has room.
  @inline(__always)
  mutating func takeSlot(
    _ sizeClass: Int, first: UInt64, of slab: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let list = slabs(sizeClass)
    var state = try slabState(slab)
    let slot: UInt64
    if state.firstFree != 0 {
      slot = address(ofSlot: state.firstFree &- 1, sizeClass, in: slab)
      guard let next = FreeSlot.next(load(slot)), next <= sizeClasses.slotCount(sizeClass) else {
        throw .damaged(PhysicalAddress(slot))
      }
      state.firstFree = next
    } else {
      guard state.sizeClass == sizeClass, state.freshIndex < sizeClasses.slotCount(sizeClass) else {
        throw .damaged(PhysicalAddress(slab))
      }
      slot = address(ofSlot: state.freshIndex, sizeClass, in: slab)
      state.freshIndex &+= 1
    }
    state.usedCount &+= 1
    try set(first, at: slot)
    try set(state.word, at: slab &+ Slab.state)
    if state.firstFree == 0, state.freshIndex == sizeClasses.slotCount(sizeClass) {
      try unlink(slab, from: list, .slabs)
    }
    return slot
  }

  /// Gives an object in a slab back.
  mutating func giveBack(slot: UInt64) throws(PersistentCollectionError) {
    let slab = Slab.containing(slot)
    var state = try slabState(slab)
    let byteCount = UInt64(sizeClasses.byteCounts[state.sizeClass])
    let offset = slot &- slab &- UInt64(Slab.headerByteCount)
    let index = Int(offset / byteCount)
    guard slot &- slab >= UInt64(Slab.headerByteCount), offset % byteCount == 0,
      index < state.freshIndex, state.usedCount > 0
    else { throw .damaged(PhysicalAddress(slot)) }
    let wasFull =
      state.firstFree == 0 && state.freshIndex == sizeClasses.slotCount(state.sizeClass)
    try set(FreeSlot.word(next: state.firstFree), at: slot)
    state.firstFree = index &+ 1
    state.usedCount &-= 1
    let list = slabs(state.sizeClass)
    if state.usedCount == 0 {
      if !wasFull { try unlink(slab, from: list, .slabs) }
      try giveBack(slab: slab)
      return
    }
    try set(state.word, at: slab &+ Slab.state)
    if wasFull { try link(slab, into: list, .slabs) }
  }
}
