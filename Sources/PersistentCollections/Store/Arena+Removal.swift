import MemoryAccess
internal import ProcessHandover

extension Arena where Storage: ~Copyable {
  /// Frees some pieces of a collection that is being removed; its root's slot is cleared with the last.
  ///
  /// - Returns: whether there are more.
  mutating func freeSomePieces() throws(PersistentCollectionError) -> Bool {
    if !books.isMade { try makeBooks() }
    let own = books.slots.filter { load($0.value &+ 8) &>> 32 == UInt64(owner) }
    let pieces = own.keys.filter { $0 != root }.sorted().prefix(LedgerLayout.doomedCapacity / 2)
    let slot = own[root]
    try transaction { (arena) throws(PersistentCollectionError) in
      for piece in pieces { try arena.doom(piece) }
      guard pieces.isEmpty, let slot else { return }
      try arena.setLedger(0, at: slot)
      arena.books.slots[arena.root] = nil
      arena.books.freeSlots.append(slot)
      arena.books.isChanged = true
    }
    return !pieces.isEmpty
  }
}
