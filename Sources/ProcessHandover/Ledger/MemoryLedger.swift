package import Handover
package import MemoryAccess

/// The word of a ledger that cannot be what the writer stored there.
package struct LedgerDamage: Error, Equatable, Sendable {
  /// Where the word is.
  package let address: PhysicalAddress
  /// The layout number of a ledger that is intact, and of a layout that this version does not know; nil of a
  /// ledger that is damaged.
  package let unknownVersion: UInt64?

  package init(address: PhysicalAddress, unknownVersion: UInt64? = nil) {
    self.address = address
    self.unknownVersion = unknownVersion
  }

  /// Why memory with this ledger cannot be taken over.
  var contentsError: MemoryContentsError {
    unknownVersion.map { .ledgerVersionUnknown($0) } ?? .changeDamaged
  }
}

/// A piece of memory that a collection has.
package struct LedgerPiece: Hashable, Sendable {
  /// The bytes of the piece.
  package let range: PhysicalRange
  /// The number of the collection.
  package let owner: UInt32
  /// Where the slot is that records it.
  package let slot: UInt64
}

/// The ledger of a memory file, read from memory that may contain anything.
package struct MemoryLedger: Sendable {
  /// Where the ledger starts.
  package let start: UInt64
  /// A number that distinguishes ledgers; each collection contains that of its own.
  package let identity: UInt64
  /// What is being changed.
  package let control: LedgerControl
  /// The number of changes begun and ended.
  package let sequence: UInt64

  /// Reads the ledger that starts at `start`.
  ///
  /// - Throws: ``LedgerDamage``; also where the region contains something else.
  package init(
    at start: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(LedgerDamage) {
    typealias Layout = LedgerLayout
    guard start.isAligned(log2ByteCount: 12),
      let region = PhysicalRange(checkedStart: start, byteCount: Layout.byteCount),
      memory.contains(region),
      let words = memory.withBytes(
        in: PhysicalRange(start: start, byteCount: 96),
        {
          bytes in (0..<12).map { bytes.word(atByte: $0 * 8) ?? 0 }
        })
    else { throw LedgerDamage(address: start) }
    guard words[0] == Layout.magic,
      words[Int(Layout.checkOffset / 8)] == CheckValue(of: words[..<3]).value
    else { throw LedgerDamage(address: start) }
    guard words[1] == Layout.version else {
      throw LedgerDamage(address: start, unknownVersion: words[1])
    }
    self.start = start.rawValue
    identity = words[Int(Layout.identityOffset / 8)]
    control = LedgerControl(words[Int(Layout.control / 8)])
    sequence = words[Int(Layout.sequence / 8)]
    guard control.isPossible else {
      throw LedgerDamage(address: PhysicalAddress(self.start + Layout.control))
    }
  }

  /// The ledger among `subtrees`; nil of a memory without a ledger.
  ///
  /// - Throws: ``LedgerDamage``.
  package init?(
    among subtrees: [RootDeviceTree.Subtree], in memory: some PhysicalMemory
  ) throws(LedgerDamage) {
    let region = subtrees.first { $0.name == LedgerLayout.regionName }
    guard let region, region.byteCount == LedgerLayout.byteCount else { return nil }
    try self.init(at: region.address, in: memory)
  }

  /// The bytes of the ledger's region.
  package var region: PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), byteCount: LedgerLayout.byteCount)
  }

  /// Calls `body` with the address of every slot and its two words.
  ///
  /// - Parameter word: reads a word of the memory; nil outside of the memory.
  /// - Throws: ``LedgerDamage`` of a chunk that does not exist.
  /// - Complexity: O(slots), which are no more than fit into the memory twice.
  package func forEachSlot(
    _ word: (UInt64) -> UInt64?, _ body: (UInt64, UInt64, UInt64) throws(LedgerDamage) -> Void
  ) throws(LedgerDamage) {
    for chunk in 0..<LedgerLayout.chunkLimit {
      guard let first = try chunkStart(chunk, word) else { return }
      for index in 0..<LedgerLayout.slotCount(ofChunk: chunk) {
        let slot = first &+ index &* 16
        guard let piece = word(slot), let description = word(slot &+ 8) else {
          throw LedgerDamage(address: PhysicalAddress(start &+ LedgerLayout.chunks))
        }
        try body(slot, piece, description)
      }
    }
  }

  /// Where the slots of a chunk start; nil behind the last chunk.
  package func chunkStart(
    _ chunk: Int, _ word: (UInt64) -> UInt64?
  ) throws(LedgerDamage) -> UInt64? {
    if chunk == 0 { return start &+ LedgerLayout.slots }
    let place = start &+ LedgerLayout.chunks &+ UInt64(chunk) &* 8
    guard let first = word(place) else { throw LedgerDamage(address: PhysicalAddress(place)) }
    if first == 0 { return nil }
    // The last word of the chunk exists, so all of it does.
    let range = PhysicalRange(
      checkedStart: PhysicalAddress(first), byteCount: LedgerLayout.byteCount(ofChunk: chunk))
    guard first & 4095 == 0, let last = range?.last, word(last.rawValue &- 7) != nil else {
      throw LedgerDamage(address: PhysicalAddress(place))
    }
    return first
  }

  /// The pieces, in the order of their slots.
  ///
  /// - Throws: ``LedgerDamage`` of a slot that does not describe memory.
  /// - Complexity: O(slots).
  package func pieces(_ word: (UInt64) -> UInt64?) throws(LedgerDamage) -> [LedgerPiece] {
    var pieces: [LedgerPiece] = []
    try forEachSlot(word) { (slot, piece, description) throws(LedgerDamage) in
      if piece == 0 { return }
      let byteCount = (description & 0xffff_ffff) << 12
      let range = PhysicalRange(checkedStart: PhysicalAddress(piece), byteCount: byteCount)
      let owner = UInt32(description >> 32)
      guard piece & 4095 == 0, let range, !range.isEmpty, owner != 0,
        word(piece &+ byteCount &- 8) != nil
      else { throw LedgerDamage(address: PhysicalAddress(slot)) }
      pieces.append(LedgerPiece(range: range, owner: owner, slot: slot))
    }
    return pieces
  }

  /// The pieces of a list of ranges in the ledger.
  func ranges(
    at offset: UInt64, count: Int, _ word: (UInt64) -> UInt64?
  ) throws(LedgerDamage) -> [PhysicalRange] {
    var ranges: [PhysicalRange] = []
    for index in 0..<count {
      let entry = start &+ offset &+ UInt64(index) &* 16
      guard let first = word(entry), let byteCount = word(entry &+ 8),
        let range = PhysicalRange(checkedStart: PhysicalAddress(first), byteCount: byteCount),
        let last = range.last, first & 4095 == 0, byteCount & 4095 == 0,
        word(last.rawValue &- 7) != nil
      else { throw LedgerDamage(address: PhysicalAddress(entry)) }
      ranges.append(range)
    }
    return ranges
  }
}

extension PhysicalMemory {
  /// The word at `address`; nil outside of the memory.
  package func ledgerWord(at address: UInt64) -> UInt64? {
    guard address & 7 == 0,
      let range = PhysicalRange(checkedStart: PhysicalAddress(address), byteCount: 8)
    else { return nil }
    return withBytes(in: range) { $0.word(atByte: 0) } ?? nil
  }
}
