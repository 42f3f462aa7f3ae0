public import MemoryAccess
public import ProcessHandover

/// Why a persistent collection cannot be had, or cannot do what was asked. Nothing has changed then.
@nonexhaustive
public enum PersistentCollectionError: Error, Equatable, Sendable {
  /// The collection's limit leaves no room: remove something, or raise the limit.
  case limitReached
  /// The memory under the collection is full, or cannot do what it should.
  case memory(PreservedMemoryError)
  /// The contents at the address are invalid: another program has written the memory.
  case damaged(PhysicalAddress)
  /// The collection was made in a layout that this version does not know.
  case unknownLayout(version: UInt64)
  /// The name is not that of such a collection.
  case notThisCollection
  /// The key or the value is longer than a collection can hold.
  case tooLarge
  /// The transaction changes more than can be undone.
  case transactionTooLarge
  /// The store was opened only to be read.
  case readOnly
  /// Another process changed the store each time that it was read; the next attempt may succeed.
  case changing
}

extension PersistentCollectionError {
  /// The same of a ledger that cannot be read.
  init(_ damage: LedgerDamage) {
    self = damage.unknownVersion.map { .unknownLayout(version: $0) } ?? .damaged(damage.address)
  }
}

extension PersistentCollectionError: CustomStringConvertible {
  /// What happened, as a part of a sentence.
  public var description: String {
    switch self {
    case .limitReached: "the collection has reached its limit"
    case .memory(let error): error.sentence
    case .damaged(let address): "the collection is damaged at \(address)"
    case .unknownLayout(let version):
      "the collection is of layout \(version), which this version does not read"
    case .notThisCollection:
      "the name is that of something else, or of a collection of another kind or other types"
    case .tooLarge: "the key or the value is larger than a collection can hold"
    case .transactionTooLarge: "the transaction changes more than can be undone"
    case .readOnly: "the store was opened only to be read"
    case .changing: "another process changed the store each time that it was read; try again"
    }
  }
}
