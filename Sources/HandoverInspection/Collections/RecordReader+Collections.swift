import Handover
import MemoryAccess
import PersistentCollections
import ProcessHandover

extension RecordReader {
  /// Reports the ledger, its own pieces, and memory whose collection has no root.
  mutating func readLedger(_ subtree: RootDeviceTree.Subtree, _ owner: RecordOwner) {
    guard let store = collections.store else {
      return report(
        collections.failure ?? .damaged(subtree.address), of: owner, at: subtree.address)
    }
    let pieces = store.collections.flatMap(\.pieces)
    let record = KnownRecord.ledger(
      LedgerContents(
        collectionCount: store.collections.count, pieceCount: pieces.count,
        byteCount: pieces.byteCount, isChanging: store.isChanging))
    let isRead = visitor.enter(record)
    defer { visitor.leave(record) }
    guard isRead else { return }
    for piece in store.ledgerPieces {
      guard refer(owner, to: piece, as: .piece) else { return }
    }
    for lost in store.piecesWithoutRoot {
      visitor.report(
        .contentDamaged(
          owner, lost.range.start,
          "the memory of collection number \(lost.owner), whose root is damaged or missing"))
      guard refer(owner, to: lost.range, as: .piece) else { return }
    }
  }

  /// Reports a collection, its pieces, and, if the visitor asks for that, what is wrong with its entries.
  mutating func readCollection(_ subtree: RootDeviceTree.Subtree) {
    let owner = RecordOwner.collection(subtree.name)
    let found = collections.store?.collections.first { $0.root.start == subtree.address }
    guard let store = collections.store, let found else {
      return reportRootWithoutLedger(subtree, owner)
    }
    if let failure = found.failure { return report(failure, of: owner, at: subtree.address) }
    let record = KnownRecord.collection(
      CollectionContents(
        kind: found.kind?.rawValue ?? "unknown", entryCount: found.count,
        pieceCount: found.pieces.count,
        byteCount: found.pieces.byteCount))
    let isRead = visitor.enter(record)
    defer { visitor.leave(record) }
    guard isRead else { return }
    for piece in found.pieces {
      guard refer(owner, to: piece, as: .piece) else { return }
    }
    guard visitor.checksCollections else { return }
    for finding in store.check(found).findings {
      visitor.report(.contentDamaged(owner, finding.place, finding.reason))
    }
  }

  /// Reports a root without a ledger that can be read: it is of layout 1, which had no ledger, or the ledger is
  /// damaged or missing.
  private mutating func reportRootWithoutLedger(
    _ subtree: RootDeviceTree.Subtree, _ owner: RecordOwner
  ) {
    do throws(PersistentCollectionError) {
      let region = PhysicalRange(
        checkedStart: subtree.address, byteCount: subtree.byteCount ?? 0)
      guard let region else { throw .damaged(subtree.address) }
      _ = try CollectionRoot(in: region, of: memory, ledger: nil)
      visitor.report(
        .contentDamaged(
          owner, subtree.address,
          "the ledger that records its memory is \(collections.failure == nil ? "missing" : "damaged")"
        ))
    } catch {
      report(error, of: owner, at: subtree.address)
    }
  }

  private mutating func report(
    _ error: PersistentCollectionError, of owner: RecordOwner, at address: PhysicalAddress
  ) {
    switch error {
    case .unknownLayout(let version):
      visitor.report(.formatUnknown(owner, "layout \(version)"))
    case .notThisCollection:
      visitor.report(.formatUnknown(owner, "a kind of collection that is not known"))
    case .damaged(let place):
      visitor.report(.contentDamaged(owner, place, "a word there has an invalid value"))
    default:
      visitor.report(.contentDamaged(owner, address, "it cannot be read"))
    }
  }
}
