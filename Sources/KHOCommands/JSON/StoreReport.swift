internal import KexecHandover
internal import PersistentCollections

extension JSONDocument {
  /// What `kho store --json` prints: schema `kho-store/1`.
  ///
  /// - Parameter isChanging: whether a change is being made, or its process was killed in it.
  static func store(
    _ collections: [StoreInspection<MemoryImage>.Collection], _ reports: [PersistentMapReport?],
    isChanging: Bool
  ) -> JSONValue {
    make(
      "kho-store/1",
      [
        "isChanging": isChanging,
        "collections": zip(collections, reports).map { collection, report in
          JSONValue([
            "name": collection.name, "kind": collection.kind?.rawValue,
            "entryCount": collection.count, "payloadBytes": report?.payloadByteCount ?? 0,
            "memoryBytes": collection.pieces.reduce(collection.root.byteCount) {
              $0 &+ $1.byteCount
            },
            "findings": (report?.findings ?? []).prefix(100).map { "\($0)" }
              + (collection.failure.map { [$0.sentence(in: "its root")] } ?? []),
          ])
        },
      ])
  }
}
