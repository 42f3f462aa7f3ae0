/// The format of the ledger: which memory the collections of a memory file have, and the change of them
/// that is being made.
///
/// The ledger is a region of the memory called `kho-ledger`. All words are in the machine's byte order.
///
///     byte   0  magic, layout version, identity, check value of these three     written once
///           64  the control word: what a crash leaves to be undone or completed
///           72  number of changes begun and ended; odd while one is being made
///           80  the number that the next collection gets
///          128  the addresses of the slot chunks 1, 2, …; 0 if none exists
///         4096  pieces that are being allocated: start and size of each
///         8192  pieces that are to be freed: start and size of each
///        24576  slot chunk 0: 1024 slots
///        40960  words as they were before the change: address and old value of each
///
/// A slot is two words: the start of a piece, 0 where the slot is free; and the number of its 4 KiB
/// units in the low half of the second word, the number of its owner in the high half. Chunk k has
/// 1024 · 2^k slots; from chunk 1 on it is a piece itself, with a slot and ``ledgerOwner``.
package enum LedgerLayout {
  /// The name of the region.
  package static var regionName: String { "kho-ledger" }

  /// The first word of the region.
  package static var magic: UInt64 { 0x5247_4445_4c48_4b1a }
  static var version: UInt64 { 1 }
  /// The offset of the number that identifies a ledger.
  package static var identityOffset: UInt64 { 16 }
  static var checkOffset: UInt64 { 24 }

  /// The control word.
  package static var control: UInt64 { 64 }
  /// The number of changes begun and ended.
  package static var sequence: UInt64 { 72 }
  /// The number that the next collection gets.
  package static var nextOwner: UInt64 { 80 }
  /// The addresses of the slot chunks; that of chunk k is word k.
  package static var chunks: UInt64 { 128 }
  /// Pieces that are being allocated.
  package static var pending: UInt64 { 4096 }
  /// Pieces that are to be freed.
  package static var pendingFrees: UInt64 { 8192 }
  /// Slot chunk 0.
  package static var slots: UInt64 { 24576 }
  /// Words as they were before the change.
  package static var log: UInt64 { 40960 }

  /// How many pieces one change can allocate.
  package static var pendingCapacity: Int { 256 }
  /// How many pieces one change can free.
  package static var pendingFreeCapacity: Int { 1024 }
  /// How many words one change can change.
  package static var logCapacity: Int { 16384 }
  /// How many slot chunks there can be: 2^30 pieces.
  package static var chunkLimit: Int { 20 }

  /// The size of the region, in bytes.
  package static var byteCount: UInt64 { log + UInt64(logCapacity) * 16 }

  /// The first word of the region of a collection, its root, which is ``rootByteCount`` long.
  package static var rootMagic: UInt64 { 0x5041_4d4f_484b_1a0d }
  /// The size of a collection's root, in bytes.
  package static var rootByteCount: UInt64 { 4096 }

  /// The owner of the ledger's own pieces.
  package static var ledgerOwner: UInt32 { 1 }
  /// The first number of a collection.
  package static var firstCollection: UInt32 { 2 }

  /// The number of slots of chunk `index`.
  package static func slotCount(ofChunk index: Int) -> UInt64 { 1024 << UInt64(index) }
  /// The size of chunk `index`, in bytes.
  package static func byteCount(ofChunk index: Int) -> UInt64 { slotCount(ofChunk: index) * 16 }

  /// The second word of a slot.
  package static func description(byteCount: UInt64, owner: UInt32) -> UInt64 {
    byteCount >> 12 | UInt64(owner) << 32
  }

  /// Fills a new region, which is all zeros.
  package static func fill(_ region: inout MutableRawSpan, identity: UInt64) {
    let words = [magic, version, identity]
    for (index, word) in (words + [CheckValue(of: words).value]).enumerated() {
      region.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
    }
    region.storeBytes(
      of: UInt64(firstCollection), toByteOffset: Int(nextOwner), as: UInt64.self)
  }
}

/// The word that decides what a crash leaves: how many words are put back, how many pieces are being
/// allocated, and how many are to be freed.
///
/// One store of it ends a change.
@frozen
package struct LedgerControl: Equatable, Sendable {
  package var logCount: Int
  package var pendingCount: Int
  package var pendingFreeCount: Int

  @inlinable
  package init(logCount: Int = 0, pendingCount: Int = 0, pendingFreeCount: Int = 0) {
    self.logCount = logCount
    self.pendingCount = pendingCount
    self.pendingFreeCount = pendingFreeCount
  }

  @inlinable
  package init(_ word: UInt64) {
    logCount = Int(word & 0xf_ffff)
    pendingCount = Int(word &>> 20 & 0xf_ffff)
    pendingFreeCount = Int(word &>> 40)
  }

  @inlinable
  package var word: UInt64 {
    UInt64(truncatingIfNeeded: logCount) | UInt64(truncatingIfNeeded: pendingCount) &<< 20
      | UInt64(truncatingIfNeeded: pendingFreeCount) &<< 40
  }

  /// Whether the counts are ones that a change makes.
  var isPossible: Bool {
    logCount <= LedgerLayout.logCapacity && pendingCount <= LedgerLayout.pendingCapacity
      && pendingFreeCount <= LedgerLayout.pendingFreeCapacity
  }
}
