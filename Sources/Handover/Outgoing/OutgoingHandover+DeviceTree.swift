import DeviceTreeBlob
package import MemoryAccess
import PreservedPages

extension OutgoingHandover where Anchor: ~Copyable {
  /// Makes `change` together with a new root device tree, in which a subtree is missing, new, or both.
  ///
  /// - Throws: with nothing changed and nothing kept of `frames`.
  @inline(never)
  mutating func edit<Frames: BlockSource & ~Copyable>(
    _ change: HandoverChange, adding new: (name: String, range: PhysicalRange)?,
    removing old: String?, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let block = try writeDeviceTree(adding: new, removing: old, from: &frames)
    try replaceDeviceTree(with: block, change, from: &frames)
  }

  /// Makes `change` together with the switch to the root device tree that was written into `block`, and frees the
  /// former one.
  ///
  /// - Throws: with nothing changed; `block` is freed.
  private mutating func replaceDeviceTree<Frames: BlockSource & ~Copyable>(
    with block: PhysicalBlock, _ change: HandoverChange, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var change = change
    change.preserved.append(.block(block))
    change.deviceTree = block.address
    let former = deviceTree
    change.unpreserved.append(.block(former))
    let newPages: SubtreePages
    do throws(OutgoingHandoverError) {
      try refuseScratch(block)
      newPages = SubtreePages(of: try memory.rootDeviceTree(in: block.range(in: geometry)))
      try prepare(change, from: &frames)
    } catch {
      frames.giveBack(block, in: geometry)
      throw error
    }
    commit(change)
    deviceTree = block
    subtreePages = newPages
    frames.giveBack(former, in: geometry)
  }

  /// The order of the block that the device tree needs when a subtree called `name` is added; `nil` if that
  /// cannot be added.
  ///
  /// - Complexity: O(device tree).
  package func deviceTreeOrder(addingSubtreeNamed name: String) -> PageOrder? {
    // The length does not depend on the numbers in it.
    let new = (name: name, range: PhysicalRange(start: .zero, byteCount: 0))
    do throws(OutgoingHandoverError) {
      return geometry.smallestOrder(holding: try byteCount(adding: new, removing: nil))
    } catch {
      return nil
    }
  }

  /// Moves the root device tree to `block`, of the same order, which was just allocated, and frees the old block.
  ///
  /// - Returns: whether it was moved. If not, as when the source has no frames for nodes, `block` is freed.
  /// - Complexity: O(device tree + levels · page size).
  package mutating func moveDeviceTree<Frames: BlockSource & ~Copyable>(
    to block: PhysicalBlock, from frames: inout Frames
  ) -> Bool {
    require(that: block.order == deviceTree.order, "a device tree moves to a block of its size")
    memory.copyPages(
      from: deviceTree.address, to: block.address,
      wordCount: geometry.pageWordCount << Int(block.order.rawValue))
    do throws(OutgoingHandoverError) {
      try replaceDeviceTree(with: block, HandoverChange(), from: &frames)
      return true
    } catch {
      return false
    }
  }

  /// Writes the new device tree into a block of its own, the smallest that holds it.
  private func writeDeviceTree<Frames: BlockSource & ~Copyable>(
    adding new: (name: String, range: PhysicalRange)?, removing old: String?,
    from frames: inout Frames
  ) throws(OutgoingHandoverError) -> PhysicalBlock {
    let byteCount = try byteCount(adding: new, removing: old)
    let limit = RootDeviceTree.largestByteCount
    guard byteCount <= limit else {
      throw .deviceTreeTooLarge(byteCount: byteCount, limit: limit)
    }
    let order = geometry.smallestOrder(holding: byteCount)
    guard let block = frames.takeBlock(order) else {
      throw .outOfFrames(frameCount: order.frameCount)
    }
    do throws(DeviceTreeEditError) {
      _ = try memory.withMutableBytes(in: block.range(in: geometry)) {
        (target) throws(DeviceTreeEditError) in
        try write(into: &target, adding: new, removing: old)
      }
      return block
    } catch {
      frames.giveBack(block, in: geometry)
      throw error.asOutgoing
    }
  }

  /// The length of the new device tree in bytes.
  private func byteCount(
    adding new: (name: String, range: PhysicalRange)?, removing old: String?
  ) throws(OutgoingHandoverError) -> UInt64 {
    // Enough for the names of all properties of a root device tree, which are then counted once.
    var bytes = InlineArray<256, UInt8>(repeating: 0)
    var span = bytes.mutableSpan
    var target = span.rawBytes
    do throws(DeviceTreeEditError) {
      return UInt64(try write(into: &target, adding: new, removing: old))
    } catch {
      if case .unwritable(.outOfRoom(let byteCount)) = error { return UInt64(byteCount) }
      throw error.asOutgoing
    }
  }

  private func write(
    into target: inout MutableRawSpan, adding new: (name: String, range: PhysicalRange)?,
    removing old: String?
  ) throws(DeviceTreeEditError) -> Int {
    let written: Int? = try memory.withBytes(in: deviceTree.range(in: geometry)) {
      (bytes) throws(DeviceTreeEditError) in
      let tree: DeviceTree
      do throws(DeviceTreeError) { tree = try DeviceTree(validating: bytes) } catch {
        throw .malformed(error)
      }
      switch (new, old) {
      case (let new?, nil): return try add(new, to: tree, into: &target)
      case (nil, let old?): return try tree.write(into: &target, removingChild: old)
      case (let new?, let old?): return try replace(old, with: new, in: tree, into: &target)
      case (nil, nil): Panic.end("an edit that changes nothing")
      }
    }
    guard let written else { Panic.end("the device tree is outside memory") }
    return written
  }

  // Each with a frame of its own on the stack, which is small in a kernel.

  @inline(never)
  private func add(
    _ new: (name: String, range: PhysicalRange), to tree: borrowing DeviceTree,
    into target: inout MutableRawSpan
  ) throws(DeviceTreeEditError) -> Int {
    try tree.write(into: &target, addingChild: new.name) {
      (node) throws(DeviceTreeWriterError) in try version.write(new.range, to: &node)
    }
  }

  @inline(never)
  private func replace(
    _ old: String, with new: (name: String, range: PhysicalRange), in tree: borrowing DeviceTree,
    into target: inout MutableRawSpan
  ) throws(DeviceTreeEditError) -> Int {
    try tree.write(into: &target, replacingChild: old, with: new.name) {
      (node) throws(DeviceTreeWriterError) in try version.write(new.range, to: &node)
    }
  }
}

extension DeviceTreeEditError {
  /// What it means for a handover.
  fileprivate var asOutgoing: OutgoingHandoverError {
    switch self {
    case .unwritable(let error): .deviceTreeUnwritable(error)
    case .childExists: .subtreeExists
    case .noSuchChild: .noSuchSubtree
    case .malformed(let error): .deviceTreeDamaged(error)
    case .noSuchProperty, .wrongByteCount:
      Panic.end("an edit of a property that was not asked for")
    case .unsupportedLayout:
      Panic.end("an edit in place that was not asked for")
    }
  }
}

extension ABIVersion {
  /// Writes the properties of a subtree that is in `range`.
  @_lifetime(node: copy node)
  func write(
    _ range: PhysicalRange, to node: inout DeviceTreeWriter
  ) throws(DeviceTreeWriterError) {
    try node.property(subtreeAddressProperty, nativeUInt64: range.start.rawValue)
    if let subtreeSizeProperty {
      try node.property(subtreeSizeProperty, nativeUInt64: range.byteCount)
    }
  }
}

extension PageGeometry {
  /// The smallest order whose block has room for `byteCount` bytes.
  func smallestOrder(holding byteCount: UInt64) -> PageOrder {
    var order = 0
    while blockByteCount(PageOrder(order)) < byteCount { order &+= 1 }
    return PageOrder(order)
  }
}
