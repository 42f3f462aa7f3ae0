package import MemoryAccess
internal import ProcessHandover

/// What the root of a collection says of it that does not change.
@usableFromInline
package struct CollectionRoot: Sendable {
  /// Where the root begins.
  package let start: UInt64
  /// The key of the hash function.
  let sip: SipHash
  /// What the collection is.
  package let kind: CollectionKind
  /// Its number; 0 before it has one.
  package fileprivate(set) var owner: UInt32

  /// Fills a new root, which is all zeros.
  package static func fill(
    _ root: inout MutableRawSpan, _ kind: CollectionKind, hashKey: (UInt64, UInt64),
    ledger: UInt64
  ) {
    let words = [
      RootLayout.magic, RootLayout.version, hashKey.0, hashKey.1, kind.rawValue, ledger,
    ]
    for (index, word) in (words + [checkValue(words)]).enumerated() {
      root.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
    }
  }

  /// Reads the root in `region`.
  ///
  /// - Parameter ledger: the identity of the memory's ledger; nil for any.
  /// - Throws: ``PersistentCollectionError``.
  package init(
    in region: PhysicalRange, of memory: some PhysicalMemory, ledger: UInt64?
  ) throws(PersistentCollectionError) {
    let start = region.start
    guard region.byteCount >= RootLayout.byteCount, start.isAligned(log2ByteCount: 12),
      let words = memory.withBytes(
        in: PhysicalRange(start: start, byteCount: 72),
        { bytes in
          (0..<9).map { bytes.word(atByte: $0 * 8) ?? 0 }
        }), words[0] == RootLayout.magic
    else { throw .notThisCollection }
    guard words[1] == RootLayout.version else { throw .unknownLayout(version: words[1]) }
    guard region.byteCount == RootLayout.byteCount,
      words[Int(RootLayout.checkOffset / 8)] == Self.checkValue(Array(words[..<6])),
      let owner = UInt32(exactly: words[Int(RootLayout.owner / 8)]),
      owner != LedgerLayout.ledgerOwner
    else { throw .damaged(start) }
    guard let kind = CollectionKind(rawValue: words[Int(RootLayout.kindOffset / 8)]) else {
      throw .notThisCollection
    }
    // A root of another ledger: the memory was taken over without it, and the pieces are gone.
    guard ledger == nil || words[Int(RootLayout.ledgerOffset / 8)] == ledger else {
      throw .damaged(start)
    }
    self.start = start.rawValue
    sip = SipHash(key: (words[2], words[3]))
    self.kind = kind
    self.owner = owner
  }

  static func checkValue(_ words: [UInt64]) -> UInt64 {
    // SAFETY: a word has no padding that could be read.
    SipHash(key: (RootLayout.magic, RootLayout.version)).hash(unsafe words.span.bytes)
  }
}

extension Arena where Storage: ~Copyable {
  /// Means the collection `found` from now on; a new one gets a number, and its root a slot in the
  /// ledger.
  mutating func open(
    _ found: CollectionRoot
  ) throws(PersistentCollectionError) -> CollectionRoot {
    var collection = found
    if collection.owner == 0 {
      let number = try number(forRoot: collection.start)
      select(root: collection.start, owner: number)
      try transaction { (arena) throws(PersistentCollectionError) in
        try arena.setRoot(UInt64(number), RootLayout.owner)
      }
      collection.owner = number
    }
    select(root: collection.start, owner: collection.owner)
    return collection
  }

  /// The number under which the ledger has a root; a new one where a crash came before that.
  ///
  /// The slot comes first: only words of pieces in the ledger are put back after a crash.
  private mutating func number(
    forRoot start: UInt64
  ) throws(PersistentCollectionError) -> UInt32 {
    if !ledgerIndex.isMade { try makeLedgerIndex() }
    if let slot = ledgerIndex.slots[start] {
      let owner = UInt32(load(slot &+ 8) &>> 32)
      guard owner >= LedgerLayout.firstCollection else { throw .damaged(PhysicalAddress(slot)) }
      return owner
    }
    let place = ledger &+ LedgerLayout.nextOwner
    let next = load(place)
    guard let number = UInt32(exactly: next), number >= LedgerLayout.firstCollection,
      number < .max
    else { throw .damaged(PhysicalAddress(place)) }
    let root = PhysicalRange(
      start: PhysicalAddress(start), byteCount: RootLayout.byteCount)
    try transaction { (arena) throws(PersistentCollectionError) in
      try arena.setLedger(next &+ 1, at: place)
      if arena.ledgerIndex.freeSlots.isEmpty { try arena.addSlots() }
      try arena.record(root, owner: number)
    }
    return number
  }
}
