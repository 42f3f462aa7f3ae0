import DeviceTreeBlob
public import MemoryModel
import PreservedPages

// The records that every handover of a machine carries: who wrote it, and the regions of
// `reserve_mem`.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Adds the subtree that tells the successor who handed over.
  ///
  /// - Throws: as ``createSubtree(named:byteCount:from:_:)``.
  public mutating func addKexecMetadata<Frames: BlockSource & ~Copyable>(
    _ metadata: KexecMetadata, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try createSubtree(
      named: KexecMetadata.subtreeName, byteCount: UInt64(KexecMetadata.byteCount), from: &frames
    ) { metadata.write(to: &$0) }
  }

  /// Preserves the regions of `reserve_mem` and adds the subtree that tells their names.
  ///
  /// All of it is done, or nothing has changed. Regions that were preserved already stay so.
  ///
  /// - Throws: as ``preserve(_:from:)-(FrameRange,_)`` and
  ///   ``createSubtree(named:byteCount:from:_:)``; ``OutgoingHandoverError/deviceTreeUnwritable(_:)`` of
  ///   a name that cannot be a node's; ``OutgoingHandoverError/outsideMemory(_:)`` of a region that is
  ///   empty or not made of whole pages.
  public mutating func addReservedRegions<Frames: BlockSource & ~Copyable>(
    _ regions: [ReservedRegion], from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var newRanges: [FrameRange] = []
    do throws(OutgoingHandoverError) {
      let byteCount: Int
      do throws(DeviceTreeWriterError) {
        byteCount = try MemblockRecord.byteCount(of: regions)
      } catch {
        throw .deviceTreeUnwritable(error)
      }
      for region in regions {
        let frameRange = FrameRange(covering: region.range, in: geometry)
        guard !region.range.isEmpty, frameRange.range(in: geometry) == region.range else {
          throw .outsideMemory(region.range)
        }
        if isPreserved(region.range) { continue }
        try preserve(frameRange, from: &frames)
        newRanges.append(frameRange)
      }
      try createSubtree(
        named: MemblockRecord.subtreeName, byteCount: UInt64(byteCount), from: &frames
      ) { MemblockRecord.write(regions, to: &$0) }
    } catch {
      for range in newRanges { undoPreserve(range, into: &frames) }
      throw error
    }
  }

  /// Unmarks what was marked a moment ago.
  private mutating func undoPreserve<Frames: FrameSource & ~Copyable>(
    _ range: FrameRange, into frames: inout Frames
  ) {
    var change = HandoverChange()
    change.unpreserved.append(.frames(range))
    commit(change)
    pruneNodes(of: .frames(range), into: &frames)
  }
}

extension KexecMetadata {
  /// Writes the record at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  func write(to bytes: inout MutableRawSpan) {
    bytes.storeBytes(of: 1, toByteOffset: 0, as: UInt32.self)
    var offset = 4
    for byte in previousRelease.utf8.prefix(Self.largestReleaseByteCount) {
      bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
      offset &+= 1
    }
    bytes.storeBytes(of: kexecCount, toByteOffset: 69, as: UInt32.self)
  }
}

extension MemblockRecord {
  /// The exact length of the device tree of `regions`, in bytes.
  static func byteCount(of regions: [ReservedRegion]) throws(DeviceTreeWriterError) -> Int {
    try DeviceTreeWriter.exactByteCount { (writer) throws(DeviceTreeWriterError) in
      try writer.write(regions)
    }
  }

  /// Writes the device tree of `regions` at the start of `bytes`.
  ///
  /// - Precondition: ``byteCount(of:)`` gave its length, and there are as many bytes.
  @_lifetime(bytes: copy bytes)
  static func write(_ regions: [ReservedRegion], to bytes: inout MutableRawSpan) {
    do throws(DeviceTreeWriterError) {
      _ = try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
        try writer.write(regions)
      }
    } catch {
      preconditionFailure("a device tree that was measured cannot be written")
    }
  }
}

extension DeviceTreeWriter {
  @_lifetime(self: copy self)
  fileprivate mutating func write(_ regions: [ReservedRegion]) throws(DeviceTreeWriterError) {
    try property("compatible", string: "memblock-v1")
    for region in regions {
      try beginNode(region.name)
      try property("compatible", string: "reserve-mem-v1")
      try property("start", nativeUInt64: region.range.start.rawValue)
      try property("size", nativeUInt64: region.range.byteCount)
      try endNode()
    }
  }
}
