public import MemoryAccess

/// One folio of a memfd; its order is that of its entry.
///
/// ```
/// byte 0 frame number (bits 0…51), dirty (bit 52), up to date (bit 53)   8 page index in the file
/// ```
///
/// Source: `FormatLiveUpdate.md`, memfd-v2.
public struct MemfdFolio: Hashable, Sendable {
  package static var byteCount: Int { 16 }

  /// Where the folio is; 0 of a hole.
  public let address: PhysicalAddress
  /// Whether it was written to.
  public let isDirty: Bool
  /// Whether its content counts; otherwise it reads as zeros.
  public let isUpToDate: Bool
  /// The place of its first page in the file, in pages.
  public let pageIndex: UInt64

  /// A folio of the file; the address 0 means a hole.
  public init(
    address: PhysicalAddress, pageIndex: UInt64, isDirty: Bool = true, isUpToDate: Bool = true
  ) {
    self.address = address
    self.isDirty = isDirty
    self.isUpToDate = isUpToDate
    self.pageIndex = pageIndex
  }

  /// The record's first word.
  func word(in geometry: PageGeometry) -> UInt64 {
    FrameNumber(containing: address, in: geometry).rawValue
      | (isDirty ? 1 &<< 52 : 0) | (isUpToDate ? 1 &<< 53 : 0)
  }

  /// Whether the record is that of a hole.
  public var isHole: Bool { address == .zero }
}

/// Reads the folios of a memfd, one at a time: a large file has hundreds of millions.
public struct MemfdFolios<Memory: PhysicalMemory> {
  private let geometry: PageGeometry
  private var words: VmallocWords<Memory>
  private var remainingCount: UInt64

  /// The folios of `record`.
  public init(of record: MemfdRecord, in memory: Memory, geometry: PageGeometry) {
    self.geometry = geometry
    words = VmallocWords(record.folios, in: memory, geometry: geometry)
    remainingCount = record.folioCount
  }

  /// The next folio or hole; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the list breaks a rule or cannot be read.
  public mutating func next() throws(RecordError) -> MemfdFolio? {
    guard remainingCount > 0, let (word, place) = try words.next(),
      let (index, _) = try words.next()
    else { return nil }
    remainingCount &-= 1
    let frame = word & ((1 as UInt64) &<< 52 &- 1)
    guard frame <= UInt64.max &>> UInt64(geometry.shift) else {
      throw .blockImpossible(word, in: place)
    }
    return MemfdFolio(
      address: FrameNumber(frame).address(in: geometry), pageIndex: index,
      isDirty: word &>> 52 & 1 != 0, isUpToDate: word &>> 53 & 1 != 0)
  }
}
