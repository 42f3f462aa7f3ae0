import DeviceTreeBlob
public import MemoryAccess
public import PreservedPages

/// The handover that is being prepared: what a successor will find, right at every instant.
///
///     anchor ──► root device tree ──► tree of entries ──► preserved memory
///                       └──► subtrees, by name
///
/// No step finalizes it. Memory is preserved and unpreserved, and subtrees come and go, at
/// any time until the successor takes over. Each operation does everything that can fail first, and
/// only then changes what a successor sees: one bit for a block; for more than that a
/// ``HandoverChange`` that the anchor may record, so that a crash leaves the state before the
/// operation or one that can be completed.
///
/// The tree's nodes and the device tree are in frames of the source that each operation is given.
/// That source must hand out nothing that is in scratch memory.
///
/// Source: `FormatRootDeviceTree.md`, `FormatScratch.md`, `TheLifecycle.md`.
public struct OutgoingHandover<Memory: WritablePhysicalMemory, Anchor>: ~Copyable
where Anchor: HandoverAnchor & ~Copyable {
  /// The version whose formats are written.
  public let version: ABIVersion
  /// Memory in which nothing may be preserved.
  public let scratchAreas: [ScratchArea]
  /// Where NUMA nodes begin; no block crosses such a frame.
  public let nodeStarts: [FrameNumber]

  /// The entries. A caller that changes the tree itself bypasses all checks.
  public var tree: RadixTree<Memory>
  /// What points to the device tree.
  public var anchor: Anchor
  /// The block that the root device tree is in; an entry itself.
  public internal(set) var deviceTree: PhysicalBlock
  /// The orders that entries may have: all that are in use, and perhaps more.
  @usableFromInline
  var orders: PageOrderSet
  /// Where subtrees are.
  var subtreePages: SubtreePages

  /// The memory all of it is in.
  @inlinable
  public var memory: Memory { tree.memory }
  /// The page size.
  @inlinable
  public var geometry: PageGeometry { tree.geometry.page }

  /// Begins an empty handover: an empty tree and a device tree that points to it.
  ///
  /// The last store is that of the anchor's pointer.
  ///
  /// - Throws: ``OutgoingHandoverError/versionNotWritable(_:_:)``,
  ///   ``OutgoingHandoverError/outOfFrames(frameCount:)``, and
  ///   ``OutgoingHandoverError/overlapsScratch(_:_:)`` when the source's frames are there.
  public init<Frames: BlockSource & ~Copyable>(
    in memory: Memory, geometry: PageGeometry, version: ABIVersion = .v4,
    anchor: consuming Anchor, scratchAreas: [ScratchArea] = [], nodeStarts: [FrameNumber] = [],
    from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let shape = try Self.writableShape(version, geometry)
    let (root, block) = try Self.makeStart(
      RootDeviceTreeStart(version: version, isOfMemoryFile: anchor.isOfMemoryFile), shape,
      avoiding: scratchAreas, in: memory, from: &frames)
    self.version = version
    self.scratchAreas = scratchAreas
    self.nodeStarts = nodeStarts
    self.anchor = anchor
    self.tree = RadixTree(adopting: root, in: memory, geometry: shape)
    self.deviceTree = block
    self.orders = PageOrderSet()
    self.subtreePages = SubtreePages()
    // The anchor does not point to the tree yet, so the anchor records no change.
    do throws(OutgoingHandoverError) {
      try mark(block)
    } catch {
      Panic.end("a block that was prepared cannot be marked")
    }
    self.anchor.switchDeviceTree(to: block.address)
  }

  /// Makes the tree's root, with the nodes for the block of the device tree, and the device tree.
  private static func makeStart<Frames: BlockSource & ~Copyable>(
    _ start: RootDeviceTreeStart, _ shape: RadixGeometry, avoiding scratchAreas: [ScratchArea],
    in memory: Memory, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> (root: PhysicalAddress, deviceTree: PhysicalBlock) {
    guard let root = frames.takeFrame() else { throw .outOfFrames(frameCount: 1) }
    let order = shape.page.smallestOrder(holding: start.byteCount)
    guard let block = frames.takeBlock(order) else {
      frames.giveBack(root)
      throw .outOfFrames(frameCount: order.frameCount)
    }
    do throws(OutgoingHandoverError) {
      if let area = scratchAreas.first(overlapping: block.range(in: shape.page)) {
        throw .overlapsScratch(block, area)
      }
      try memory.writeRootDeviceTree(start, root: root, in: block.range(in: shape.page))
      let tree = RadixTree(adopting: root, in: memory, geometry: shape)
      do throws(RadixTreeError) {
        try tree.prepare(RadixKey(block, in: shape.page), from: &frames)
      } catch {
        throw .outOfFrames(frameCount: 1)
      }
    } catch {
      frames.giveBack(root)
      frames.giveBack(block, in: shape.page)
      throw error
    }
    return (root, block)
  }

  /// Goes on with a handover that is in memory already: the incoming one becomes the outgoing one,
  /// in place.
  ///
  /// Where a change was begun and not ended, ``complete(_:)`` comes next.
  ///
  /// - Throws: ``OutgoingHandoverError/versionNotWritable(_:_:)``,
  ///   ``OutgoingHandoverError/deviceTreeDamaged(_:)``.
  /// - Precondition: the handover is sound, its device tree is in `deviceTree`, which is an entry,
  ///   and no other process writes to it. One that comes from outside is checked first:
  ///   ``IncomingHandover``.
  /// - Complexity: O(orders · levels · page size + device tree).
  public init(
    adopting root: PhysicalAddress, deviceTree: PhysicalBlock, in memory: Memory,
    geometry: PageGeometry, version: ABIVersion, anchor: consuming Anchor,
    scratchAreas: [ScratchArea] = [], nodeStarts: [FrameNumber] = []
  ) throws(OutgoingHandoverError) {
    let shape = try Self.writableShape(version, geometry)
    let subtreePages = SubtreePages(
      of: try memory.rootDeviceTree(in: deviceTree.range(in: geometry)))
    self.version = version
    self.scratchAreas = scratchAreas
    self.nodeStarts = nodeStarts
    self.anchor = anchor
    self.deviceTree = deviceTree
    self.subtreePages = subtreePages
    let tree = RadixTree(adopting: root, in: memory, geometry: shape)
    self.orders = tree.ordersInUse
    self.tree = tree
  }

  static func writableShape(
    _ version: ABIVersion, _ geometry: PageGeometry
  ) throws(OutgoingHandoverError) -> RadixGeometry {
    guard let shape = version.radixGeometry(geometry), !shape.dropsOrderZeroBit else {
      throw .versionNotWritable(version, geometry)
    }
    return shape
  }
}

extension WritablePhysicalMemory {
  /// Writes a root device tree without subtrees into `range`.
  func writeRootDeviceTree(
    _ start: RootDeviceTreeStart, root: PhysicalAddress, in range: PhysicalRange
  ) throws(OutgoingHandoverError) {
    do throws(DeviceTreeWriterError) {
      _ = try withMutableBytes(in: range) { (bytes) throws(DeviceTreeWriterError) in
        try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
          try writer.writeRoot(start, map: root)
        }
      }
    } catch {
      throw .deviceTreeUnwritable(error)
    }
  }

  /// What the root device tree in `range` says.
  func rootDeviceTree(
    in range: PhysicalRange
  ) throws(OutgoingHandoverError) -> RootDeviceTree {
    do throws(DeviceTreeError) {
      let parsed = try withBytes(in: range) {
        (bytes) throws(DeviceTreeError) in try RootDeviceTree(parsing: bytes)
      }
      guard let parsed else { Panic.end("the device tree is outside memory") }
      return parsed
    } catch {
      throw .deviceTreeDamaged(error)
    }
  }
}

/// What a root device tree says before anything is registered.
struct RootDeviceTreeStart {
  let version: ABIVersion
  let isOfMemoryFile: Bool

  /// Its length in bytes.
  var byteCount: UInt64 {
    do throws(DeviceTreeWriterError) {
      return UInt64(
        try DeviceTreeWriter.exactByteCount { (writer) throws(DeviceTreeWriterError) in
          try writer.writeRoot(self, map: .zero)
        })
    } catch {
      Panic.end("a device tree of two properties cannot be measured")
    }
  }
}

extension DeviceTreeWriter {
  /// Writes the properties of the root.
  @_lifetime(self: copy self)
  fileprivate mutating func writeRoot(
    _ start: RootDeviceTreeStart, map: PhysicalAddress
  ) throws(DeviceTreeWriterError) {
    try property("compatible", string: start.version.compatible)
    try property(RootDeviceTree.mapProperty, nativeUInt64: map.rawValue)
    if start.isOfMemoryFile { try property(RootDeviceTree.memoryFileProperty) }
  }
}
