import DeviceTreeBlob
public import MemoryAccess

/// The record of the kernel's self-test of Kexec HandOver, which preserves folios of all orders.
///
/// Source: `FormatRecords.md`, kho_test.
public struct KHOTestRecord: Hashable, Sendable {
  /// The name of the blob.
  public static var subtreeName: String { "kho_test" }
  static var magic: UInt32 { 0x4b48_4f21 }

  /// The number of folios.
  public let folioCount: UInt32
  /// Where the folios are listed, a word each.
  public let folios: VmallocArea
  /// The sum over the contents of all folios.
  public let checksum: UInt32

  /// Reads the device tree at `address`, a blob of `byteCount` bytes if that is known.
  public init(
    at address: PhysicalAddress, byteCount: UInt64?, in memory: some PhysicalMemory,
    geometry: PageGeometry
  ) throws(RecordError) {
    let bytes = try memory.recordTreeBytes(at: address, byteCount: byteCount)
    self = try DeviceTree.withRecordRoot(of: bytes) { (root) throws(RecordError) in
      try root.require(compatible: "kho-test-v1")
      let magic = try root.recordUInt32("magic")
      guard magic == Self.magic else { throw .magicWrong(magic) }
      let data = try root.recordChild("data")
      let count = try data.recordUInt32("nr_folios")
      let area = try data.recordArea("folios_info", geometry)
      try area.require(UInt64(count), elementByteCount: 8, geometry)
      let checksum = try data.recordUInt32("csum")
      return KHOTestRecord(folioCount: count, folios: area, checksum: checksum)
    }
  }

  private init(folioCount: UInt32, folios: VmallocArea, checksum: UInt32) {
    self.folioCount = folioCount
    self.folios = folios
    self.checksum = checksum
  }
}

/// Reads the folios of a ``KHOTestRecord``, one at a time.
public struct KHOTestFolios<Memory: PhysicalMemory> {
  private let geometry: PageGeometry
  private var words: VmallocWords<Memory>
  private var remainingCount: UInt32

  /// The folios of `record`.
  public init(of record: KHOTestRecord, in memory: Memory, geometry: PageGeometry) {
    self.geometry = geometry
    words = VmallocWords(record.folios, in: memory, geometry: geometry)
    remainingCount = record.folioCount
  }

  /// The next folio; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the list breaks a rule or cannot be read.
  public mutating func next() throws(RecordError) -> PhysicalBlock? {
    guard remainingCount > 0, let (word, address) = try words.next() else { return nil }
    remainingCount &-= 1
    let mask = UInt64(geometry.pageByteCount) &- 1
    let order = word & mask
    guard order <= UInt64(geometry.maximumOrder.rawValue), word & ~mask != 0 else {
      throw .blockImpossible(word, in: address)
    }
    let block = PhysicalBlock(
      address: PhysicalAddress(word & ~mask), order: PageOrder(Int(order)))
    guard block.isNaturallyAligned(in: geometry) else {
      throw .blockImpossible(word, in: address)
    }
    return block
  }
}

extension DeviceTreeNode {
  /// The property `name` as the descriptor of a vmalloc area.
  fileprivate func recordArea(
    _ name: String, _ geometry: PageGeometry
  ) throws(RecordError) -> VmallocArea {
    let result: Result<VmallocArea, RecordError> = try value(of: name) { property in
      guard property.byteCount == VmallocArea.byteCount else { return nil }
      do throws(RecordError) {
        return try VmallocArea(property.bytes, atByte: 0, geometry).map { .success($0) }
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
