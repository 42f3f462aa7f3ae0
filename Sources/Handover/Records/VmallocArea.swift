public import MemoryAccess

/// Pages that follow each other in a kernel's virtual memory, and are scattered in physical memory.
///
/// A part of other records: what is too large for one block is in such an area.
///
/// ```
/// byte 0 first chunk   8 number of pages (u32)   12 flags (u16)   14 order (u16)
/// ```
///
/// Source: `FormatBlocks.md`.
public struct VmallocArea: Hashable, Sendable {
  /// The length of the descriptor in bytes.
  public static var byteCount: Int { 16 }

  /// The first chunk; 0 of an empty area.
  public let firstChunk: PhysicalAddress
  /// How many pages the area is said to have.
  public let pageCount: UInt32
  /// How the area was allocated: 1 plainly, 2 with huge mappings allowed.
  public let flags: UInt16
  /// The order of the blocks that the area is made of.
  public let order: PageOrder

  /// The area of `pageCount` pages in blocks of `order` that the chunks from `firstChunk` on name.
  public init(
    firstChunk: PhysicalAddress, pageCount: UInt32, flags: UInt16 = 1, order: PageOrder = .zero
  ) {
    self.firstChunk = firstChunk
    self.pageCount = pageCount
    self.flags = flags
    self.order = order
  }

  /// Reads the descriptor at `offset` of `bytes`; nil when it does not fit.
  init?(_ bytes: RawSpan, atByte offset: Int, _ geometry: PageGeometry) throws(RecordError) {
    guard let first = bytes.word(atByte: offset),
      let pageCount = bytes.uint32(atByte: offset &+ 8),
      let flags = bytes.quarterWord(atByte: offset &+ 12),
      let order = bytes.quarterWord(atByte: offset &+ 14)
    else { return nil }
    guard flags & ~3 == 0 else { throw .areaFlagsUnknown(flags) }
    guard order <= UInt16(geometry.maximumOrder.rawValue) else { throw .areaOrderImpossible(order) }
    firstChunk = PhysicalAddress(first)
    self.pageCount = pageCount
    self.flags = flags
    self.order = PageOrder(Int(order))
  }

  /// The bytes of the area, as its number of pages says.
  public func byteCount(in geometry: PageGeometry) -> UInt64 {
    UInt64(pageCount) &<< UInt64(geometry.shift)
  }

  /// Reads the descriptor at `offset` of `bytes`.
  ///
  /// - Throws: ``RecordError/areaFlagsUnknown(_:)``, ``RecordError/areaOrderImpossible(_:)``;
  ///   ``RecordError/blobTooShort(byteCount:needed:)`` where it does not fit.
  public init(
    parsing bytes: RawSpan, atByte offset: Int = 0, in geometry: PageGeometry
  ) throws(RecordError) {
    guard let area = try VmallocArea(bytes, atByte: offset, geometry) else {
      throw .blobTooShort(
        byteCount: UInt64(bytes.byteCount), needed: UInt64(offset &+ Self.byteCount))
    }
    self = area
  }

  /// Writes the descriptor at `offset` of `bytes`.
  ///
  /// - Precondition: 16 bytes from `offset` on are inside.
  @_lifetime(bytes: copy bytes)
  public func write(to bytes: inout MutableRawSpan, atByte offset: Int = 0) {
    bytes.storeBytes(of: firstChunk.rawValue, toByteOffset: offset, as: UInt64.self)
    bytes.storeBytes(of: pageCount, toByteOffset: offset &+ 8, as: UInt32.self)
    bytes.storeBytes(of: flags, toByteOffset: offset &+ 12, as: UInt16.self)
    bytes.storeBytes(of: UInt16(order.rawValue), toByteOffset: offset &+ 14, as: UInt16.self)
  }

  /// Checks that `count` elements of `elementByteCount` bytes fit in the area.
  func require(
    _ count: UInt64, elementByteCount: UInt64, _ geometry: PageGeometry
  ) throws(RecordError) {
    let capacity = byteCount(in: geometry) / elementByteCount
    guard count <= capacity else { throw .elementCountTooLarge(count, capacity: capacity) }
  }
}
