import Handover
import MemoryAccess

extension MemoryOwner {
  /// The owner for people: `memfd 4096 of session "vm", folios`.
  package var title: String { "\(holder.title), \(use.title)" }
}

extension MemoryOwner.Holder {
  /// The holder for people.
  package var title: String {
    switch self {
    case .handover: "root device tree"
    case .record(let owner): owner.title
    case .further: "further owners"
    }
  }

  /// The name of the blob, region or shared data; of a file, that of its session.
  package var name: String? {
    switch self {
    case .handover, .further: nil
    case .record(.subtree(let name)), .record(.region(let name)), .record(.session(let name)),
      .record(.sharedData(let name)), .record(.collection(let name)), .record(.file(let name, _)):
      name
    }
  }

  /// The number of a file.
  package var token: UInt64? {
    if case .record(.file(_, let token)) = self { token } else { nil }
  }

  /// The word that represents the sort of holder in JSON.
  package var kind: String {
    switch self {
    case .handover: "handover"
    case .record(.subtree): "subtree"
    case .record(.region): "reserve-mem"
    case .record(.session): "session"
    case .record(.file): "file"
    case .record(.sharedData): "shared-data"
    case .record(.collection): "collection"
    case .further: "further"
    }
  }
}

extension MemoryOwner.Use {
  /// The use for people.
  package var title: String {
    switch self {
    case .deviceTree: "root device tree"
    case .blob: "blob"
    case .referred(.region): "region"
    case .referred(.chunk): "chunks of a vmalloc area"
    case .referred(.area): "vmalloc area"
    case .referred(.records): "records"
    case .referred(.folio): "folios"
    case .referred(.piece): "entries"
    case .presumed: "presumed record"
    case .any: "all uses"
    }
  }

  /// The word that represents the use in JSON.
  package var word: String {
    switch self {
    case .deviceTree: "fdt"
    case .blob: "blob"
    case .referred(.region): "region"
    case .referred(.chunk): "chunk"
    case .referred(.area): "area"
    case .referred(.records): "records"
    case .referred(.folio): "folio"
    case .referred(.piece): "piece"
    case .presumed: "presumed"
    case .any: "any"
    }
  }
}

extension MemoryOwner: CustomStringConvertible {
  /// The owner and what the memory is for: `file 4096 of session "vm", folios`.
  public var description: String { title }
}
