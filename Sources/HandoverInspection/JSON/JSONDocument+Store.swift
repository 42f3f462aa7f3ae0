import MemoryAccess
public import MemoryImages
public import PersistentCollections

extension JSONDocument {
  /// The collections of a store: schema `kho-store/1`.
  ///
  /// - Parameters:
  ///   - collections: the collections of the store.
  ///   - reports: the report of the check of each, in the same order; nil if it was not checked.
  ///   - isChanging: whether a process is making a change, or was killed while it made one.
  public static func store(
    _ collections: [StoreInspection<MemoryImage>.Collection], _ reports: [PersistentMapReport?],
    isChanging: Bool
  ) -> JSONValue {
    let described = zip(collections, reports).map { collection, report in
      var findings = (report?.findings ?? []).prefix(100).map { "\($0)" }
      if let failure = collection.failure { findings.append(failure.sentence(in: "its root")) }
      return JSONValue([
        "name": collection.name, "kind": collection.kind?.rawValue,
        "entryCount": collection.count, "value": collection.value.map { "\($0)" },
        "payloadBytes": report?.payloadByteCount ?? 0,
        "memoryBytes": collection.memoryByteCount, "findings": findings,
      ])
    }
    return make("kho-store/1", ["isChanging": isChanging, "collections": described])
  }
}
