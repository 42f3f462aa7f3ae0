import MemoryAccess
internal import ProcessHandover

extension Arena where Storage: ~Copyable {
  /// Frees some pieces of a collection that is being removed; its root's slot is cleared with the last.
  ///
  /// - Returns: whether there are more.
  mutating func freeSomePieces() throws(PersistentCollectionError) -> Bool {
    if !ledgerIndex.isMade { try makeLedgerIndex() }
    let own = ledgerIndex.slots.filter { load($0.value &+ 8) &>> 32 == UInt64(owner) }
    let pieces = own.keys.filter { $0 != root }.sorted().prefix(
      LedgerLayout.pendingFreeCapacity / 2)
    let slot = own[root]
    try transaction { (arena) throws(PersistentCollectionError) in
      for piece in pieces { try arena.freeAtCommit(piece) }
      guard pieces.isEmpty, let slot else { return }
      try arena.setLedger(0, at: slot)
      arena.ledgerIndex.slots[arena.root] = nil
      arena.ledgerIndex.freeSlots.append(slot)
      arena.ledgerIndex.isChanged = true
    }
    return !pieces.isEmpty
  }
}
