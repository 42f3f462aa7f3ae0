import DeviceTreeBlob
public import MemoryAccess
import PreservedPages

// The records that every handover of a machine carries: who wrote it, and the regions of
// `reserve_mem`.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Adds the subtree that names the predecessor to the successor.
  ///
  /// - Throws: as ``createSubtree(named:byteCount:from:_:)``.
  public mutating func addKexecMetadata<Frames: BlockSource & ~Copyable>(
    _ metadata: KexecMetadata, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try createSubtree(
      named: KexecMetadata.subtreeName, byteCount: UInt64(KexecMetadata.byteCount), from: &frames
    ) { metadata.write(to: &$0) }
  }

  /// Preserves the regions of `reserve_mem` and adds the subtree that lists their names, as one
  /// change.
  ///
  /// All of it is done, or nothing has changed. Regions that were preserved already stay so.
  ///
  /// - Throws: as ``preserve(_:from:)-(FrameRange,_)`` and
  ///   ``createSubtree(named:byteCount:from:_:)``; ``OutgoingHandoverError/deviceTreeUnwritable(_:)`` of
  ///   a name that cannot be a node's; ``OutgoingHandoverError/regionNamedTwice(index:)``;
  ///   ``OutgoingHandoverError/outsideMemory(_:)`` of a region that is empty or not made of whole
  ///   pages; ``OutgoingHandoverError/overlapsEntry(_:entry:)`` of one that reaches into another.
  /// - Complexity: O(regions² + blocks · orders in use · levels).
  public mutating func addReservedRegions<Frames: BlockSource & ~Copyable>(
    _ regions: [ReservedRegion], from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let byteCount: Int
    do throws(DeviceTreeWriterError) {
      byteCount = try MemblockRecord.byteCount(of: regions)
    } catch {
      throw .deviceTreeUnwritable(error)
    }
    let new = try newFrames(of: regions)
    var keys = KeyList(in: memory, geometry: geometry)
    let blocks = self.blocks
    do throws(OutgoingHandoverError) {
      for range in new {
        try blocks.forEach(of: .frames(range)) { (block) throws(OutgoingHandoverError) in
          try keys.append(block, from: &frames)
        }
      }
      var change = HandoverChange()
      change.preserved.append(keys.item)
      _ = try create(
        named: MemblockRecord.subtreeName, byteCount: UInt64(byteCount), replacing: nil,
        with: change, from: &frames
      ) { MemblockRecord.write(regions, to: &$0) }
    } catch {
      keys.item.giveBackKeys(to: &frames, blocksToo: false, in: memory, geometry: geometry)
      throw error
    }
    keys.item.giveBackKeys(to: &frames, blocksToo: false, in: memory, geometry: geometry)
  }

  /// The frames of those regions that are not preserved already.
  private func newFrames(
    of regions: [ReservedRegion]
  ) throws(OutgoingHandoverError) -> [FrameRange] {
    var new: [FrameRange] = []
    let pageMask = UInt64(geometry.pageByteCount) &- 1
    for (index, region) in regions.enumerated() {
      for other in regions.prefix(index) where other.name.hasBytes(of: region.name) {
        throw .regionNamedTwice(index: index)
      }
      let range = region.range
      guard !range.isEmpty, (range.start.rawValue | range.byteCount) & pageMask == 0,
        memory.contains(range)
      else { throw .outsideMemory(range) }
      if isPreserved(range) || new.contains(where: { $0.range(in: geometry).contains(range) }) {
        continue
      }
      let frames = FrameRange(covering: range, in: geometry)
      try blocks.forEach(of: .frames(frames)) { (block) throws(OutgoingHandoverError) in
        try refuseUnpreservable(block)
        for other in new where other.range(in: geometry).overlaps(block.range(in: geometry)) {
          var others = NaturalBlocks(other, in: geometry, nodeStarts: nodeStarts)
          while let entry = others.next() {
            guard entry.range(in: geometry).overlaps(block.range(in: geometry)) else { continue }
            throw .overlapsEntry(block, entry: entry)
          }
        }
      }
      new.append(frames)
    }
    return new
  }
}

extension KexecMetadata {
  /// Writes the record at the start of `bytes`, which are zeros.
  @_lifetime(bytes: copy bytes)
  func write(to bytes: inout MutableRawSpan) {
    bytes.storeBytes(of: 1, toByteOffset: 0, as: UInt32.self)
    let release = previousRelease.utf8Span.span
    for index in 0..<min(release.count, Self.largestReleaseByteCount) {
      bytes.storeBytes(of: release[index], toByteOffset: 4 &+ index, as: UInt8.self)
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
      Panic.end("a device tree that was measured cannot be written")
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
