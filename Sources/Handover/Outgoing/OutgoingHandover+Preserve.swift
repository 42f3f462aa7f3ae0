public import MemoryAccess
public import PreservedPages

extension OutgoingHandover where Anchor: ~Copyable {
  /// Preserves one block (Linux: a folio).
  ///
  /// - Returns: whether it is new; preserving twice is one entry.
  /// - Throws: ``OutgoingHandoverError/misaligned(_:)``,
  ///   ``OutgoingHandoverError/outsideMemory(_:)``,
  ///   ``OutgoingHandoverError/overlapsScratch(_:_:)``,
  ///   ``OutgoingHandoverError/overlapsDeviceTree(_:deviceTree:)``,
  ///   ``OutgoingHandoverError/overlapsEntry(_:entry:)``,
  ///   ``OutgoingHandoverError/outOfFrames(frameCount:)``.
  /// - Complexity: O(orders in use · levels), and a frame for each node that is missing.
  @inlinable
  @discardableResult
  public mutating func preserve<Frames: FrameSource & ~Copyable>(
    _ block: PhysicalBlock, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> Bool {
    try refuseUnpreservable(block)
    return try preserveKey(of: block, from: &frames)
  }

  /// Marks a block that may be preserved.
  @inlinable
  @discardableResult
  mutating func preserveKey<Frames: FrameSource & ~Copyable>(
    of block: PhysicalBlock, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> Bool {
    do throws(RadixTreeError) {
      let isNew = try tree.insert(RadixKey(block, in: geometry), from: &frames)
      orders.insert(block.order)
      return isNew
    } catch {
      throw .outOfFrames(frameCount: 1)
    }
  }

  /// Preserves blocks of one order that follow each other, each as an entry of its own.
  ///
  /// Not one change: a process that is killed meanwhile leaves some of the blocks preserved. All that can
  /// fail is done before the first of them is. Blocks that were preserved already stay so.
  ///
  /// - Throws: as ``preserve(_:from:)-(PhysicalBlock,_)``; nothing has changed then.
  /// - Complexity: O(words of the run + orders in use · levels), and a frame for each node that is missing.
  @inlinable
  public mutating func preserve<Frames: FrameSource & ~Copyable>(
    _ run: BlockRun, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    guard run.blockCount > 0 else { return }
    try refuseUnpreservable(run)
    do throws(RadixTreeError) {
      try tree.insertRange(run, from: &frames)
    } catch {
      throw .outOfFrames(frameCount: 1)
    }
    orders.insert(run.order)
  }

  /// Preserves a run of frames, as naturally aligned blocks, the largest that fits first.
  ///
  /// All of the run is preserved, or nothing has changed. Blocks that were preserved already stay so.
  ///
  /// - Throws: as ``preserve(_:from:)-(PhysicalBlock,_)``.
  /// - Precondition: the run ends below 2^64 bytes.
  /// - Complexity: O(blocks · orders in use · levels); a run of n frames has O(log n) blocks.
  public mutating func preserve<Frames: FrameSource & ~Copyable>(
    _ range: FrameRange, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.preserved.append(.frames(range))
    try blocks.forEach(of: .frames(range)) { (block) throws(OutgoingHandoverError) in
      try refuseUnpreservable(block)
    }
    try prepare(change, from: &frames)
    commit(change)
  }

  /// Stops preserving a block.
  ///
  /// The nodes on the way stay, also where they are empty now: ``prune(into:)`` frees those.
  ///
  /// - Throws: ``OutgoingHandoverError/notPreserved(_:)``, also of a part of an entry;
  ///   ``OutgoingHandoverError/misaligned(_:)``;
  ///   ``OutgoingHandoverError/overlapsDeviceTree(_:deviceTree:)``;
  ///   ``OutgoingHandoverError/holdsSubtree(_:subtree:)`` of one that is still registered.
  /// - Complexity: O(levels + log subtrees).
  public mutating func unpreserve(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    try requireUnused(block)
    tree.remove(RadixKey(block, in: geometry))
  }

  /// Stops preserving a run of frames.
  ///
  /// - Throws: as ``unpreserve(_:)-(PhysicalBlock)`` of the first block that is not an entry: a run has to be
  ///   named with the start and the length with which it was preserved.
  /// - Precondition: the run ends below 2^64 bytes.
  /// - Complexity: O(blocks · (levels + log subtrees)).
  public mutating func unpreserve(_ range: FrameRange) throws(OutgoingHandoverError) {
    try unpreserve(item: .frames(range))
  }

  mutating func unpreserve(item: HandoverChange.Item) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.unpreserved.append(item)
    try blocks.forEach(of: item) { (block) throws(OutgoingHandoverError) in
      try requireUnused(block)
    }
    commit(change)
  }

  /// Unlinks the nodes that hold nothing and gives their pages back.
  ///
  /// - Returns: the number of nodes freed.
  /// - Complexity: O(nodes · page size).
  @discardableResult
  public mutating func prune<Frames: FrameSource & ~Copyable>(into frames: inout Frames) -> UInt64 {
    tree.prune(into: &frames)
  }

  /// Whether entries cover all pages of `range`.
  ///
  /// - Complexity: O(entries in the range · orders in use · levels).
  public func isPreserved(_ range: PhysicalRange) -> Bool { tree.covers(range, with: orders) }

  // MARK: Checks

  @inlinable
  func refuseUnpreservable(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    guard block.isNaturallyAligned(in: geometry) else { throw .misaligned(block) }
    let range = block.range(in: geometry)
    guard memory.contains(range) else { throw .outsideMemory(range) }
    try refuseScratch(block)
    try refuseDeviceTree(block)
    if let entry = tree.entry(overlapping: block, of: orders) {
      throw .overlapsEntry(block, entry: entry)
    }
  }

  @inlinable
  func refuseUnpreservable(_ run: BlockRun) throws(OutgoingHandoverError) {
    let first = run.firstBlock
    guard first.isNaturallyAligned(in: geometry) else { throw .misaligned(first) }
    let size = geometry.blockByteCount(run.order)
    let (byteCount, overflow) = run.blockCount.multipliedReportingOverflow(by: size)
    let range = PhysicalRange(checkedStart: run.address, byteCount: byteCount)
    guard !overflow, let range, memory.contains(range) else {
      throw .outsideMemory(PhysicalRange(start: run.address, byteCount: size))
    }
    if let area = scratchAreas.first(overlapping: range) {
      let start = max(area.range.start, run.address)
      throw .overlapsScratch(run.block(at: start, in: geometry), area)
    }
    if range.overlaps(deviceTree.range(in: geometry)) {
      let start = max(deviceTree.address, run.address)
      throw .overlapsDeviceTree(run.block(at: start, in: geometry), deviceTree: deviceTree)
    }
    if let entry = tree.entry(overlapping: run, of: orders) {
      let start = max(entry.address, run.address)
      throw .overlapsEntry(run.block(at: start, in: geometry), entry: entry)
    }
  }

  @inlinable
  func refuseScratch(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    if scratchAreas.isEmpty { return }
    if let area = scratchAreas.first(overlapping: block.range(in: geometry)) {
      throw .overlapsScratch(block, area)
    }
  }

  @inlinable
  func refuseDeviceTree(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    if block.range(in: geometry).overlaps(deviceTree.range(in: geometry)) {
      throw .overlapsDeviceTree(block, deviceTree: deviceTree)
    }
  }

  func requireEntry(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    guard block.isNaturallyAligned(in: geometry) else { throw .misaligned(block) }
    guard tree.contains(RadixKey(block, in: geometry)) else { throw .notPreserved(block) }
    try refuseDeviceTree(block)
  }

  /// Refuses a block that is not an entry, and one that a subtree is in.
  func requireUnused(_ block: PhysicalBlock) throws(OutgoingHandoverError) {
    try requireEntry(block)
    if let subtree = subtreePages.first(overlapping: block.range(in: geometry)) {
      throw .holdsSubtree(block, subtree: subtree)
    }
  }
}
