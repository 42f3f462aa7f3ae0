import DeviceTreeBlob
import MemoryModel
import PreservedPages

extension OutgoingHandover where Anchor: ~Copyable {
  /// Makes `change` together with a new root device tree, in which a subtree is missing, new, or both.
  ///
  /// - Throws: with nothing changed and nothing kept of `frames`.
  mutating func edit<Frames: BlockSource & ~Copyable>(
    _ change: HandoverChange, adding new: (name: String, range: PhysicalRange)?,
    removing old: String?, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let block = try writeDeviceTree(adding: new, removing: old, from: &frames)
    var change = change
    change.preserved.append(.frames(FrameRange(block, in: geometry)))
    change.deviceTree = block.address
    let former = deviceTree
    change.unpreserved.append(.frames(FrameRange(former, in: geometry)))
    do throws(OutgoingHandoverError) {
      try refuseScratch(block)
      try prepare(change, from: &frames)
    } catch {
      frames.giveBack(block, in: geometry)
      throw error
    }
    commit(change)
    deviceTree = block
    frames.giveBack(former, in: geometry)
  }

  /// Writes the new device tree into a block of its own, the smallest that holds it.
  private func writeDeviceTree<Frames: BlockSource & ~Copyable>(
    adding new: (name: String, range: PhysicalRange)?, removing old: String?,
    from frames: inout Frames
  ) throws(OutgoingHandoverError) -> PhysicalBlock {
    var order = PageOrder.zero
    while true {
      guard let block = frames.takeBlock(order) else {
        throw .outOfFrames(frameCount: order.frameCount)
      }
      var failure: OutgoingHandoverError?
      do throws(DeviceTreeEditError) {
        try write(into: block, adding: new, removing: old)
        return block
      } catch {
        switch error {
        case .unwritable(.outOfRoom(let byteCount)):
          let larger = geometry.smallestOrder(holding: UInt64(byteCount))
          // Names that did not fit may have been counted twice; the order grows all the same.
          order = max(larger, PageOrder(Int(order.rawValue) &+ 1))
          if UInt64(byteCount) > RootDeviceTree.largestByteCount {
            failure = .deviceTreeTooLarge(
              byteCount: UInt64(byteCount), limit: RootDeviceTree.largestByteCount)
          }
        case .unwritable(let error): failure = .deviceTreeUnwritable(error)
        case .childExists: failure = .subtreeExists
        case .noSuchChild: failure = .noSuchSubtree
        case .malformed(let error): failure = .deviceTreeDamaged(error)
        case .noSuchProperty(let offset), .wrongByteCount(_, let offset):
          preconditionFailure("an edit of a property that nobody asked for, at \(offset)")
        case .unsupportedLayout:
          preconditionFailure("an edit in place that nobody asked for")
        }
      }
      frames.giveBack(block, in: geometry)
      if let failure { throw failure }
    }
  }

  private func write(
    into block: PhysicalBlock, adding new: (name: String, range: PhysicalRange)?,
    removing old: String?
  ) throws(DeviceTreeEditError) {
    let written: Void? = try memory.withBytes(in: deviceTree.range(in: geometry)) {
      (bytes) throws(DeviceTreeEditError) in
      try memory.withMutableBytes(in: block.range(in: geometry)) {
        (target) throws(DeviceTreeEditError) in
        let tree: DeviceTree
        do throws(DeviceTreeError) { tree = try DeviceTree(validating: bytes) } catch {
          throw .malformed(error)
        }
        switch (new, old) {
        case (let new?, nil):
          _ = try tree.write(into: &target, addingChild: new.name) {
            (node) throws(DeviceTreeWriterError) in try version.write(new.range, to: &node)
          }
        case (nil, let old?):
          _ = try tree.write(into: &target, removingChild: old)
        case (let new?, let old?):
          // The version fixes which properties there are, and their sizes.
          _ = try tree.write(into: &target, replacingChild: old, with: new.name) {
            (node) throws(DeviceTreeWriterError) in try version.write(new.range, to: &node)
          }
        case (nil, nil):
          preconditionFailure("an edit that changes nothing")
        }
      }
    }
    precondition(written != nil, "the device tree lies in no memory")
  }
}

extension ABIVersion {
  /// Writes the properties of a subtree that lies in `range`.
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
