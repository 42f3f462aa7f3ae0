public import MemoryAccess

extension RadixTree {
  /// Marks the blocks that `keys` name, which may come in any order.
  ///
  /// The keys are sorted in place, just far enough that those of 256 neighbouring leaves are
  /// together: a leaf that is made is still in the cache when its keys are marked, and one that is
  /// there is fetched once. Over 16 TiB, a key that comes alone waits for memory, and takes several
  /// times as long. Keys in ascending order are left as they are.
  ///
  /// - Returns: how many keys are new.
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` when a key names no block or is wider than the
  ///   tree: none is marked then. ``RadixTreeError/outOfFrames(level:)`` when the source runs dry:
  ///   some of the keys are marked then, as many as if they had been marked one by one. Marking all of
  ///   them again, once there are frames, marks the rest.
  /// - Complexity: O(keys · log(span of the keys)), and a frame for each node that is missing.
  @inlinable
  @discardableResult
  public mutating func insert<Frames: FrameSource & ~Copyable>(
    contentsOf keys: inout MutableSpan<RadixKey>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    let all = 0..<keys.count
    let (isAscending, bitCount) = try geometry.survey(keys.span)
    return isAscending
      ? try nodes.mark(keys.span, all, from: &frames)
      : try Self.insertBatch(&keys, all, bitCount, in: nodes, from: &frames)
  }

  /// Marks the keys at `range`, which differ in their low `bitCount` bits at most, sorted first where that
  /// saves more than it costs.
  @inlinable
  static func insertBatch<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, _ range: Range<Int>, _ bitCount: Int,
    in nodes: RadixNodes<Memory, SoleAccess>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    let together = nodes.geometry.batchBitCount
    // Few keys are not worth sorting.
    guard range.count > 64, bitCount > together else {
      return try nodes.mark(keys.span, range, from: &frames)
    }
    let shift = max(bitCount &- 6, together)
    let classes = keys.partition(range, byBitsFrom: shift)
    var newCount = 0
    for value in 0..<64 {
      let (blocks, rest) = classes[value]
      // Where one more pass is all that can be left, the keys are not looked at once more to see
      // whether it is needed.
      let left =
        shift > together &+ 6 && !blocks.isEmpty ? keys.span.differingBitCount(blocks) : shift
      newCount &+= try insertBatch(&keys, blocks, left, in: nodes, from: &frames)
      newCount &+= try nodes.mark(keys.span, rest, from: &frames)
    }
    return newCount
  }
}

extension RadixNodes {
  /// Marks the keys at `range`, one after the other; the leaves of neighbours are found in the same
  /// table.
  ///
  /// - Returns: how many keys are new.
  /// - Precondition: the tree has a place for each key.
  @inlinable
  func mark<Frames: FrameSource & ~Copyable>(
    _ keys: Span<RadixKey>, _ range: Range<Int>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    guard _fastPath(geometry == RadixGeometry(.pages4KiB)) else {
      return try markEach(keys, range, from: &frames)
    }
    // The same with shifts and masks that are constants.
    let nodes = Self(memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
    return try nodes.markEach(keys, range, from: &frames)
  }

  @inlinable
  @inline(__always)
  func markEach<Frames: FrameSource & ~Copyable>(
    _ keys: Span<RadixKey>, _ range: Range<Int>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    let part = keys.extracting(range)
    let shift = UInt64(truncatingIfNeeded: geometry.slotShift(level: 2))
    var newCount = 0
    var index = 0
    while index < part.count {
      var key = part[index]
      let prefix = key.rawValue &>> shift
      let table = try makeTable(for: key, from: &frames)
      // A table is looked at as a whole, so that each of its slots is known to be mapped.
      try memory.withWords(at: table, count: geometry.page.pageWordCount) {
        (slots) throws(RadixTreeError) in
        while true {
          let slot = geometry.slot(of: key, level: 1)
          var leaf = PhysicalAddress(slots.load(slot))
          if _slowPath(leaf == .zero) { leaf = try makeLeaf(in: table, slot: slot, from: &frames) }
          let mask = (1 as UInt64) &<< key.rawValue
          memory.withWords(at: wordAddress(of: key, in: leaf), count: 1) { words in
            let old = words.load(0)
            words.publish(old | mask, at: 0)
            newCount &+= old & mask == 0 ? 1 : 0
          }
          index &+= 1
          guard index < part.count else { return }
          key = part[index]
          guard key.rawValue &>> shift == prefix else { return }
        }
      }
    }
    return newCount
  }

  /// The table of level 1 for `key`, made with the leaf below it where it is missing.
  @inlinable
  @inline(never)
  func makeTable<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    let table = node(for: key, level: 1)
    if table != .zero { return table }
    _ = try makeLeaf(for: key, from: &frames)
    return node(for: key, level: 1)
  }

  /// A new leaf, linked at `slot` of a table of level 1.
  @inlinable
  @inline(never)
  func makeLeaf<Frames: FrameSource & ~Copyable>(
    in table: PhysicalAddress, slot: Int, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard let leaf = frames.takeFrame() else { throw .outOfFrames(level: 0) }
    setPointer(leaf, in: table, slot: slot)
    return leaf
  }
}

extension RadixGeometry {
  /// The keys that a batch brings together differ in so many bits at most: 1 MiB of leaves, as much
  /// as a core's own cache, where the pages are of 4 KiB; and one table of level 1 points to them.
  @inlinable
  var batchBitCount: Int { leafBitCount &+ min(8, tableBitCount) }

  /// Whether `keys` ascend, and how many of their low bits they differ in, at most.
  ///
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` of the first key that the tree has no place for.
  @inlinable
  func survey(
    _ keys: Span<RadixKey>
  ) throws(RadixTreeError) -> (isAscending: Bool, differingBitCount: Int) {
    guard !keys.isEmpty else { return (true, 0) }
    var end = 1
    while end < keys.count, keys[end &- 1] <= keys[end] { end &+= 1 }
    let isAscending = end == keys.count
    // Of keys in order, the first and the last differ in the most bits, and no other is outside of the tree.
    var all = keys[0].rawValue | keys[end &- 1].rawValue
    var common = keys[0].rawValue & keys[end &- 1].rawValue
    // Below 2, the highest bit is set in what is left of a key from which 2 is taken.
    var borrowed = keys[0].rawValue &- 2
    for index in end..<keys.count {
      let key = keys[index].rawValue
      all |= key
      common &= key
      borrowed |= key &- 2
    }
    if all >= keyEnd || borrowed &>> 63 != 0 {
      for index in keys.indices where !holds(keys[index]) { throw .keyOutsideTree(keys[index]) }
    }
    let differing = all ^ common
    return (isAscending, 64 &- differing.leadingZeroBitCount)
  }
}
