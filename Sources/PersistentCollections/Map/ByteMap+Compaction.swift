import MemoryAccess

// Memory that is free in small pieces becomes free in large ones: entries move together.
//
//   a slab     the objects of the slab with the fewest move to other slabs of their size
//   an extent  what its slabs hold moves to free slabs of other extents
//   a block    the same with all extents of a block, as an object of several extents needs it

extension ByteMap where Storage: ~Copyable {
  /// Moves entries until there is a free slab or, for a `byteCount` beyond slabs, a free block.
  ///
  /// - Returns: whether memory that such an object can use has become free.
  /// - Precondition: not inside a transaction.
  /// - Complexity: O(slabs and extents with room, up to a bound) and what is moved: at most a slab, or
  ///   the block's size.
  package mutating func makeRoom(
    forByteCount byteCount: Int
  ) throws(PersistentCollectionError) -> Bool {
    precondition(arena.depth == 0, "entries cannot move inside a transaction")
    if byteCount <= SizeClasses.largestByteCount { return try freeSlab(atMost: 1) }
    return try freeBlock(of: Self.blockByteCount(for: byteCount))
  }

  /// Moves the entries of a slab of which at most a quarter is in use, so that a slab is free.
  ///
  /// - Returns: whether one existed.
  /// - Precondition: not inside a transaction.
  package mutating func tidy() throws(PersistentCollectionError) -> Bool {
    precondition(arena.depth == 0, "entries cannot move inside a transaction")
    return try freeSlab(atMost: 0.25)
  }

  /// The size of the aligned block that an object of `byteCount` bytes may need.
  private static func blockByteCount(for byteCount: Int) -> UInt64 {
    var block = Extent.byteCount
    let wanted = UInt64(byteCount) &+ LargeObject.headerByteCount
    while block < wanted, block < 1 &<< 40 { block &<<= 1 }
    return block
  }

  // MARK: A slab

  /// How many slabs of a size are looked at.
  private static var slabsLookedAt: Int { 32 }

  /// Frees the slab whose objects are the fewest bytes, where the others of its size have room for them.
  ///
  /// - Parameter fill: of a slab that is fuller, nothing moves.
  private mutating func freeSlab(
    atMost fill: Double
  ) throws(PersistentCollectionError) -> Bool {
    var best: (slab: UInt64, byteCount: Int)?
    for sizeClass in 0..<arena.sizeClasses.count {
      guard let found = try sparseSlab(sizeClass),
        Double(found.byteCount) <= fill * Double(SizeClasses.slabRoom)
      else { continue }
      if best.map({ found.byteCount < $0.byteCount }) ?? true { best = found }
    }
    guard let best else { return false }
    let range = best.slab..<best.slab &+ UInt64(Slab.byteCount)
    return try evacuate(slab: best.slab, outside: range, takesSlabs: false)
  }

  /// The slab with the fewest objects of a size, and how many bytes those are; nil where the others have no
  /// room for them.
  private func sparseSlab(
    _ sizeClass: Int
  ) throws(PersistentCollectionError) -> (slab: UInt64, byteCount: Int)? {
    var place = arena.root &+ arena.slabs(sizeClass)
    var freeCount = 0
    var best: (slab: UInt64, state: SlabState)?
    for _ in 0..<Self.slabsLookedAt {
      let slab = arena.load(place)
      if slab == 0 { break }
      guard slab & Slab.mask == 0, arena.exists(slab, byteCount: UInt64(Slab.byteCount)) else {
        throw .damaged(PhysicalAddress(place))
      }
      let state = try arena.slabState(slab)
      freeCount &+= arena.freeSlotCount(state)
      if best.map({ state.usedCount < $0.state.usedCount }) ?? true { best = (slab, state) }
      place = slab &+ Slab.next
    }
    guard let best,
      best.state.usedCount <= freeCount &- arena.freeSlotCount(best.state)
    else { return nil }
    return (best.slab, best.state.usedCount &* Int(arena.sizeClasses.byteCounts[sizeClass]))
  }

  // MARK: A block

  /// What a block of the memory holds, as far as it can move.
  private struct Block {
    var usedSlabs = 0
    var freeSlabs = 0
    /// Bytes of large objects, which do not move.
    var largeByteCount: UInt64 = 0
    var chunkCount = 0
    /// Whether the directory is in it, which does not move.
    var holdsDirectory = false

    var holdsIndex: Bool { holdsDirectory || chunkCount > 0 }
    /// What moving it costs, in slabs.
    var weight: Int { usedSlabs &+ chunkCount &* 4 }
    var canMove: Bool { usedSlabs > 0 && largeByteCount == 0 && !holdsDirectory }
    var byteCount: UInt64 { UInt64(usedSlabs) &* UInt64(Slab.byteCount) &+ largeByteCount }
  }

  /// Frees an aligned block of `byteCount` bytes: the one with the fewest slabs in use of those that hold
  /// nothing else, once there are as many free slabs elsewhere.
  private mutating func freeBlock(
    of byteCount: UInt64
  ) throws(PersistentCollectionError) -> Bool {
    // The extent that is kept for the next slabs may be all that is missing.
    if try released() { return true }
    var passed: Set<UInt64> = []
    // So many slabs are freed one by one in one call, at most.
    for _ in 0..<256 {
      let blocks = try survey(byteCount)
      let freeCount = blocks.values.reduce(0) { $0 &+ $1.freeSlabs }
      let best = blocks.filter { $0.value.canMove && !passed.contains($0.key) }
        .min { ($0.value.weight, $0.key) < ($1.value.weight, $1.key) }
      guard let best else { return false }
      if best.value.usedSlabs <= freeCount &- best.value.freeSlabs {
        let block = best.key..<best.key &+ byteCount
        if try moveChunks(outOf: block), try evacuate(block: block) { return true }
        passed.insert(best.key)
        guard passed.count < 8 else { return false }
        continue
      }
      // A few at a time: each needs a look at one slab in each size only.
      var freed = 0
      while freed < 16, try freeSlab(atMost: 1) { freed &+= 1 }
      guard freed > 0 else { return false }
    }
    return false
  }

  private mutating func released() throws(PersistentCollectionError) -> Bool {
    var isReleased = false
    try transaction { (map) throws(PersistentCollectionError) in
      isReleased = try map.arena.releaseFreeExtent()
    }
    return isReleased
  }

  /// What each aligned block of `byteCount` bytes holds in which there is an extent.
  private func survey(
    _ byteCount: UInt64
  ) throws(PersistentCollectionError) -> [UInt64: Block] {
    var blocks: [UInt64: Block] = [:]
    let mask = ~(byteCount &- 1)
    try forEachExtent { extent in
      let free = (arena.load(extent &+ Extent.freeSlabs) & Extent.allFree).nonzeroBitCount
      blocks[extent & mask, default: Block()].freeSlabs &+= free
      blocks[extent & mask]!.usedSlabs &+= Extent.slabCount &- free
    }
    let directory = arena.loadRoot(RootLayout.directory)
    blocks[directory & mask]?.holdsDirectory = true
    for index in 0..<min(arena.loadRoot(RootLayout.chunkCount), Index.chunkLimit) {
      let chunk = try arena.checkedLoad(
        directory &+ index &* 8, from: arena.root &+ RootLayout.directory)
      blocks[chunk & mask]?.chunkCount &+= 1
    }
    try forEachLargeObject { pages, count in
      var start = pages
      while start < pages &+ count {
        let end = min(pages &+ count, start & mask &+ byteCount)
        blocks[start & mask, default: Block()].largeByteCount &+= end &- start
        start = end
      }
    }
    return blocks
  }

  private mutating func evacuate(
    block: Range<UInt64>
  ) throws(PersistentCollectionError) -> Bool {
    var extents: [UInt64] = []
    try forEachExtent { if block.contains($0) { extents.append($0) } }
    for extent in extents {
      // The extent is gone with its last slab, so this is read once.
      let used = ~arena.load(extent &+ Extent.freeSlabs) & Extent.allFree
      for index in 0..<Extent.slabCount where used &>> UInt64(index) & 1 != 0 {
        let slab = Extent.slab(index, of: extent)
        guard try evacuate(slab: slab, outside: block, takesSlabs: true) else { return false }
      }
    }
    _ = try released()
    return true
  }

  /// Moves the part of the index that `range` holds, if it can be had elsewhere.
  private mutating func moveChunks(
    outOf block: Range<UInt64>
  ) throws(PersistentCollectionError) -> Bool {
    let directory = arena.loadRoot(RootLayout.directory)
    for index in 0..<min(arena.loadRoot(RootLayout.chunkCount), Index.chunkLimit) {
      let place = directory &+ index &* 8
      let chunk = try arena.checked(
        arena.checkedLoad(place, from: arena.root &+ RootLayout.directory),
        byteCount: Index.chunkByteCount, foundAt: place)
      guard block.contains(chunk) else { continue }
      // For a moment there are two of it.
      let limit = arena.storageByteLimit
      arena.storageByteLimit = limit &+ min(Index.chunkByteCount, .max &- limit)
      defer { arena.storageByteLimit = limit }
      do throws(PersistentCollectionError) {
        try transaction { (map) throws(PersistentCollectionError) in
          let made = try map.arena.allocatePiece(byteCount: Index.chunkByteCount).start.rawValue
          guard !block.contains(made) else { throw .limitReached }
          for offset in stride(from: 0, to: Index.chunkByteCount, by: 8) {
            map.arena.publish(map.arena.load(chunk &+ offset), at: made &+ offset)
          }
          try map.arena.set(made, at: place)
          try map.arena.freeAtCommit(chunk)
        }
      } catch {
        if case .damaged = error { throw error }
        return false
      }
    }
    return true
  }

  // MARK: What would have to go

  /// Calls `body` with the entries of a block in which an object of `byteCount` bytes would fit, the one
  /// that holds the fewest bytes: with them removed, it is free.
  ///
  /// - Complexity: O(extents + large objects + entries of the block).
  package func forEachEvictionCandidate(
    freeing byteCount: Int, _ body: (RawSpan, RawSpan, EntryMetadata) -> Void
  ) throws(PersistentCollectionError) {
    let size = Self.blockByteCount(for: byteCount)
    let best = try survey(size).filter { !$0.value.holdsIndex }
      .min { ($0.value.byteCount, $0.key) < ($1.value.byteCount, $1.key) }
    guard let best else { return }
    let block = best.key..<best.key &+ size
    var extents: [UInt64] = []
    try forEachExtent { if block.contains($0) { extents.append($0) } }
    for extent in extents {
      let used = ~arena.load(extent &+ Extent.freeSlabs) & Extent.allFree
      for index in 0..<Extent.slabCount where used &>> UInt64(index) & 1 != 0 {
        let slab = Extent.slab(index, of: extent)
        let state = try arena.slabState(slab)
        if state.sizeClass == SizeClasses.bucketClass { continue }
        for slot in try arena.usedSlots(of: slab, state) {
          try visit(entry(ObjectReference(address: slot, isLarge: false)), body)
        }
      }
    }
    var objects: [UInt64] = []
    try forEachLargeObject { pages, count in
      if block.overlaps(pages..<pages &+ count) { objects.append(pages) }
    }
    for pages in objects {
      try visit(
        entry(
          ObjectReference(address: pages &+ LargeObject.headerByteCount, isLarge: true)), body)
    }
  }

  private func entry(_ object: ObjectReference) throws(PersistentCollectionError) -> FoundEntry {
    FoundEntry(
      object: object, header: try header(of: object, foundAt: object.address), slot: 0, bucket: 0,
      previousBucket: 0)
  }

  // MARK: Lists

  /// Calls `body` with every extent.
  private func forEachExtent(
    _ body: (UInt64) -> Void
  ) throws(PersistentCollectionError) {
    var place = arena.root &+ RootLayout.extents
    var rest = arena.storage.memory.byteCount / Extent.byteCount &+ 1
    var extent = arena.load(place)
    while extent != 0 {
      extent = try arena.checkedExtent(extent, foundAt: place)
      guard rest > 0 else { throw .damaged(PhysicalAddress(place)) }
      rest &-= 1
      body(extent)
      place = extent &+ Extent.next
      extent = arena.load(place)
    }
  }

  /// Calls `body` with the pages of every large object, and how many bytes they are.
  private func forEachLargeObject(
    _ body: (UInt64, UInt64) -> Void
  ) throws(PersistentCollectionError) {
    var place = arena.root &+ RootLayout.largeObjects
    var rest = arena.storage.memory.byteCount / 4096 &+ 1
    var pages = arena.load(place)
    while pages != 0 {
      let byteCount = try arena.checkedByteCount(ofPages: pages)
      guard rest > 0 else { throw .damaged(PhysicalAddress(place)) }
      rest &-= 1
      body(pages, byteCount)
      place = pages &+ LargeObject.next
      pages = arena.load(place)
    }
  }
}
