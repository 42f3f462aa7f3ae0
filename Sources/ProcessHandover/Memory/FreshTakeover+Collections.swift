import Handover
import MemoryAccess

// Collections are kept all or none: the ledger records the memory of each, and a transaction may cover
// several.

extension FreshTakeover {
  /// The names of the predecessor's collections.
  public var collectionNames: [String] {
    guard ledger != nil else { return [] }
    return names.filter { isCollection($0) }
  }

  /// Whether a collection, or the ledger, has the name.
  func isCollection(_ name: String) -> Bool {
    guard ledger != nil else { return false }
    if name == LedgerLayout.regionName { return true }
    guard let root = region(named: name) else { return false }
    return root.byteCount == LedgerLayout.rootByteCount
      && file.ledgerWord(at: root.start.rawValue) == LedgerLayout.rootMagic
  }

  /// Keeps all collections, with their names, their memory and the ledger. Does nothing if the predecessor
  /// had no collections, or if they are kept already.
  ///
  /// - Throws: ``PreservedMemoryError/contents(_:)`` with `changeDamaged` of a ledger that is damaged, and
  ///   as ``keepRegion(named:)``. After an error, this takeover cannot be finished; the old handover stays
  ///   valid, and the next process finds everything.
  /// - Complexity: O(slots + pieces · levels).
  public mutating func keepCollections() throws(PreservedMemoryError) {
    guard let ledger, !isDoneWithCollections else { return }
    let pieces: [LedgerPiece]
    do throws(LedgerDamage) {
      let file = file
      pieces = try ledger.pieces { file.ledgerWord(at: $0) }
    } catch {
      throw .contents(error.contentsError)
    }
    let names = collectionNames
    let roots = names.compactMap { region(named: $0)?.start }
    for piece in pieces where !roots.contains(piece.range.start) { try keep(piece.range) }
    for name in names + [LedgerLayout.regionName] { try keepRegionOfAnyKind(named: name) }
    isDoneWithCollections = true
  }

  /// Gives the collections up: ``finish()`` frees their memory.
  public mutating func dropCollections() { isDoneWithCollections = true }
}
