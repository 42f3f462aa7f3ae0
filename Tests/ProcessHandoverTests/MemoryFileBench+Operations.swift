import HandoverTestSupport
import KexecHandover

@testable import ProcessHandover

extension MemoryFileBench {
  typealias Operation = @Sendable (inout MemoryFileBench) throws -> Void

  /// Operations that store one bit: no record decides.
  static let singleStores: Set<String> = ["allocate a block", "free a block"]

  /// Everything that changes what a successor finds.
  static let operations: [String: Operation] = [
    "allocate a block": { _ = try $0.outgoing.allocatePreserved(PageOrder(3), from: &$0.frames) },
    "allocate a run": {
      _ = try $0.outgoing.allocatePreserved(frameCount: 5, from: &$0.frames)
    },
    "allocate an area": {
      _ = try $0.outgoing.allocatePreservedArea(blockCount: 4, from: &$0.frames)
    },
    "free a block": { try $0.outgoing.unpreserveAndFree($0.block, into: &$0.frames) },
    "free a run": { try $0.outgoing.unpreserveAndFree($0.run, into: &$0.frames) },
    "free an area": { try $0.outgoing.unpreserveAndFree($0.area, into: &$0.frames) },
    "make a region": {
      try $0.outgoing.createSubtree(named: "new", byteCount: 5000, from: &$0.frames) {
        $0.storeBytes(of: 1, toByteOffset: 4999, as: UInt8.self)
      }
    },
    "replace a region": {
      try $0.outgoing.replaceSubtree(named: "text", byteCount: 9000, from: &$0.frames) {
        $0.storeBytes(of: 2, toByteOffset: 8999, as: UInt8.self)
      }
    },
    "remove a region": {
      try $0.outgoing.removeSubtreeAndFree(named: "text", from: &$0.frames)
    },
    "make a named area": {
      _ = try $0.outgoing.createAreaSubtree(
        named: "another", blockCount: 3, order: PageOrder(1), from: &$0.frames)
    },
    "remove a named area": {
      try $0.outgoing.removeAreaSubtreeAndFree(named: "area", from: &$0.frames)
    },
    "name a block": {
      try $0.outgoing.addSubtree(
        $0.block.range(in: geometry), named: "block", from: &$0.frames)
    },
    "remove a name": { try $0.outgoing.removeSubtree(named: "text", from: &$0.frames) },
    "move the device tree": {
      let block = $0.frames.takeBlock($0.outgoing.deviceTree.order)!
      let isMoved = $0.outgoing.moveDeviceTree(to: block, from: &$0.frames)
      precondition(isMoved)
    },
    "take over afresh": { try $0.takeOverAfresh() },
  ]

  /// Builds a second handover beside the first, of some of what that holds, and switches.
  private mutating func takeOverAfresh() throws {
    var incoming = try IncomingHandover(
      at: outgoing.anchor.deviceTree, in: memory, geometry: Self.geometry)
    outgoing.anchor.beginNext()
    outgoing = try Outgoing(
      in: memory, geometry: Self.geometry, anchor: try Superblock(reading: memory), from: &frames)
    let text = try incoming.subtree(named: "text").subtree
    let range = PhysicalRange(start: text.address, byteCount: text.byteCount ?? 0)
    let frameRange = FrameRange(covering: range, in: Self.geometry)
    try incoming.restore(frameRange, from: &frames)
    try outgoing.preserve(frameRange, from: &frames)
    try outgoing.addSubtree(range, named: "text", from: &frames)
    try incoming.restore(area, from: &frames)
    try outgoing.preserve(area, from: &frames)
    outgoing.anchor.switchToNext()
  }
}
