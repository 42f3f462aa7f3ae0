public import Handover
public import MemoryAccess
public import PreservedPages

/// A stretch of a memfd's content.
public enum MemfdExtent: Hashable, Sendable {
  /// Bytes that lie in memory.
  case stored(PhysicalRange)
  /// As many zeros: a hole, or folios that are not up to date.
  case zeros(byteCount: UInt64)
}

/// Where the content of a memfd lies, from its first byte to its last.
///
/// The stretches together are as long as the record says the file is; that may be up to 2^64 − 1
/// bytes, of which memory holds few.
public struct MemfdExtents<Memory: PhysicalMemory> {
  private let geometry: PageGeometry
  private let byteSize: UInt64
  private var folios: MemfdFolios<Memory>
  private var lookup: PreservedPagesLookup<Memory>
  /// How much of the file was given.
  private var position: UInt64 = 0
  /// A folio that lies behind zeros which were given first.
  private var upcoming: PhysicalRange?
  /// The byte of the file where the next folio may begin.
  private var nextStart: UInt64 = 0
  private var isAtEnd = false

  /// The content of `record`, one of a handover with the entries of `pages`.
  public init(
    of record: MemfdRecord, _ pages: PreservedPagesSurvey, in memory: Memory
  ) {
    geometry = pages.geometry
    byteSize = record.byteSize
    folios = MemfdFolios(of: record, in: memory, geometry: pages.geometry)
    lookup = PreservedPagesLookup(pages, in: memory)
  }

  /// The next stretch; nil at the end of the file.
  ///
  /// - Throws: ``RecordError/folioNotPreserved(_:)``, ``RecordError/folioOutOfOrder(_:pageIndex:)``,
  ///   and where the list breaks a rule or cannot be read.
  public mutating func next() throws(RecordError) -> MemfdExtent? {
    if let range = upcoming {
      upcoming = nil
      position &+= range.byteCount
      return .stored(range)
    }
    while position < byteSize, !isAtEnd {
      guard let folio = try folios.next() else {
        isAtEnd = true
        break
      }
      guard !folio.isHole, let range = try place(of: folio) else { continue }
      let start = folio.pageIndex &<< UInt64(geometry.shift)
      guard start > position else {
        position &+= range.byteCount
        return .stored(range)
      }
      upcoming = range
      let byteCount = start &- position
      position = start
      return .zeros(byteCount: byteCount)
    }
    guard position < byteSize else { return nil }
    let byteCount = byteSize &- position
    position = byteSize
    return .zeros(byteCount: byteCount)
  }

  /// The bytes of `folio` that the file has; nil where they read as zeros, or lie behind its end.
  private mutating func place(of folio: MemfdFolio) throws(RecordError) -> PhysicalRange? {
    guard let entry = lookup.block(holding: folio.address), entry.address == folio.address else {
      throw .folioNotPreserved(folio.address)
    }
    let shift = UInt64(geometry.shift)
    // Behind the end of every file.
    guard folio.pageIndex <= UInt64.max &>> shift else { return nil }
    let start = folio.pageIndex &<< shift
    guard start >= nextStart else {
      throw .folioOutOfOrder(folio.address, pageIndex: folio.pageIndex)
    }
    nextStart = start.addingSaturated(geometry.blockByteCount(entry.order))
    guard folio.isUpToDate, start < byteSize else { return nil }
    return PhysicalRange(
      start: folio.address,
      byteCount: min(geometry.blockByteCount(entry.order), byteSize &- start))
  }
}
