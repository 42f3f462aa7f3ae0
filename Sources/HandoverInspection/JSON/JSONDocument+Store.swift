import MemoryAccess
public import MemoryImages
public import PersistentCollections

extension JSONDocument {
  /// The collections of a store: schema `kho-store/1`.
  ///
  /// - Parameters:
  ///   - collections: the collections of the store.
  ///   - reports: what is in each of them, in the same order; nil of one that was not checked.
  ///   - isChanging: whether a change is being made, or its process was killed in it.
  public static func store(
    _ collections: [StoreInspection<MemoryImage>.Collection], _ reports: [PersistentMapReport?],
    isChanging: Bool
  ) -> JSONValue {
    let described = zip(collections, reports).map { collection, report in
      let memory = collection.pieces.reduce(collection.root.byteCount) { $0 &+ $1.byteCount }
      var findings = (report?.findings ?? []).prefix(100).map { "\($0)" }
      if let failure = collection.failure { findings.append(failure.sentence(in: "its root")) }
      return JSONValue([
        "name": collection.name, "kind": collection.kind?.rawValue,
        "entryCount": collection.count, "payloadBytes": report?.payloadByteCount ?? 0,
        "memoryBytes": memory, "findings": findings,
      ])
    }
    return make("kho-store/1", ["isChanging": isChanging, "collections": described])
  }
}
