public import KexecHandover
public import PersistentCollections

/// Why there is no cache in a memory file. The file is as it was.
public enum CacheOpenError: Error, Equatable, Sendable {
  /// The file cannot be used.
  case memory(PreservedMemoryError)
  /// The map in it cannot be used.
  case map(PersistentCollectionError)
  /// The file holds something else: what it has under those names.
  case foreign(names: [String])
  /// Another version of the server has made it, and this one does not read that.
  case unknownLayout(UInt64)
  /// The region with the figures is not as any version writes it.
  case booksDamaged

  /// The layout that this version reads.
  public static var knownLayout: UInt64 { PreservedBooks.version }
}
