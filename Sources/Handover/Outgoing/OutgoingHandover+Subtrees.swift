import DeviceTreeBlob
public import MemoryAccess
import PreservedPages

// Subtrees: memory that a successor finds by name. Each change writes a new root device tree and
// switches the anchor's pointer, so no reader ever sees half of one.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Registers `range`, which is preserved, under `name`.
  ///
  /// - Throws: ``OutgoingHandoverError/subtreeExists``,
  ///   ``OutgoingHandoverError/subtreeNotPreserved(_:)``,
  ///   ``OutgoingHandoverError/outsideMemory(_:)`` of an empty range,
  ///   ``OutgoingHandoverError/outOfFrames(frameCount:)``,
  ///   ``OutgoingHandoverError/deviceTreeTooLarge(byteCount:limit:)``,
  ///   ``OutgoingHandoverError/deviceTreeUnwritable(_:)`` of a name that cannot be a node's,
  ///   ``OutgoingHandoverError/deviceTreeDamaged(_:)``.
  /// - Complexity: O(device tree + pages of the range).
  public mutating func addSubtree<Frames: BlockSource & ~Copyable>(
    _ range: PhysicalRange, named name: String, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    guard !range.isEmpty, memory.contains(range) else { throw .outsideMemory(range) }
    guard isPreserved(range) else { throw .subtreeNotPreserved(range) }
    try edit(HandoverChange(), adding: (name, range), removing: nil, from: &frames)
  }

  /// Takes the name from a subtree, whose memory stays preserved.
  ///
  /// - Throws: ``OutgoingHandoverError/noSuchSubtree``, and as ``addSubtree(_:named:from:)``.
  /// - Complexity: O(device tree).
  public mutating func removeSubtree<Frames: BlockSource & ~Copyable>(
    named name: String, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    try edit(HandoverChange(), adding: nil, removing: name, from: &frames)
  }

  /// Allocates memory for a subtree of `byteCount` bytes, lets `fill` write it, preserves it and
  /// registers it, all as one change: a successor finds the whole subtree or none.
  ///
  /// - Parameter byteCount: the size, in bytes.
  /// - Parameter name: the name.
  /// - Parameter frames: where frames come from.
  /// - Parameter fill: gets the bytes of whole pages, `byteCount` and more, filled with zeros.
  /// - Returns: the bytes of the subtree.
  /// - Throws: as ``addSubtree(_:named:from:)``.
  /// - Precondition: `byteCount` is not 0.
  /// - Complexity: O(device tree + bytes).
  @discardableResult
  public mutating func createSubtree<Frames: BlockSource & ~Copyable>(
    named name: String, byteCount: UInt64, from frames: inout Frames,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(OutgoingHandoverError) -> PhysicalRange {
    try create(named: name, byteCount: byteCount, replacing: nil, from: &frames, fill)
  }

  /// Puts a new subtree in the place of the one called `name`, as one change: a successor finds the
  /// old bytes or the new ones. The old memory is freed.
  ///
  /// - Returns: the bytes of the new subtree.
  /// - Throws: as ``createSubtree(named:byteCount:from:_:)``; ``OutgoingHandoverError/noSuchSubtree``;
  ///   ``OutgoingHandoverError/notPreserved(_:)`` where the old memory is not a run of frames of its
  ///   own, which it is where ``createSubtree(named:byteCount:from:_:)`` made it;
  ///   ``OutgoingHandoverError/holdsSubtree(_:subtree:)`` where another subtree is in it.
  /// - Precondition: `byteCount` is not 0, and the old frames came from `frames`.
  @discardableResult
  public mutating func replaceSubtree<Frames: BlockSource & ~Copyable>(
    named name: String, byteCount: UInt64, from frames: inout Frames,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(OutgoingHandoverError) -> PhysicalRange {
    let old = try ownFrames(ofSubtree: name)
    let new = try create(named: name, byteCount: byteCount, replacing: old, from: &frames, fill)
    frames.giveBack(old.frames)
    return new
  }

  /// Takes the name from a subtree, unpreserves its memory and frees it, as one change.
  ///
  /// - Throws: as ``removeSubtree(named:from:)``; ``OutgoingHandoverError/notPreserved(_:)`` where the
  ///   memory is not a run of frames of its own; ``OutgoingHandoverError/holdsSubtree(_:subtree:)``
  ///   where another subtree is in it.
  /// - Precondition: the frames came from `frames`.
  public mutating func removeSubtreeAndFree<Frames: BlockSource & ~Copyable>(
    named name: String, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let old = try ownFrames(ofSubtree: name)
    var change = HandoverChange()
    change.unpreserved.append(old.item)
    try edit(change, adding: nil, removing: name, from: &frames)
    frames.giveBack(old.frames)
  }

  /// Where the subtree called `name` is; `nil` if no subtree has that name.
  ///
  /// - Throws: ``OutgoingHandoverError/deviceTreeDamaged(_:)``.
  /// - Complexity: O(device tree).
  public func subtree(
    named name: String
  ) throws(OutgoingHandoverError) -> RootDeviceTree.Subtree? {
    try rootDeviceTree().subtrees.first { $0.name.hasBytes(of: name) }
  }

  /// What the root device tree says now.
  ///
  /// - Throws: ``OutgoingHandoverError/deviceTreeDamaged(_:)``.
  /// - Complexity: O(device tree).
  public func rootDeviceTree() throws(OutgoingHandoverError) -> RootDeviceTree {
    try memory.rootDeviceTree(in: deviceTree.range(in: geometry))
  }

  private mutating func create<Frames: BlockSource & ~Copyable>(
    named name: String, byteCount: UInt64, replacing old: OwnFrames?, from frames: inout Frames,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(OutgoingHandoverError) -> PhysicalRange {
    var change = HandoverChange()
    if let old { change.unpreserved.append(old.item) }
    return try create(
      named: name, byteCount: byteCount, replacing: old == nil ? nil : name, with: change,
      from: &frames, fill)
  }

  /// Allocates and fills a subtree, and makes `change` together with its registration.
  mutating func create<Frames: BlockSource & ~Copyable>(
    named name: String, byteCount: UInt64, replacing old: String?, with change: HandoverChange,
    from frames: inout Frames, _ fill: (inout MutableRawSpan) -> Void
  ) throws(OutgoingHandoverError) -> PhysicalRange {
    let memoryOfIt = try takeFrames(byteCount: byteCount, from: &frames)
    let pages = memoryOfIt.frames.range(in: geometry)
    let range = PhysicalRange(start: pages.start, byteCount: byteCount)
    var change = change
    change.preserved.append(memoryOfIt.item)
    do throws(OutgoingHandoverError) {
      try refuseScratch(memoryOfIt.frames)
      memory.clear(pages)
      memory.withMutableBytes(in: pages) { fill(&$0) }
      try edit(change, adding: (name, range), removing: old, from: &frames)
    } catch {
      frames.giveBack(memoryOfIt.frames)
      throw error
    }
    return range
  }

  /// Frames of a subtree's own, and how they are entries.
  struct OwnFrames {
    let item: HandoverChange.Item
    let frames: FrameRange
  }

  private func takeFrames<Frames: BlockSource & ~Copyable>(
    byteCount: UInt64, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> OwnFrames {
    require(that: byteCount > 0, "a subtree of nothing")
    let pageMask = UInt64(geometry.pageByteCount) &- 1
    let frameCount = byteCount &>> UInt64(geometry.shift) &+ (byteCount & pageMask == 0 ? 0 : 1)
    if version.subtreeSizeProperty == nil {
      // Only the entry shows the size, so the memory is one block.
      let order = PageOrder(64 &- (frameCount &- 1).leadingZeroBitCount)
      guard let block = frames.takeBlock(order) else {
        throw .outOfFrames(frameCount: order.frameCount)
      }
      return OwnFrames(item: .block(block), frames: FrameRange(block, in: geometry))
    }
    guard let run = frames.takeFrames(frameCount) else {
      throw .outOfFrames(frameCount: frameCount)
    }
    return OwnFrames(item: .frames(run), frames: run)
  }

  /// The frames of the subtree called `name`, which are entries as one run of frames is, or one
  /// block where nothing else shows the size, and no other subtree's.
  func ownFrames(ofSubtree name: String) throws(OutgoingHandoverError) -> OwnFrames {
    let subtrees = try rootDeviceTree().subtrees
    guard let subtree = subtrees.first(where: { $0.name.hasBytes(of: name) }) else {
      throw .noSuchSubtree
    }
    let own = try ownFrames(of: subtree)
    try blocks.forEach(of: own.item) { (block) throws(OutgoingHandoverError) in
      try requireEntry(block)
      for other in subtrees where !other.name.hasBytes(of: name) {
        let range = PhysicalRange(checkedStart: other.address, byteCount: other.byteCount ?? 1)
        if let range, range.overlaps(block.range(in: geometry)) {
          throw .holdsSubtree(block, subtree: range)
        }
      }
    }
    return own
  }

  private func ownFrames(
    of subtree: RootDeviceTree.Subtree
  ) throws(OutgoingHandoverError) -> OwnFrames {
    guard let byteCount = subtree.byteCount else {
      guard let entry = tree.entry(holding: subtree.address, of: orders) else {
        throw .subtreeNotPreserved(PhysicalRange(start: subtree.address, byteCount: 0))
      }
      return OwnFrames(item: .block(entry), frames: FrameRange(entry, in: geometry))
    }
    guard let range = PhysicalRange(checkedStart: subtree.address, byteCount: byteCount),
      !range.isEmpty
    else {
      throw .subtreeNotPreserved(PhysicalRange(start: subtree.address, byteCount: 0))
    }
    let run = FrameRange(covering: range, in: geometry)
    return OwnFrames(item: .frames(run), frames: run)
  }
}
