public import MemoryAccess

/// Data that all files of a handler share (Linux: file-lifecycle-bound, FLB).
///
/// ```
/// byte 0 name (48 bytes)   48 data   56 number of files that use it
/// ```
///
/// Source: `FormatLiveUpdate.md`.
public struct LiveUpdateSharedData: Hashable, Sendable {
  package static var byteCount: Int { 64 }

  /// The name of the one who knows the data.
  public let name: String
  /// What they noted.
  public let data: UInt64
  /// The number of files that use it.
  public let count: UInt64

  /// Reads the record at `address`.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(RecordError) {
    let (name, data, count) = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      ($0.text(atByte: 0, byteCount: 48), $0.word(atByte: 48) ?? 0, $0.word(atByte: 56) ?? 0)
    }
    guard let name else { throw .textMalformed(address) }
    self.name = name
    self.data = data
    self.count = count
  }
}

/// The header before the records of shared data: how many pages it and they take.
public struct LiveUpdateSharedDataHeader: Hashable, Sendable {
  package static var byteCount: Int { 16 }

  /// The records behind the header, and the pages that hold them.
  public let records: SerializedRecords

  /// Reads the header at `address`.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory, geometry: PageGeometry
  ) throws(RecordError) {
    let (pageCount, count) = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      ($0.word(atByte: 0) ?? 0, $0.word(atByte: 8) ?? 0)
    }
    let (byteCount, overflow) = pageCount.multipliedReportingOverflow(
      by: UInt64(geometry.pageByteCount))
    guard !overflow, byteCount > 0,
      let range = PhysicalRange(checkedStart: address, byteCount: byteCount)
    else { throw .rangeImpossible(start: address, byteCount: overflow ? .max : byteCount) }
    let capacity = (byteCount &- UInt64(Self.byteCount)) / UInt64(LiveUpdateSharedData.byteCount)
    guard count <= capacity else { throw .elementCountTooLarge(count, capacity: capacity) }
    records = .run(range, headerByteCount: Self.byteCount, count: count)
  }
}
