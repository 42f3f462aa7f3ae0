import DeviceTreeBlob
public import MemoryAccess

/// The record of the Live Update Orchestrator: sessions of preserved files, and data they share.
///
/// ```
/// luo-v5, byte 0 "luo-v5" (8 bytes)   8 number   16 sessions   24 shared data
/// ```
///
/// Source: `FormatLiveUpdate.md`.
public struct LiveUpdateRecord: Hashable, Sendable {
  /// The name of the blob.
  public static var subtreeName: String { "LUO" }
  package static var byteCount: Int { 32 }

  /// The form of the record and of what it points to.
  @nonexhaustive
  public enum Format: Hashable, Sendable {
    /// "luo-v1", a device tree (Linux 7.1).
    case deviceTree
    /// "luo-v5", a structure (Linux 7.2 and 7.3).
    case structure
  }

  /// The form of the record.
  public let format: Format
  /// How many live updates there were, this one included.
  public let number: UInt64
  /// Where the sessions begin; 0 if none exists, and until the reboot that writes them.
  public let sessions: PhysicalAddress
  /// Where the data shared by files is listed; 0 for nowhere.
  public let sharedData: PhysicalAddress

  /// Reads the record at `address`, a blob of `byteCount` bytes if that is known.
  public init(
    at address: PhysicalAddress, byteCount: UInt64?, in memory: some PhysicalMemory
  ) throws(RecordError) {
    let magic = try memory.withRecord(at: address, byteCount: 4) { $0.uint32(atByte: 0) ?? 0 }
    if UInt32(bigEndian: magic) == DeviceTreeHeader.magic {
      self = try Self(parsing: try memory.recordTreeBytes(at: address, byteCount: byteCount))
      return
    }
    try memory.requireBlob(byteCount, holds: Self.byteCount)
    self = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      (bytes) throws(RecordError) in
      guard let compatible = bytes.text(atByte: 0, byteCount: 8) else {
        throw .textMalformed(address)
      }
      guard compatible.hasBytes(of: "luo-v5") else { throw .formatUnknown(compatible) }
      return Self(
        format: .structure, number: bytes.word(atByte: 8) ?? 0,
        sessions: PhysicalAddress(bytes.word(atByte: 16) ?? 0),
        sharedData: PhysicalAddress(bytes.word(atByte: 24) ?? 0))
    }
  }

  /// Writes a record of ``Format/structure`` at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  static func write(number: UInt64, sessions: PhysicalAddress, to bytes: inout MutableRawSpan) {
    bytes.store(text: "luo-v5", atByte: 0)
    bytes.storeBytes(of: number, toByteOffset: 8, as: UInt64.self)
    bytes.storeBytes(of: sessions.rawValue, toByteOffset: 16, as: UInt64.self)
  }

  private init(parsing bytes: [UInt8]) throws(RecordError) {
    self = try DeviceTree.withRecordRoot(of: bytes) { (root) throws(RecordError) in
      try root.require(compatible: "luo-v1")
      let number = try root.recordUInt64("liveupdate-number")
      let session = try root.recordChild("luo-session")
      try session.require(compatible: "luo-session-v2")
      let sessions = try session.recordUInt64("luo-session-header")
      let shared = try root.recordChild("luo-flb")
      try shared.require(compatible: "luo-flb-v1")
      let sharedData = try shared.recordUInt64("luo-flb-header")
      return Self(
        format: .deviceTree, number: number, sessions: PhysicalAddress(sessions),
        sharedData: PhysicalAddress(sharedData))
    }
  }

  private init(
    format: Format, number: UInt64, sessions: PhysicalAddress, sharedData: PhysicalAddress
  ) {
    self.format = format
    self.number = number
    self.sessions = sessions
    self.sharedData = sharedData
  }
}
