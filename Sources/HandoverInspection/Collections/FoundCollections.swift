import Handover
import MemoryAccess
import PersistentCollections
import ProcessHandover

/// The collections among the blobs of a handover.
struct FoundCollections<Memory: PhysicalMemory> {
  /// The ledger and its collections; nil without a ledger that can be read.
  let store: StoreInspection<Memory>?
  /// Why the ledger cannot be read; nil if it can, and for a handover without a ledger.
  let failure: PersistentCollectionError?
  /// The addresses of the roots.
  private let roots: Set<UInt64>

  init(_ subtrees: [RootDeviceTree.Subtree], in memory: Memory) {
    roots = Set(
      subtrees.map(\.address.rawValue).filter {
        memory.ledgerWord(at: $0) == LedgerLayout.rootMagic
      })
    guard subtrees.contains(where: { $0.name == LedgerLayout.regionName }) else {
      store = nil
      failure = nil
      return
    }
    do throws(PersistentCollectionError) {
      store = try StoreInspection(subtrees, byteCount: memory.byteCount, in: memory)
      failure = nil
    } catch {
      store = nil
      failure = error
    }
  }

  /// Whether the blob is the ledger.
  func isLedger(_ subtree: RootDeviceTree.Subtree) -> Bool {
    subtree.name == LedgerLayout.regionName
  }

  /// Whether the blob is the root of a collection.
  func isRoot(_ subtree: RootDeviceTree.Subtree) -> Bool {
    roots.contains(subtree.address.rawValue)
  }
}
