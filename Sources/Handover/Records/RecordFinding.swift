public import MemoryAccess
public import PreservedPages

/// Something wrong with a record, or with the memory that it refers to.
public enum RecordFinding: Error, Hashable, Sendable {
  /// A record breaks a rule; what it refers to behind that is not known.
  case malformed(RecordOwner, RecordError)
  /// A record has a format that is not known, so what it refers to is not known either.
  case formatUnknown(RecordOwner, String)
  /// A record refers to where there is no memory.
  case outsideMemory(RecordReference)
  /// A record refers to memory of which a page is no entry; the first such page.
  case notPreserved(RecordReference, page: PhysicalAddress)
  /// A record refers to a folio, and the entry there is a block of another start or order.
  case entryDiffers(RecordReference, entry: PhysicalBlock)
  /// The records have, or refer to, more bytes than memory, so some were reached more than once;
  /// reading ended there.
  case moreRecordsThanMemory

  /// How much the finding matters.
  public var severity: FindingSeverity {
    if case .formatUnknown = self { .note } else { .error }
  }

  /// How many kinds there are.
  package static var kindCount: Int { 6 }

  /// A small number for each kind, below ``kindCount``, so that a list can be bounded kind by kind.
  package var kind: Int {
    switch self {
    case .malformed: 0
    case .formatUnknown: 1
    case .outsideMemory: 2
    case .notPreserved: 3
    case .entryDiffers: 4
    case .moreRecordsThanMemory: 5
    }
  }
}
