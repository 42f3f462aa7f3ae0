public import MemoryAccess
public import ProcessHandover

/// Why a persistent collection cannot be had, or cannot do what was asked. Nothing has changed then.
public enum PersistentCollectionError: Error, Equatable, Sendable {
  /// The collection's limit leaves no room: remove something, or raise the limit.
  case limitReached
  /// The memory under the collection is full, or cannot do what it should.
  case memory(PreservedMemoryError)
  /// The contents at the address are invalid: another program has written the memory.
  case damaged(PhysicalAddress)
  /// The collection was made in a layout that this version does not know.
  case unknownLayout(version: UInt64)
  /// There is something else than such a collection under the name.
  case notThisCollection
  /// The key or the value is longer than a collection can hold.
  case tooLarge
  /// The transaction changes more than can be undone.
  case transactionTooLarge
}
