/// A collection in the memory file of a process, as its root and the ledger describe it.
public struct CollectionContents: Hashable, Sendable {
  /// What it is: `map`, `orderedMap`, `log`, `value` or `counter`.
  public let kind: String
  /// The number of its entries.
  public let entryCount: UInt64
  /// The number of pieces of memory that the ledger records for it, its root not among them.
  public let pieceCount: Int
  /// The size of the pieces, in bytes.
  public let byteCount: UInt64
}

/// The ledger of the collections in the memory file of a process.
public struct LedgerContents: Hashable, Sendable {
  /// The number of collections.
  public let collectionCount: Int
  /// The number of pieces of memory that the ledger records for collections.
  public let pieceCount: Int
  /// The size of the pieces, in bytes.
  public let byteCount: UInt64
  /// Whether a process is making a change, or was killed while it made one.
  public let isChanging: Bool
}
