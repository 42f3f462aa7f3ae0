import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  func checkExtents(_ checker: inout MapChecker) {
    var withRoom: Set<UInt64> = []
    var freeCount: UInt64 = 0
    var slabsWithRoom: [Int: Set<UInt64>] = [:]
    for extent in checker.members(of: RootLayout.extents, .extents, in: arena) {
      guard extent & Extent.mask == 0, arena.exists(extent, byteCount: Extent.byteCount) else {
        checker.add(.damaged(PhysicalAddress(extent)))
        continue
      }
      checker.extents.insert(extent)
      checker.addPiece(extent, Extent.byteCount)
      let freeSlabs = arena.load(extent &+ Extent.freeSlabs)
      if freeSlabs != 0 { withRoom.insert(extent) }
      if freeSlabs == Extent.allFree { freeCount += 1 }
      for index in 0..<Extent.slabCount where freeSlabs &>> UInt64(index) & 1 == 0 {
        check(slab: Extent.slab(index, of: extent), &slabsWithRoom, &checker)
      }
    }
    for object in checker.objects.union(checker.overflowBuckets).sorted() {
      checker.add(.notAllocated(PhysicalAddress(object)))
    }
    let listed = checker.members(of: RootLayout.extentsWithRoom, .extentsWithRoom, in: arena)
    if Set(listed) != withRoom {
      checker.add(.listDiffers(PhysicalAddress(arena.root &+ RootLayout.extentsWithRoom)))
    }
    checker.compare(RootLayout.freeExtentCount, with: freeCount, in: arena)
    for sizeClass in 0..<arena.sizeClasses.count {
      let list = arena.slabs(sizeClass)
      let listed = checker.members(of: list, .slabs, in: arena)
      if Set(listed) != slabsWithRoom[sizeClass] ?? [] {
        checker.add(.listDiffers(PhysicalAddress(arena.root &+ list)))
      }
    }
  }

  private func check(
    slab: UInt64, _ slabsWithRoom: inout [Int: Set<UInt64>], _ checker: inout MapChecker
  ) {
    guard let state = try? arena.slabState(slab) else {
      return checker.add(.damaged(PhysicalAddress(slab)))
    }
    var free: Set<Int> = []
    var next = state.firstFree
    while next != 0 {
      let slot = arena.address(ofSlot: next &- 1, state.sizeClass, in: slab)
      guard next <= state.freshIndex, free.insert(next &- 1).inserted,
        let following = FreeSlot.next(arena.load(slot))
      else {
        checker.add(.damaged(PhysicalAddress(slot)))
        break
      }
      next = following
    }
    let slotCount = arena.sizeClasses.slotCount(state.sizeClass)
    if !free.isEmpty || state.freshIndex < slotCount {
      slabsWithRoom[state.sizeClass, default: []].insert(slab)
    }
    let usedCount = state.freshIndex &- free.count
    if usedCount != state.usedCount || usedCount == 0 {
      checker.add(
        .countDiffers(
          at: PhysicalAddress(slab), recorded: UInt64(state.usedCount), found: UInt64(usedCount)))
    }
    for index in 0..<state.freshIndex where !free.contains(index) {
      let slot = arena.address(ofSlot: index, state.sizeClass, in: slab)
      let isKnown =
        state.sizeClass == SizeClasses.bucketClass
        ? checker.overflowBuckets.remove(slot) : checker.objects.remove(slot)
      if isKnown == nil { checker.add(.lost(PhysicalAddress(slot))) }
    }
  }
}
