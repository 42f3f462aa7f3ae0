public import PersistentCollections
public import ProcessHandover

/// Why a memory file cannot be opened as a cache. The file is unchanged.
public enum CacheOpenError: Error, Equatable, Sendable {
  /// The file cannot be used.
  case memory(PreservedMemoryError)
  /// The map in it cannot be used.
  case map(PersistentCollectionError)
  /// The file belongs to another program: the names of its contents.
  case foreign(names: [String])
  /// Another version of the server made the file, in a layout that this version does not read.
  case unknownLayout(UInt64)
  /// The region of the ledger has contents that no version writes.
  case ledgerDamaged
}

extension CacheOpenError: CustomStringConvertible {
  /// What was found, as it follows the path of the file.
  public var description: String {
    switch self {
    case .memory(let error), .map(.memory(let error)): "\(error)"
    case .map(let error): "its map cannot be used: \(error)"
    case .foreign(let names):
      "it is the memory of another program, with "
        + names.prefix(3).map(Self.printable).joined(separator: ", ") + " in it"
    case .unknownLayout(let version):
      "another version of this server has made it, with layout \(version); this one reads layouts "
        + "\(CacheLedger.oldVersion) and \(CacheLedger.version)"
    case .ledgerDamaged: "it is damaged: its figures are not what any version writes"
    }
  }

  /// The text with a question mark for each character that is not printable ASCII.
  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.map { (" "..."~").contains($0) ? Character($0) : "?" })
  }
}
