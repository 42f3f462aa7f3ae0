/// A collection in the memory file of a process, as its root and the ledger describe it.
public struct CollectionContents: Hashable, Sendable {
  /// What it is: map, orderedMap, log, value or counter.
  public let kind: String
  /// The number of its entries.
  public let entryCount: UInt64
  /// The number of pieces of memory that the ledger records for it, its root not among them.
  public let pieceCount: Int
  /// How many bytes the pieces have.
  public let byteCount: UInt64
}

/// The ledger of the collections in the memory file of a process.
public struct LedgerContents: Hashable, Sendable {
  /// How many collections there are.
  public let collectionCount: Int
  /// How many pieces of memory the ledger records for collections.
  public let pieceCount: Int
  /// How many bytes the pieces have.
  public let byteCount: UInt64
  /// Whether a process was in the middle of a change, or was killed in one.
  public let isChanging: Bool
}
