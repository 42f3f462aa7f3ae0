import DeviceTreeBlob
public import MemoryAccess

/// A file of a session: who knows what became of it, and where they noted that.
///
/// ```
/// byte 0 handler (48 bytes)   48 data   56 token
/// ```
///
/// Source: `FormatLiveUpdate.md`.
public struct LiveUpdateFile: Hashable, Sendable {
  package static var byteCount: Int { 64 }

  /// The `compatible` of the handler, such as "memfd-v2".
  public let handler: String
  /// What the handler noted: of a memfd, the address of a ``MemfdRecord``.
  public let data: UInt64
  /// The number under which the session's user finds the file again.
  public let token: UInt64

  /// Reads the record at `address`.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(RecordError) {
    let (handler, data, token) = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      ($0.text(atByte: 0, byteCount: 48), $0.word(atByte: 48) ?? 0, $0.word(atByte: 56) ?? 0)
    }
    guard let handler else { throw .textMalformed(address) }
    self.handler = handler
    self.data = data
    self.token = token
  }

  /// The most bytes of a handler's name.
  public static var largestHandlerByteCount: Int { 47 }

  /// A file that a handler preserved.
  ///
  /// - Precondition: the handler has 1 to 47 bytes of UTF-8, none of them 0.
  public init(handler: String, data: UInt64, token: UInt64) {
    require(
      that: handler.canBeWritten(atMost: Self.largestHandlerByteCount),
      "a handler that cannot be written"
    )
    self.handler = handler
    self.data = data
    self.token = token
  }

  /// A memfd whose ``MemfdRecord`` starts at `record`.
  public init(memfd record: PhysicalAddress, token: UInt64) {
    self.init(handler: "memfd-v2", data: record.rawValue, token: token)
  }

  /// Writes the record at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  func write(to bytes: inout MutableRawSpan) {
    bytes.store(text: handler, atByte: 0)
    bytes.storeBytes(of: data, toByteOffset: 48, as: UInt64.self)
    bytes.storeBytes(of: token, toByteOffset: 56, as: UInt64.self)
  }

  /// Whether ``data`` is the address of a ``MemfdRecord``.
  public var isMemfd: Bool { handler.hasBytes(of: "memfd-v2") }
}

/// Reads the files of a ``LiveUpdateSession``, one at a time.
public struct LiveUpdateFiles<Memory: PhysicalMemory> {
  private let memory: Memory
  private var cursor: SerializedRecordCursor<Memory>

  /// The files of `session`, which is of a record of that format.
  ///
  /// - Throws: ``RecordError`` if no memory could hold them.
  public init(
    of session: LiveUpdateSession, _ format: LiveUpdateRecord.Format, in memory: Memory,
    geometry: PageGeometry
  ) throws(RecordError) {
    self.memory = memory
    cursor = SerializedRecordCursor(
      try session.fileRecords(format), recordByteCount: LiveUpdateFile.byteCount, in: memory,
      geometry: geometry)
  }

  /// The next file; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the records break a rule or cannot be read.
  public mutating func next() throws(RecordError) -> LiveUpdateFile? {
    guard let place = try cursor.nextRecord() else { return nil }
    return try LiveUpdateFile(at: place, in: memory)
  }
}
