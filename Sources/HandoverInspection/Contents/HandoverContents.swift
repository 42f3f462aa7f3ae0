public import Handover
public import MemoryAccess

/// What the registered blobs of a handover hold, as far as it can be read.
///
/// A malformed record is reported in ``findings`` and in its place. The other records are read.
public struct HandoverContents: Sendable {
  /// How much is read.
  public struct Options: Hashable, Sendable {
    /// Whether to keep where each stretch of a memfd is.
    public var keepsPageMaps = false
    /// The most sessions, files, shared data and folios of the self-test that are kept, and the most
    /// stretches of memfds.
    public var recordLimit = 1 << 16
    /// The only file that is kept, with its session; nil for all. What is left out for it is not
    /// counted.
    public var keptFile: RecordOwner?
    /// Whether the folios of the self-test are read, to compare their checksum.
    public var readsFolios = true
    /// The defaults.
    public init() {}
  }

  /// The blobs, in the order of the device tree.
  public internal(set) var subtrees: [SubtreeContents] = []
  /// What is wrong with the records, and with the memory they refer to.
  public internal(set) var findings = RecordFindingList()
  /// How many records were read, and not kept.
  public internal(set) var omittedRecordCount: UInt64 = 0
}

/// A registered blob and what it holds.
public struct SubtreeContents: Sendable {
  /// The blob, as the device tree lists it.
  public let subtree: HandoverSurvey.Subtree
  /// The record; nil of a blob whose name is not known, and where the record cannot be read.
  public internal(set) var record: Record?
  /// Why the record, or memory that it points to, cannot be read; nil if all of it was read.
  public internal(set) var error: RecordError?
  /// The first bytes of the blob, as many as are known to be its own.
  public internal(set) var head: [UInt8] = []

  /// How many bytes ``head`` has at most.
  public static var largestHeadByteCount: Int { 64 }

  /// A record of a known format.
  @nonexhaustive
  public enum Record: Sendable {
    /// The regions of `reserve_mem`.
    case memblock([MemblockRecord.Region])
    /// What the predecessor recorded about itself.
    case kexecMetadata(KexecMetadata)
    /// The kernel's self-test.
    case khoTest(KHOTestContents)
    /// The Live Update Orchestrator.
    case liveUpdate(LiveUpdateContents)
    /// An area under a name of its own.
    case area(AreaContents)
    /// The ledger of the collections in a memory file.
    case ledger(LedgerContents)
    /// A collection in a memory file.
    case collection(CollectionContents)
  }
}

/// A vmalloc area, and what its chunks hold.
public struct AreaContents: Hashable, Sendable {
  /// What the descriptor says.
  public let area: VmallocArea
  /// The number of chunks that were reached.
  public internal(set) var chunkCount: UInt64 = 0
  /// The number of blocks that they name.
  public internal(set) var blockCount: UInt64 = 0

  init(_ area: VmallocArea) { self.area = area }

  /// Counts a chunk, or a block.
  mutating func count(_ role: RecordReference.Role) {
    if role == .chunk { chunkCount &+= 1 } else { blockCount &+= 1 }
  }
}

/// The record of the kernel's self-test.
public struct KHOTestContents: Sendable {
  /// What the record says.
  public let record: KHOTestRecord
  /// The area in which the folios are listed.
  public internal(set) var area: AreaContents
  /// The folios.
  public internal(set) var folios: [PhysicalBlock] = []

  init(_ record: KHOTestRecord) {
    self.record = record
    area = AreaContents(record.folios)
  }
}
