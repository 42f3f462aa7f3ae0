public import Handover
public import MemoryAccess
public import PreservedPages

/// A stretch of a memfd's content.
public enum MemfdExtent: Hashable, Sendable {
  /// Bytes that are in memory.
  case stored(PhysicalRange)
  /// As many zeros: a hole, or folios that are not up to date.
  case zeros(byteCount: UInt64)
}

/// Where the content of a memfd is, from its first byte to its last.
///
/// The stretches together are as long as the record says the file is; that may be up to 2^64 − 1
/// bytes, of which memory holds few.
public struct MemfdExtents<Memory: PhysicalMemory> {
  private let geometry: PageGeometry
  private let byteSize: UInt64
  private var folios: MemfdFolios<Memory>
  /// The folios in the order of the file, where the list is in another; nil where it is not, or nothing was
  /// read yet.
  private var sorted: ArraySlice<MemfdFolio>?
  private var isPrepared = false
  private var seen = PageSet()

  /// The most folios of a list that is not in the order of the file.
  private static var unorderedLimit: Int { 1 << 22 }
  private var lookup: PreservedPagesLookup<Memory>
  /// How much of the file was given.
  private var position: UInt64 = 0
  /// A folio that is behind zeros which were given first.
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
  /// The folios may be listed in any order: as in Linux, each has the place that its record gives.
  ///
  /// - Throws: `RecordError.folioNotPreserved(_:)`, `RecordError.folioOutOfOrder(_:pageIndex:)`,
  ///   `RecordError.folioRepeated(_:)`, `RecordError.folioBeyondEnd(_:pageIndex:)`, and where the list
  ///   breaks a rule or cannot be read.
  public mutating func next() throws(RecordError) -> MemfdExtent? {
    if !isPrepared { prepare() }
    if let range = upcoming {
      upcoming = nil
      position &+= range.byteCount
      return .stored(range)
    }
    while position < byteSize, !isAtEnd {
      guard let folio = try nextFolio() else {
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
    // What is listed behind the end of the file is a fault too.
    while !isAtEnd {
      guard let folio = try nextFolio() else {
        isAtEnd = true
        break
      }
      if !folio.isHole { _ = try place(of: folio) }
    }
    guard position < byteSize else { return nil }
    let byteCount = byteSize &- position
    position = byteSize
    return .zeros(byteCount: byteCount)
  }

  /// Finds out whether the list is in the order of the file, and sorts it where it is not.
  private mutating func prepare() {
    isPrepared = true
    var list = folios
    var last: UInt64?
    var isOrdered = true
    while isOrdered, let folio = try? list.next() {
      if folio.isHole { continue }
      if let last, folio.pageIndex <= last { isOrdered = false }
      last = folio.pageIndex
    }
    guard !isOrdered else { return }
    list = folios
    var all: [MemfdFolio] = []
    // Of a list that is longer, or cannot be read, the order in which it is counts: it ends with an error.
    do throws(RecordError) {
      while let folio = try list.next() {
        guard all.count < Self.unorderedLimit else { return }
        if !folio.isHole { all.append(folio) }
      }
    } catch {
      return
    }
    // Of two with one place, the one listed first comes first.
    sorted =
      all.enumerated().sorted {
        ($0.element.pageIndex, $0.offset) < ($1.element.pageIndex, $1.offset)
      }
      .map(\.element)[...]
  }

  private mutating func nextFolio() throws(RecordError) -> MemfdFolio? {
    if sorted != nil { return sorted?.popFirst() }
    return try folios.next()
  }

  /// The bytes of `folio` that the file has; nil where they read as zeros.
  private mutating func place(of folio: MemfdFolio) throws(RecordError) -> PhysicalRange? {
    guard let entry = lookup.block(holding: folio.address), entry.address == folio.address else {
      throw .folioNotPreserved(folio.address)
    }
    let shift = UInt64(geometry.shift)
    guard seen.insert(folio.address.rawValue &>> shift) else {
      throw .folioRepeated(folio.address)
    }
    let start = folio.pageIndex &<< shift
    guard folio.pageIndex <= UInt64.max &>> shift, start < byteSize else {
      throw .folioBeyondEnd(folio.address, pageIndex: folio.pageIndex)
    }
    guard start >= nextStart else {
      throw .folioOutOfOrder(folio.address, pageIndex: folio.pageIndex)
    }
    nextStart = start.addingSaturated(geometry.blockByteCount(entry.order))
    guard folio.isUpToDate else { return nil }
    return PhysicalRange(
      start: folio.address,
      byteCount: min(geometry.blockByteCount(entry.order), byteSize &- start))
  }
}
