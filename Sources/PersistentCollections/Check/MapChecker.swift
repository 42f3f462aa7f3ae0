import MemoryAccess

/// Looks at all of a map.
struct MapChecker {
  var report = PersistentMapReport()
  /// What the index points to, by first word.
  var objects: Set<UInt64> = []
  var largeObjects: Set<UInt64> = []
  var overflowBuckets: Set<UInt64> = []
  var extents: Set<UInt64> = []

  mutating func add(_ finding: PersistentMapFinding) { report.findings.append(finding) }

  mutating func addPiece(_ address: UInt64, _ byteCount: UInt64) {
    guard
      let piece = PhysicalRange(checkedStart: PhysicalAddress(address), byteCount: byteCount)
    else { return add(.damaged(PhysicalAddress(address))) }
    report.pieces.append(piece)
  }

  /// The members of a list, none twice.
  mutating func members<Storage: PersistentStorage & ~Copyable>(
    of list: UInt64, _ links: ListLinks, in arena: borrowing Arena<Storage>
  ) -> [UInt64] {
    var members: [UInt64] = []
    var seen: Set<UInt64> = []
    var previous: UInt64 = 0
    var member = arena.loadRoot(list)
    while member != 0 {
      guard arena.exists(member, byteCount: 64), seen.insert(member).inserted,
        arena.load(member &+ links.previous) == previous
      else {
        add(.listDiffers(PhysicalAddress(arena.root &+ list)))
        return members
      }
      members.append(member)
      previous = member
      member = arena.load(member &+ links.next)
    }
    return members
  }

  mutating func compare<Storage: PersistentStorage & ~Copyable>(
    _ offset: UInt64, with found: UInt64, in arena: borrowing Arena<Storage>
  ) {
    let recorded = arena.loadRoot(offset)
    if recorded != found {
      add(
        .countDiffers(
          at: PhysicalAddress(arena.root &+ offset), recorded: recorded, found: found))
    }
  }
}

extension ByteMap where Storage: ~Copyable {
  /// Looks at every entry, every slab, every list.
  ///
  /// - Complexity: O(buckets + entries + slots).
  package func check() -> PersistentMapReport {
    var checker = MapChecker()
    do throws(PersistentCollectionError) { try checkIndex() } catch {
      guard case .damaged(let address) = error else { return checker.report }
      checker.add(.damaged(address))
      return checker.report
    }
    checkBuckets(&checker)
    checkExtents(&checker)
    checkLargeObjects(&checker)
    checkGarbage(&checker)
    let byteCount = checker.report.pieces.reduce(0 as UInt64) { $0 &+ $1.byteCount }
    checker.compare(RootLayout.storageByteCount, with: byteCount, in: arena)
    checker.compare(RootLayout.entryCount, with: checker.report.entryCount, in: arena)
    return checker.report
  }

  private func checkBuckets(_ checker: inout MapChecker) {
    let directory = arena.loadRoot(RootLayout.directory)
    checker.addPiece(directory, Index.directoryByteCount)
    var chunks: Set<UInt64> = []
    for index in 0..<arena.loadRoot(RootLayout.chunkCount) {
      let chunk = arena.load(directory &+ index &* 8)
      // Buckets that are looked at twice would make the check endless.
      guard chunks.insert(chunk).inserted else {
        return checker.add(.usedTwice(PhysicalAddress(chunk)))
      }
      checker.addPiece(chunk, Index.chunkByteCount)
    }
    for bucket in 0..<arena.loadRoot(RootLayout.bucketCount) {
      do throws(PersistentCollectionError) {
        try checkChain(bucket, &checker)
      } catch {
        guard case .damaged(let address) = error else { continue }
        checker.add(.damaged(address))
      }
    }
  }

  private func checkChain(
    _ number: UInt64, _ checker: inout MapChecker
  ) throws(PersistentCollectionError) {
    var bucket = try address(ofBucket: number)
    while true {
      try checkEntries(of: bucket, number, &checker)
      let next = try overflow(of: bucket)
      if next == 0 { return }
      guard checker.overflowBuckets.insert(next).inserted else {
        return checker.add(.usedTwice(PhysicalAddress(next)))
      }
      checker.report.overflowBucketCount += 1
      bucket = next
    }
  }

  private func checkEntries(
    of bucket: UInt64, _ number: UInt64, _ checker: inout MapChecker
  ) throws(PersistentCollectionError) {
    try forEachEntry(inBucket: bucket) { (entry) throws(PersistentCollectionError) in
      let hash = try withBytes(at: entry.key, count: entry.header.keyByteCount) { sip.hash($0) }
      let word = arena.load(entry.slot)
      if self.bucket(of: hash) != number || Index.tag(hash) | entry.object.rawValue != word {
        checker.add(.misplaced(PhysicalAddress(entry.address)))
      }
      let isNew =
        entry.object.isLarge
        ? checker.largeObjects.insert(entry.address).inserted
        : checker.objects.insert(entry.address).inserted
      if !isNew { checker.add(.usedTwice(PhysicalAddress(entry.address))) }
      checker.report.entryCount &+= 1
      checker.report.payloadByteCount &+=
        UInt64(entry.header.keyByteCount) &+ UInt64(entry.header.valueByteCount)
    }
  }

  func checkLargeObjects(_ checker: inout MapChecker) {
    for pages in checker.members(of: RootLayout.largeObjects, .largeObjects, in: arena) {
      guard let byteCount = try? arena.checkedByteCount(ofPages: pages) else {
        checker.add(.damaged(PhysicalAddress(pages)))
        continue
      }
      checker.addPiece(pages, byteCount)
      if checker.largeObjects.remove(pages &+ LargeObject.headerByteCount) == nil {
        checker.add(.lost(PhysicalAddress(pages)))
      }
    }
    for object in checker.largeObjects.sorted() {
      checker.add(.notAllocated(PhysicalAddress(object)))
    }
  }

  private func checkGarbage(_ checker: inout MapChecker) {
    var extent = arena.loadRoot(RootLayout.garbageExtents)
    while extent != 0, arena.exists(extent, byteCount: Extent.byteCount),
      checker.extents.insert(extent).inserted
    {
      checker.addPiece(extent, Extent.byteCount)
      extent = arena.load(extent &+ Extent.next)
    }
    var pages = arena.loadRoot(RootLayout.garbageLargeObjects)
    var seen: Set<UInt64> = []
    while pages != 0, seen.insert(pages).inserted,
      let byteCount = try? arena.checkedByteCount(ofPages: pages)
    {
      checker.addPiece(pages, byteCount)
      pages = arena.load(pages &+ LargeObject.next)
    }
    let directory = arena.loadRoot(RootLayout.garbageDirectory)
    guard directory != 0 else { return }
    // The index may go on with the directory and the first chunk.
    let isPartOfIndex = directory == arena.loadRoot(RootLayout.directory)
    if !isPartOfIndex { checker.addPiece(directory, Index.directoryByteCount) }
    let chunkCount = arena.loadRoot(RootLayout.garbageChunkCount)
    for chunk in (isPartOfIndex ? min(1, chunkCount) : 0)..<chunkCount {
      checker.addPiece(arena.load(directory &+ chunk &* 8), Index.chunkByteCount)
    }
  }
}
