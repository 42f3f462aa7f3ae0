public import MemoryModel

/// A session of the Live Update Orchestrator: preserved files under a name.
///
/// ```
/// byte 0 name (64 bytes)   64 files   72 number of files
/// ```
///
/// Source: `abi.md` section 9, LUO.
public struct LiveUpdateSession: Hashable, Sendable {
  static var byteCount: Int { 80 }

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

  /// Where the records of the files lie, in a record of that format.
  ///
  /// - Throws: where no memory could hold them.
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
  /// Where the records of the sessions lie; nil while there are none.
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
