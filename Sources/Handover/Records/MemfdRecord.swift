public import MemoryAccess

/// What is kept of a memfd: its size, and where its pages are.
///
/// ```
/// byte 0 position   8 size   16 seals (u32)   20 flags (u32)   24 number of folios
///     32 area of folio records (16 bytes)
/// ```
///
/// Source: `FormatLiveUpdate.md`, memfd-v2.
public struct MemfdRecord: Hashable, Sendable {
  package static var byteCount: Int { 48 }

  /// The file's position in bytes.
  public let position: UInt64
  /// The file's size in bytes.
  public let byteSize: UInt64
  /// The seals, as `fcntl(F_GET_SEALS)` gives them.
  public let seals: UInt32
  /// The flags with which it was created.
  public let flags: UInt32
  /// The number of folio records.
  public let folioCount: UInt64
  /// Where the folio records are.
  public let folios: VmallocArea

  /// Reads the record at `address`.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory, geometry: PageGeometry
  ) throws(RecordError) {
    self = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      (bytes) throws(RecordError) in
      guard let folios = try VmallocArea(bytes, atByte: 32, geometry) else {
        throw .unreadable(PhysicalRange(start: address, byteCount: UInt64(Self.byteCount)))
      }
      let count = bytes.word(atByte: 24) ?? 0
      try folios.require(count, elementByteCount: UInt64(MemfdFolio.byteCount), geometry)
      return Self(bytes, folioCount: count, folios)
    }
  }

  /// What is kept of a file whose folio records are in `folios`.
  public init(
    position: UInt64 = 0, byteSize: UInt64, seals: UInt32 = 0, flags: UInt32 = 0,
    folioCount: UInt64, folios: VmallocArea
  ) {
    self.position = position
    self.byteSize = byteSize
    self.seals = seals
    self.flags = flags
    self.folioCount = folioCount
    self.folios = folios
  }

  /// Writes the record at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  func write(to bytes: inout MutableRawSpan) {
    bytes.storeBytes(of: position, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: byteSize, toByteOffset: 8, as: UInt64.self)
    bytes.storeBytes(of: seals, toByteOffset: 16, as: UInt32.self)
    bytes.storeBytes(of: flags, toByteOffset: 20, as: UInt32.self)
    bytes.storeBytes(of: folioCount, toByteOffset: 24, as: UInt64.self)
    folios.write(to: &bytes, atByte: 32)
  }

  private init(_ bytes: RawSpan, folioCount: UInt64, _ folios: VmallocArea) {
    position = bytes.word(atByte: 0) ?? 0
    byteSize = bytes.word(atByte: 8) ?? 0
    seals = bytes.uint32(atByte: 16) ?? 0
    flags = bytes.uint32(atByte: 20) ?? 0
    self.folioCount = folioCount
    self.folios = folios
  }
}
