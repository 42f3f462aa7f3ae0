internal import KexecHandover
internal import PersistentCollections

/// What `kho store --json` prints: schema `kho-store/1`.
struct StoreReport: Encodable {
  struct Collection: Encodable {
    let name: String
    let kind: String?
    let entries: UInt64
    let payloadBytes: UInt64
    let memoryBytes: UInt64
    let findings: [String]
  }

  let schema = "kho-store/1"
  /// Whether a change is being made, or its process was killed in it.
  let changing: Bool
  let collections: [Collection]

  init(
    _ collections: [StoreInspection<MemoryImage>.Collection], _ reports: [PersistentMapReport?],
    isChanging: Bool
  ) {
    changing = isChanging
    self.collections = zip(collections, reports).map { collection, report in
      Collection(
        name: collection.name, kind: collection.kind?.rawValue, entries: collection.count,
        payloadBytes: report?.payloadByteCount ?? 0,
        memoryBytes: collection.pieces.reduce(collection.root.byteCount) { $0 &+ $1.byteCount },
        findings: (report?.findings ?? []).prefix(100).map { "\($0)" }
          + (collection.failure.map { [$0.sentence(in: "its root")] } ?? []))
    }
  }

  private enum CodingKeys: CodingKey { case schema, changing, collections }
}
