import DeviceTreeBlob
public import MemoryAccess

/// A region of memory that `reserve_mem` on the command line set aside under a name.
///
/// Source: `FormatRecords.md`, memblock.
public struct ReservedRegion: Hashable, Sendable {
  /// The name that the user gave the region.
  public let name: String
  /// The bytes of the region.
  public let range: PhysicalRange

  /// The region of that name.
  public init(name: String, range: PhysicalRange) {
    self.name = name
    self.range = range
  }
}

/// The regions that `reserve_mem` set aside.
///
/// Source: `FormatRecords.md`, memblock.
public struct MemblockRecord: Sendable {
  /// The name of the blob.
  public static var subtreeName: String { "memblock" }

  /// A region, or why it cannot be read.
  public struct Region: Sendable {
    /// The name that the user gave the region.
    public let name: String
    /// The region, or why it cannot be read.
    public let result: Result<ReservedRegion, RecordError>
  }

  /// The regions, in the order of the device tree.
  public let regions: [Region]

  /// Reads the device tree at `address`, a blob of `byteCount` bytes if that is known.
  ///
  /// - Complexity: O(bytes).
  public init(
    at address: PhysicalAddress, byteCount: UInt64?, in memory: some PhysicalMemory
  ) throws(RecordError) {
    let bytes = try memory.recordTreeBytes(at: address, byteCount: byteCount)
    regions = try DeviceTree.withRecordRoot(of: bytes) { (root) throws(RecordError) in
      try root.require(compatible: "memblock-v1")
      var regions: [Region] = []
      do throws(DeviceTreeError) {
        var children = root.children
        while let child = try children.next() { regions.append(Region(child)) }
      } catch {
        throw .deviceTreeMalformed(error)
      }
      return regions
    }
  }
}

extension MemblockRecord.Region {
  fileprivate init(_ node: borrowing DeviceTreeNode) {
    name = node.nameString
    do throws(RecordError) {
      try node.require(compatible: "reserve-mem-v1")
      let start = PhysicalAddress(try node.recordUInt64("start"))
      let byteCount = try node.recordUInt64("size")
      guard byteCount > 0, let range = PhysicalRange(checkedStart: start, byteCount: byteCount)
      else { throw .rangeImpossible(start: start, byteCount: byteCount) }
      result = .success(ReservedRegion(name: name, range: range))
    } catch {
      result = .failure(error)
    }
  }
}
