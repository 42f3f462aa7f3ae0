import MemoryAccess
internal import ProcessHandover

/// Which pieces of memory collections have, in memory of the process: made from the ledger's slots when
/// the first word is changed.
struct LedgerIndex {
  var isMade = false
  /// Whether anything changed since the last transaction ended well.
  var isChanged = false
  /// Slots that are free, the last one taken next.
  var freeSlots: [UInt64] = []
  /// The slot of each piece, by the piece's start.
  var slots: [UInt64: UInt64] = [:]
  /// The owner of each 256 KiB of the memory that are in one piece; 0 of all others.
  var cellOwners: [UInt32] = []
  var chunkCount = 1

  static let log2CellByteCount: UInt64 = 18

  /// Says whose the cells inside `range` are.
  mutating func setCells(of range: PhysicalRange, to owner: UInt32) {
    let shift = Self.log2CellByteCount
    let first = Int((range.start.rawValue &+ (1 &<< shift) &- 1) &>> shift)
    let end = Int((range.start.rawValue &+ range.byteCount) &>> shift)
    guard first < end else { return }
    if cellOwners.count < end {
      let missing = end &- cellOwners.count
      cellOwners.append(contentsOf: repeatElement(0, count: missing))
    }
    for cell in first..<end { cellOwners[cell] = owner }
  }
}

extension Arena where Storage: ~Copyable {
  /// Whether the collection may change the word at `address`: it is in its root or in one of its pieces.
  @inline(__always)
  func isOwn(_ address: UInt64) -> Bool {
    let cell = Int(truncatingIfNeeded: address &>> LedgerIndex.log2CellByteCount)
    if cell < ledgerIndex.cellOwners.count, ledgerIndex.cellOwners[cell] == owner { return true }
    return address &- root < RootLayout.byteCount || isInSmallPiece(address)
  }

  /// Whether the word is in a piece that is smaller than a cell, or at the start of one of several.
  private func isInSmallPiece(_ address: UInt64) -> Bool {
    // Headers of large objects are in their first page; a directory is aligned to its size.
    for start in [address & ~4095, address & ~(Index.directoryByteCount &- 1)] {
      guard let slot = ledgerIndex.slots[start] else { continue }
      let description = load(slot &+ 8)
      if description &>> 32 == UInt64(owner),
        address &- start < (description & 0xffff_ffff) &<< 12
      {
        return true
      }
    }
    return false
  }

  /// Checks that an object's bytes may be changed.
  func requireOwn(_ object: ObjectReference) throws(PersistentCollectionError) {
    let address =
      object.isLarge ? object.address &- LargeObject.headerByteCount : object.address
    guard isOwn(address) else { throw .damaged(PhysicalAddress(object.address)) }
  }

  /// Reads the ledger's slots.
  ///
  /// - Complexity: O(slots).
  mutating func makeLedgerIndex() throws(PersistentCollectionError) {
    var ledgerIndex = LedgerIndex()
    let memory = storage.memory
    do throws(LedgerDamage) {
      let ledger = try MemoryLedger(at: PhysicalAddress(ledger), in: memory)
      let byteCount = memory.byteCount
      func word(_ address: UInt64) -> UInt64? {
        guard address & 7 == 0, address <= byteCount &- 8 else { return nil }
        return memory.withWords(at: PhysicalAddress(address), count: 1) { $0.load(0) }
      }
      try ledger.forEachSlot(word) { (slot, piece, description) throws(LedgerDamage) in
        guard piece != 0 else {
          ledgerIndex.freeSlots.append(slot)
          return
        }
        let byteCount = (description & 0xffff_ffff) << 12
        let range = PhysicalRange(checkedStart: PhysicalAddress(piece), byteCount: byteCount)
        guard piece & 4095 == 0, let range, memory.contains(range),
          ledgerIndex.slots.updateValue(slot, forKey: piece) == nil
        else { throw LedgerDamage(address: PhysicalAddress(slot)) }
        ledgerIndex.setCells(of: range, to: UInt32(description >> 32))
      }
      while ledgerIndex.chunkCount < LedgerLayout.chunkLimit,
        try ledger.chunkStart(ledgerIndex.chunkCount, word) != nil
      {
        ledgerIndex.chunkCount += 1
      }
    } catch {
      throw .damaged(error.address)
    }
    // The first ones are taken first.
    ledgerIndex.freeSlots.reverse()
    ledgerIndex.isMade = true
    self.ledgerIndex = ledgerIndex
  }

  private func hasRoom(_ byteCount: UInt64) -> Bool {
    byteCount <= storageByteLimit
      && loadRoot(RootLayout.storageByteCount) <= storageByteLimit &- byteCount
  }

  /// Allocates a piece for the collection; undone with the transaction.
  ///
  /// - Parameter zeroed: whether the piece is filled with zeros; else it contains any bytes.
  /// - Returns: the piece, which is of whole pages.
  mutating func allocatePiece(
    byteCount: UInt64, zeroed: Bool = true
  ) throws(PersistentCollectionError) -> PhysicalRange {
    if !hasRoom(byteCount) {
      // What is kept for the next slabs may make room for something else.
      guard try releaseFreeExtent(), hasRoom(byteCount) else { throw .limitReached }
    }
    if ledgerIndex.freeSlots.isEmpty { try addSlots() }
    let piece = try allocateNoted(byteCount: byteCount, zeroed: zeroed)
    try record(piece, owner: owner)
    let used = loadRoot(RootLayout.storageByteCount)
    try setRoot(used &+ piece.byteCount, RootLayout.storageByteCount)
    return piece
  }

  /// Writes a piece into a free slot.
  mutating func record(
    _ piece: PhysicalRange, owner: UInt32
  ) throws(PersistentCollectionError) {
    guard let slot = ledgerIndex.freeSlots.popLast() else { throw .transactionTooLarge }
    ledgerIndex.isChanged = true
    let description = LedgerLayout.description(byteCount: piece.byteCount, owner: owner)
    try setLedger(description, at: slot &+ 8)
    try setLedger(piece.start.rawValue, at: slot)
    ledgerIndex.slots[piece.start.rawValue] = slot
    ledgerIndex.setCells(of: piece, to: owner)
  }

  /// Adds a chunk of slots, twice as many as the last one has.
  mutating func addSlots() throws(PersistentCollectionError) {
    let chunk = ledgerIndex.chunkCount
    guard chunk < LedgerLayout.chunkLimit else { throw .limitReached }
    let piece = try allocateNoted(byteCount: LedgerLayout.byteCount(ofChunk: chunk))
    let first = piece.start.rawValue
    // Nothing points to the chunk yet.
    let description = LedgerLayout.description(
      byteCount: piece.byteCount, owner: LedgerLayout.ledgerOwner)
    publish(description, at: first &+ 8)
    publish(first, at: first)
    try setLedger(first, at: ledger &+ LedgerLayout.chunks &+ UInt64(chunk) &* 8)
    ledgerIndex.isChanged = true
    ledgerIndex.chunkCount += 1
    ledgerIndex.slots[first] = first
    ledgerIndex.setCells(of: piece, to: LedgerLayout.ledgerOwner)
    for index in (1..<LedgerLayout.slotCount(ofChunk: chunk)).reversed() {
      ledgerIndex.freeSlots.append(first &+ index &* 16)
    }
  }

  /// Frees a piece of the collection once the transaction has ended well.
  mutating func freeAtCommit(_ address: UInt64) throws(PersistentCollectionError) {
    guard let slot = ledgerIndex.slots[address] else { throw .damaged(PhysicalAddress(address)) }
    let description = load(slot &+ 8)
    let byteCount = (description & 0xffff_ffff) &<< 12
    guard load(slot) == address, description &>> 32 == UInt64(owner),
      exists(address, byteCount: byteCount), byteCount > 0
    else { throw .damaged(PhysicalAddress(slot)) }
    try recordPendingFree(address, byteCount: byteCount)
    ledgerIndex.isChanged = true
    try setLedger(0, at: slot)
    ledgerIndex.slots[address] = nil
    ledgerIndex.freeSlots.append(slot)
    ledgerIndex.setCells(
      of: PhysicalRange(start: PhysicalAddress(address), byteCount: byteCount), to: 0)
    let used = loadRoot(RootLayout.storageByteCount)
    try setRoot(used &- min(used, byteCount), RootLayout.storageByteCount)
  }
}
