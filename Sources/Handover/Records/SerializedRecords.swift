public import MemoryAccess

/// Where records of one size are, whose contents the reader knows.
@nonexhaustive
public enum SerializedRecords: Hashable, Sendable {
  /// In linked pages from the first on, 0 meaning none (`kho-v4`).
  ///
  /// ```
  /// block, one page: | next block | count | record | record | …
  /// ```
  ///
  /// Source: `FormatBlocks.md`.
  case blocks(first: PhysicalAddress)
  /// In one run behind a header of that many bytes, which the range holds as well (`kho-v3`).
  case run(PhysicalRange, headerByteCount: Int, count: UInt64)

  /// A run of `count` records of `recordByteCount` bytes behind a header at `start`.
  ///
  /// - Throws: ``RecordError/rangeImpossible(start:byteCount:)`` where it passes 2^64 bytes.
  static func run(
    at start: PhysicalAddress, headerByteCount: Int = 0, recordByteCount: Int, count: UInt64
  ) throws(RecordError) -> SerializedRecords {
    let (records, tooMany) = count.multipliedReportingOverflow(by: UInt64(recordByteCount))
    let (byteCount, overflow) = records.addingReportingOverflow(UInt64(headerByteCount))
    guard !tooMany, !overflow,
      let range = PhysicalRange(checkedStart: start, byteCount: byteCount)
    else { throw .rangeImpossible(start: start, byteCount: tooMany || overflow ? .max : byteCount) }
    return .run(range, headerByteCount: headerByteCount, count: count)
  }
}

/// Finds the records of ``SerializedRecords`` in untrusted memory, in order.
public struct SerializedRecordCursor<Memory: PhysicalMemory> {
  /// What comes next.
  public enum Step: Hashable, Sendable {
    /// Memory that holds records, before anything in it.
    case pages(PhysicalRange)
    /// A record.
    case record(PhysicalAddress)
  }

  /// The most blocks in a chain, as Linux has it.
  public static var blockLimit: Int { 10_000 }

  private let memory: Memory
  private let geometry: PageGeometry
  private let recordByteCount: UInt64

  /// Where the next record is and how many follow without a gap.
  private var upcoming = PhysicalAddress.zero
  private var recordCount: UInt64 = 0
  private var run: PhysicalRange?
  private var nextBlock = PhysicalAddress.zero
  /// Where the pointer to the next block is; nil of the first.
  private var link: PhysicalAddress?
  private var announced: PhysicalAddress?
  private var chain = ChainGuard()
  private var blockCount = 0

  /// The records, of `recordByteCount` bytes each.
  ///
  /// - Precondition: a record has at least one byte.
  public init(
    _ records: SerializedRecords, recordByteCount: Int, in memory: Memory, geometry: PageGeometry
  ) {
    require(that: recordByteCount > 0, "records of nothing")
    self.memory = memory
    self.geometry = geometry
    self.recordByteCount = UInt64(recordByteCount)
    switch records {
    case .blocks(let first):
      nextBlock = first
    case .run(let range, let headerByteCount, let count):
      guard !range.isEmpty else { return }
      run = range
      upcoming = PhysicalAddress(range.start.rawValue &+ UInt64(headerByteCount))
      recordCount = count
    }
  }

  /// The next pages or record; nil after the last.
  ///
  /// - Throws: ``RecordError`` if a block breaks a rule; what was returned before is valid.
  /// - Complexity: O(1).
  public mutating func next() throws(RecordError) -> Step? {
    if let range = run {
      run = nil
      return .pages(range)
    }
    if let block = announced {
      announced = nil
      try readHeader(of: block)
    }
    if recordCount > 0 {
      let record = upcoming
      recordCount &-= 1
      upcoming = PhysicalAddress(record.rawValue &+ recordByteCount)
      return .record(record)
    }
    guard nextBlock != .zero else { return nil }
    let block = nextBlock
    guard geometry.isPageAligned(block) else { throw .pointerUnaligned(block, in: link) }
    guard chain.advance(to: block) else { throw .chainCycle(block) }
    guard blockCount < Self.blockLimit else { throw .chainTooLong(limit: Self.blockLimit) }
    blockCount &+= 1
    announced = block
    return .pages(geometry.page(at: block))
  }

  /// The next record, passing over pages; nil after the last.
  ///
  /// - Throws: ``RecordError`` if a block breaks a rule.
  public mutating func nextRecord() throws(RecordError) -> PhysicalAddress? {
    while let step = try next() {
      if case .record(let place) = step { return place }
    }
    return nil
  }

  private mutating func readHeader(of block: PhysicalAddress) throws(RecordError) {
    let headerByteCount = 16
    let (next, count) = try memory.withRecord(at: block, byteCount: headerByteCount) {
      ($0.word(atByte: 0) ?? 0, $0.word(atByte: 8) ?? 0)
    }
    let capacity = UInt64(geometry.pageByteCount &- headerByteCount) / recordByteCount
    guard count > 0 else { throw .blockEmpty(block) }
    guard count <= capacity else {
      throw .blockCountTooLarge(block, count: count, capacity: capacity)
    }
    nextBlock = PhysicalAddress(next)
    link = block
    upcoming = PhysicalAddress(block.rawValue &+ UInt64(headerByteCount))
    recordCount = count
  }
}
