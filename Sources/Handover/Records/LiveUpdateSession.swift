public import MemoryAccess

/// A session of the Live Update Orchestrator: preserved files under a name.
///
/// ```
/// byte 0 name (64 bytes)   64 files   72 number of files
/// ```
///
/// Source: `FormatLiveUpdate.md`.
public struct LiveUpdateSession: Hashable, Sendable {
  package static var byteCount: Int { 80 }

  /// The session's name.
  public let name: String
  /// Where the records of the files begin; 0 without files.
  public let files: PhysicalAddress
  /// The number of files.
  public let fileCount: UInt64

  /// Reads the record at `address`.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(RecordError) {
    let (name, files, count) = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      ($0.text(atByte: 0, byteCount: 64), $0.word(atByte: 64) ?? 0, $0.word(atByte: 72) ?? 0)
    }
    guard let name else { throw .textMalformed(address) }
    self.name = name
    self.files = PhysicalAddress(files)
    fileCount = count
  }

  /// The most bytes of a session's name.
  public static var largestNameByteCount: Int { 63 }

  /// A session whose files' records start at `files`.
  ///
  /// - Precondition: the name has 1 to 63 bytes of UTF-8, none of them 0.
  public init(name: String, files: PhysicalAddress, fileCount: UInt64) {
    require(
      that: name.canBeWritten(atMost: Self.largestNameByteCount),
      "a session's name that cannot be written")
    self.name = name
    self.files = files
    self.fileCount = fileCount
  }

  /// Writes the record at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  func write(to bytes: inout MutableRawSpan) {
    bytes.store(text: name, atByte: 0)
    bytes.storeBytes(of: files.rawValue, toByteOffset: 64, as: UInt64.self)
    bytes.storeBytes(of: fileCount, toByteOffset: 72, as: UInt64.self)
  }

  /// Where the records of the files are, in a record of that format.
  ///
  /// - Throws: ``RecordError`` if no memory could hold them.
  public func fileRecords(
    _ format: LiveUpdateRecord.Format
  ) throws(RecordError) -> SerializedRecords {
    guard files != .zero || fileCount == 0 else { throw .elementsMissing(count: fileCount) }
    switch format {
    case .deviceTree:
      return try .run(at: files, recordByteCount: LiveUpdateFile.byteCount, count: fileCount)
    case .structure:
      return .blocks(first: files)
    }
  }
}

extension LiveUpdateRecord {
  /// Where the records of the sessions are; `nil` if the record lists none.
  ///
  /// - Throws: when the header before them cannot be read (``Format/deviceTree``).
  public func sessionRecords(
    in memory: some PhysicalMemory
  ) throws(RecordError) -> SerializedRecords? {
    guard sessions != .zero else { return nil }
    switch format {
    case .structure: return .blocks(first: sessions)
    case .deviceTree:
      let headerByteCount = 8
      let count = try memory.withRecord(at: sessions, byteCount: headerByteCount) {
        $0.word(atByte: 0) ?? 0
      }
      return try .run(
        at: sessions, headerByteCount: headerByteCount,
        recordByteCount: LiveUpdateSession.byteCount, count: count)
    }
  }
}

/// Reads the sessions of a ``LiveUpdateRecord``, one at a time.
public struct LiveUpdateSessions<Memory: PhysicalMemory> {
  private let memory: Memory
  private var cursor: SerializedRecordCursor<Memory>

  /// The sessions of `record`.
  ///
  /// - Throws: ``RecordError`` if the header before them cannot be read.
  public init(
    of record: LiveUpdateRecord, in memory: Memory, geometry: PageGeometry
  ) throws(RecordError) {
    self.memory = memory
    let records = try record.sessionRecords(in: memory) ?? .blocks(first: .zero)
    cursor = SerializedRecordCursor(
      records, recordByteCount: LiveUpdateSession.byteCount, in: memory, geometry: geometry)
  }

  /// The next session; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the records break a rule or cannot be read.
  public mutating func next() throws(RecordError) -> LiveUpdateSession? {
    guard let place = try cursor.nextRecord() else { return nil }
    return try LiveUpdateSession(at: place, in: memory)
  }
}
