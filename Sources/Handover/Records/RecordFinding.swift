public import MemoryAccess
public import PreservedPages

/// Something wrong with a record, or with the memory that it refers to.
@nonexhaustive
public enum RecordFinding: Error, Hashable, Sendable {
  /// A record breaks a rule; what it refers to behind that is not known.
  case malformed(RecordOwner, RecordError)
  /// A record has a format that is not known, so what it refers to is not known either.
  case formatUnknown(RecordOwner, String)
  /// A record refers to bytes outside memory.
  case outsideMemory(RecordReference)
  /// A record refers to memory that is not preserved; `page` is the first page that is not an entry.
  case notPreserved(RecordReference, page: PhysicalAddress)
  /// A record refers to a folio, and the entry there is a block of another start or order.
  case entryDiffers(RecordReference, entry: PhysicalBlock)
  /// Two sessions have one name, or two files of a session one token; only one of them is found.
  case nameRepeated(RecordOwner)
  /// A record refers to memory that another record, or the same one, refers to as well: what is restored once
  /// cannot be restored again.
  case referredTwice(RecordReference)
  /// What is kept of a memfd breaks a rule.
  case memfd(RecordOwner, MemfdFault)
  /// The checksum of the kernel's self-test is not that of its folios.
  case checksumWrong(RecordOwner, stored: UInt32, computed: [UInt32])
  /// The page of a block is not empty behind the records that the block counts: records may have been lost.
  case recordsUncounted(RecordOwner, block: PhysicalAddress)
  /// What a record contains is damaged: where, and what was found there, as a part of a sentence.
  case contentDamaged(RecordOwner, PhysicalAddress, String)
  /// The records have, or refer to, more bytes than memory, so some were reached more than once;
  /// reading ended there.
  case moreRecordsThanMemory

  /// How much the finding matters.
  public var severity: FindingSeverity {
    switch self {
    case .formatUnknown, .memfd(_, .outOfOrder): .note
    case .recordsUncounted, .memfd(_, .pagesMissing), .memfd(_, .contentUndefined): .warning
    default: .error
    }
  }

  /// A small number for each kind, so that a list can be bounded kind by kind.
  package var kind: Int {
    switch self {
    case .malformed: 0
    case .formatUnknown: 1
    case .outsideMemory: 2
    case .notPreserved: 3
    case .entryDiffers: 4
    case .moreRecordsThanMemory: 5
    case .nameRepeated: 6
    case .referredTwice: 7
    case .memfd: 8
    case .checksumWrong: 9
    case .recordsUncounted: 10
    case .contentDamaged: 11
    }
  }
}

/// A rule that what is kept of a memfd breaks.
@nonexhaustive
public enum MemfdFault: Hashable, Sendable {
  /// No file can be that large: sizes are signed.
  case sizeImpossible(UInt64)
  /// A folio is behind the end of the file, so its content is lost.
  case indexBeyondEnd(PhysicalAddress, pageIndex: UInt64)
  /// A folio's place in the file is not a multiple of its size.
  case indexUnaligned(PhysicalAddress, pageIndex: UInt64)
  /// A folio has the place, or a part of the place, of another one.
  case indicesOverlap(PhysicalAddress, pageIndex: UInt64)
  /// The folios are listed in another order than that of the file, which Linux does not write and accepts.
  case outOfOrder(PhysicalAddress, pageIndex: UInt64)
  /// Seals that no kernel sets.
  case sealsUnknown(UInt32)
  /// Flags that no kernel sets.
  case flagsUnknown(UInt32)
  /// So many pages of the file are not listed, and read as zeros. Linux allocates and lists all of them. `first` is
  /// the number of the first one, counted from 0; nil if the list is too long to find it.
  case pagesMissing(UInt64, first: UInt64?)
  /// A folio is marked as never written or never filled, so its content is lost. Since 7.2, Linux marks every
  /// folio as both.
  case contentUndefined(PhysicalAddress, pageIndex: UInt64)
}
