import MemoryAccess
import PreservedPages

// How several stores become one operation: prepare everything, then begin, mark, switch, unmark, end.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Makes the nodes that the entries of `change` need.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``; the nodes made are freed again.
  ///   ``OutgoingHandoverError/areaDamaged(_:)``.
  mutating func prepare<Frames: FrameSource & ~Copyable>(
    _ change: borrowing HandoverChange, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let blocks = self.blocks
    for index in 0..<change.preserved.count {
      do throws(OutgoingHandoverError) {
        try blocks.forEach(of: change.preserved[index]) { (block) throws(OutgoingHandoverError) in
          try prepare(block, from: &frames)
        }
      } catch {
        for item in 0...index { pruneNodes(of: change.preserved[item], into: &frames) }
        throw error
      }
    }
  }

  // What is done with each block is compiled once, not into each loop over blocks.

  @inline(never)
  private func prepare<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    do throws(RadixTreeError) {
      try tree.prepare(RadixKey(block, in: geometry), from: &frames)
    } catch {
      throw .outOfFrames(frameCount: 1)
    }
  }

  /// Marks a block that was prepared.
  @inline(never)
  mutating func mark(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    guard tree.insertPrepared(RadixKey(block, in: geometry)) != nil else {
      throw .outOfFrames(frameCount: 1)
    }
    orders.insert(block.order)
  }

  @inline(never)
  private mutating func unmark(_ block: PhysicalBlock) {
    tree.remove(RadixKey(block, in: geometry))
  }

  /// Frees the nodes of `item` that hold nothing.
  mutating func pruneNodes<Frames: FrameSource & ~Copyable>(
    of item: HandoverChange.Item, into frames: inout Frames
  ) {
    let blocks = self.blocks
    let page = geometry
    // An area that is damaged behind some block was prepared no further than there.
    try? blocks.forEach(of: item) { (block) throws(OutgoingHandoverError) in
      tree.prune(along: RadixKey(block, in: page), into: &frames)
    }
  }

  /// Makes a change that was prepared. Cannot fail.
  mutating func commit(_ change: borrowing HandoverChange) {
    // A single block is one bit, which is before or after its store: nothing to record.
    let isRecorded = !isOneBit(change)
    if isRecorded { anchor.begin(change) }
    do throws(OutgoingHandoverError) {
      try mark(change)
      try switchAndUnmark(change)
    } catch {
      Panic.end("a change that was prepared cannot be made")
    }
    if isRecorded { anchor.end() }
  }

  private func isOneBit(_ change: borrowing HandoverChange) -> Bool {
    guard change.deviceTree == nil, change.preserved.count &+ change.unpreserved.count == 1
    else { return false }
    switch change.preserved.count == 1 ? change.preserved[0] : change.unpreserved[0] {
    case .block: return true
    case .frames(let frames):
      var blocks = NaturalBlocks(frames, in: geometry, nodeStarts: nodeStarts)
      return blocks.next() != nil && blocks.next() == nil
    case .area, .keys: return false
    }
  }

  /// Completes a change that was begun, and perhaps made in part, as the anchor recorded it.
  ///
  /// The first thing to do after adopting: an allocator that is made from the entries before it would hand out
  /// memory that the change names. It needs no frames; the process that began the change took them.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``,
  ///   ``OutgoingHandoverError/misaligned(_:)``, ``OutgoingHandoverError/outsideMemory(_:)``,
  ///   ``OutgoingHandoverError/areaDamaged(_:)``, ``OutgoingHandoverError/deviceTreeDamaged(_:)`` or
  ///   ``OutgoingHandoverError/deviceTreeNotPreserved(_:)``: all of them only if the record was
  ///   damaged. The device tree has not been switched then.
  public mutating func complete(
    _ change: borrowing HandoverChange
  ) throws(OutgoingHandoverError) {
    for index in 0..<change.preserved.count { try check(change.preserved[index]) }
    for index in 0..<change.unpreserved.count { try check(change.unpreserved[index]) }
    try mark(change)
    if let new = change.deviceTree {
      guard let block = tree.entry(holding: new, of: orders), block.address == new else {
        throw .deviceTreeNotPreserved(new)
      }
      subtreePages = SubtreePages(of: try memory.rootDeviceTree(in: block.range(in: geometry)))
      deviceTree = block
    }
    try switchAndUnmark(change)
    anchor.end()
  }

  /// Refuses an item that cannot be one: the record may contain anything.
  private func check(_ item: HandoverChange.Item) throws(OutgoingHandoverError) {
    let page = geometry
    let memory = self.memory
    if case .frames(let frames) = item, frames.frameCount > 0 {
      let largest = UInt64.max &>> UInt64(page.shift)
      guard frames.frameCount <= largest, frames.end.rawValue &- 1 <= largest else {
        throw .outsideMemory(PhysicalRange(start: .zero, byteCount: .max))
      }
    }
    try blocks.forEach(of: item) { (block) throws(OutgoingHandoverError) in
      guard block.isNaturallyAligned(in: page) else { throw .misaligned(block) }
      let range = block.range(in: page)
      guard memory.contains(range) else { throw .outsideMemory(range) }
    }
  }

  private mutating func mark(_ change: borrowing HandoverChange) throws(OutgoingHandoverError) {
    let blocks = self.blocks
    for index in 0..<change.preserved.count {
      try blocks.forEach(of: change.preserved[index]) { (block) throws(OutgoingHandoverError) in
        try mark(block)
      }
    }
  }

  private mutating func switchAndUnmark(
    _ change: borrowing HandoverChange
  ) throws(OutgoingHandoverError) {
    let blocks = self.blocks
    if let new = change.deviceTree { anchor.switchDeviceTree(to: new) }
    for index in 0..<change.unpreserved.count {
      try blocks.forEach(of: change.unpreserved[index]) { (block) throws(OutgoingHandoverError) in
        unmark(block)
      }
    }
  }

  /// What turns an item into blocks here.
  var blocks: ItemBlocks<Memory> {
    ItemBlocks(memory: memory, geometry: geometry, nodeStarts: nodeStarts)
  }
}

/// Cuts the items of a change into blocks.
struct ItemBlocks<Memory: PhysicalMemory> {
  let memory: Memory
  let geometry: PageGeometry
  let nodeStarts: [FrameNumber]

  /// Calls `body` with every block that `item` represents.
  ///
  /// - Throws: ``OutgoingHandoverError/areaDamaged(_:)`` and the error of `body`.
  func forEach(
    of item: HandoverChange.Item,
    _ body: (PhysicalBlock) throws(OutgoingHandoverError) -> Void
  ) throws(OutgoingHandoverError) {
    switch item {
    case .block(let block): try body(block)
    case .frames(let range):
      var blocks = NaturalBlocks(range, in: geometry, nodeStarts: nodeStarts)
      while let block = blocks.next() { try body(block) }
    case .area(let listed): try forEach(of: ItemBlockIterator(area: listed, self), body)
    case .keys(let first): try forEach(of: ItemBlockIterator(keys: first, self), body)
    }
  }

  /// A function of its own: one that has a generic value looks up that type at its start when it is not specialized,
  /// which takes longer than what is done with a run of frames.
  @inline(never)
  private func forEach(
    of listed: ItemBlockIterator<Memory>,
    _ body: (PhysicalBlock) throws(OutgoingHandoverError) -> Void
  ) throws(OutgoingHandoverError) {
    var blocks = listed
    while let block = try blocks.next() { try body(block) }
  }
}
