import Handover
import MemoryAccess

extension PreservedMemory {
  /// The ledger of the collections in this memory, made if it does not exist.
  ///
  /// - Throws: ``PreservedMemoryError/contents(_:)`` with `changeDamaged` of a ledger that is damaged,
  ///   and as ``makeRegion(named:byteCount:_:)``.
  package mutating func ledger() throws(PreservedMemoryError) -> MemoryLedger {
    // A program that does not know of ledgers would free the memory of the collections.
    outgoing.anchor.require(feature: SuperblockLayout.ledgerFeature)
    let start: PhysicalAddress
    if let found = try region(named: LedgerLayout.regionName) {
      guard found.byteCount == LedgerLayout.byteCount else { throw .contents(.changeDamaged) }
      start = found.start
    } else {
      let identity = UInt64.random(in: 1 ... .max)
      start = try makeRegion(
        named: LedgerLayout.regionName, byteCount: LedgerLayout.byteCount
      ) { LedgerLayout.fill(&$0, identity: identity) }.start
    }
    do throws(LedgerDamage) { return try MemoryLedger(at: start, in: file) } catch {
      throw .contents(error.contentsError)
    }
  }
}
