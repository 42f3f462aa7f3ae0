public import Handover
public import MemoryAccess
import PreservedPages
import ProcessHandover

/// The record of the Live Update Orchestrator, and all that it points to.
public struct LiveUpdateContents: Sendable {
  /// What the record says.
  public let record: LiveUpdateRecord
  /// The data that files of one handler share.
  public internal(set) var sharedData: [LiveUpdateSharedData] = []
  /// The sessions.
  public internal(set) var sessions: [SessionContents] = []
  /// The number of pages, or runs of pages, that hold the records of sessions and of shared data.
  public internal(set) var blockCount: UInt64 = 0

  init(_ record: LiveUpdateRecord) { self.record = record }
}

/// A session and its files.
public struct SessionContents: Sendable {
  /// What the session's record says.
  public let session: LiveUpdateSession
  /// The files.
  public internal(set) var files: [FileContents] = []
  /// The number of pages, or runs of pages, that hold the records of the files.
  public internal(set) var blockCount: UInt64 = 0
  /// Why not all files can be read; nil where they can.
  public internal(set) var error: RecordError?

  init(_ session: LiveUpdateSession) { self.session = session }
}

/// A file of a session.
public struct FileContents: Sendable {
  /// What the file's record says.
  public let file: LiveUpdateFile
  /// What is kept of it; nil of other files than memfds, and where it cannot be read.
  public internal(set) var memfd: MemfdContents?
  /// Why not all of it can be read; nil where it can, and of a file whose handler is not known.
  public internal(set) var error: RecordError?

  init(_ file: LiveUpdateFile) { self.file = file }
}

/// What is kept of a memfd: its record, and a count of its folios.
public struct MemfdContents: Sendable {
  /// What the record says.
  public let record: MemfdRecord
  /// The area in which the folios are listed.
  public internal(set) var area: AreaContents
  /// The number of folios that the list has, holes not included.
  public internal(set) var folioCount: UInt64 = 0
  /// The number of holes that the list has.
  public internal(set) var holeCount: UInt64 = 0
  /// The number of folios that were written to.
  public internal(set) var dirtyCount: UInt64 = 0
  /// The number of folios whose content does not count: it reads as zeros.
  public internal(set) var staleCount: UInt64 = 0
  /// The bytes of all folios, each as large as its entry.
  public internal(set) var folioByteCount: UInt64 = 0
  private var list = CheckValue()
  /// A digest of the list, CRC-64 of each folio's address, place in the file, and flags. Different lists
  /// have different digests, unless a program constructed them to have the same.
  package var listDigest: UInt64 { list.value }
  /// Where the folios are, in the order of the list; empty unless it was asked for.
  public internal(set) var runs: [MemfdRun] = []

  init(_ record: MemfdRecord) {
    self.record = record
    area = AreaContents(record.folios)
  }

  /// Counts a folio or hole; of a folio that is an entry, `order` is the entry's.
  mutating func count(_ folio: MemfdFolio, _ order: PageOrder?, _ geometry: PageGeometry) {
    list.append(folio.address.rawValue)
    list.append(folio.pageIndex)
    list.append((folio.isDirty ? 1 : 0 as UInt8) | (folio.isUpToDate ? 2 : 0))
    guard !folio.isHole else {
      holeCount &+= 1
      return
    }
    folioCount &+= 1
    if folio.isDirty { dirtyCount &+= 1 }
    if !folio.isUpToDate { staleCount &+= 1 }
    folioByteCount = folioByteCount.addingSaturated(geometry.blockByteCount(order ?? .zero))
  }
}

/// Folios of a memfd that follow each other in the file and in memory, and are alike.
public struct MemfdRun: Hashable, Sendable {
  /// The place of the first page in the file, in pages.
  public let pageIndex: UInt64
  /// Where the first folio is.
  public let address: PhysicalAddress
  /// The order of the folios; nil if they are not entries.
  public let order: PageOrder?
  /// The number of folios.
  public internal(set) var folioCount: UInt64
  /// Whether the folios were written to.
  public let isDirty: Bool
  /// Whether their content counts.
  public let isUpToDate: Bool

  /// Takes in `next`, one folio, where it goes on with the same.
  ///
  /// - Returns: whether it does.
  mutating func extend(with next: MemfdRun, _ geometry: PageGeometry) -> Bool {
    guard let order, next.order == order, next.isDirty == isDirty, next.isUpToDate == isUpToDate
    else { return false }
    let (byteCount, overflow) = folioCount.multipliedReportingOverflow(
      by: geometry.blockByteCount(order))
    guard !overflow, next.pageIndex > pageIndex, next.address > address,
      next.pageIndex &- pageIndex == byteCount &>> UInt64(geometry.shift),
      next.address.rawValue &- address.rawValue == byteCount
    else { return false }
    folioCount &+= 1
    return true
  }
}
