public import MemoryModel

extension RadixTree {
  /// Unmarks the block that `key` names.
  ///
  /// The nodes on the way stay, also where they are empty now: ``prune(into:)`` frees those.
  ///
  /// - Returns: whether the key was there. A key that the tree could not hold never is.
  /// - Complexity: one word in the leaf used last; otherwise one load a level.
  @inlinable
  @discardableResult
  public mutating func remove(_ key: RadixKey) -> Bool {
    guard geometry.holds(key) else { return false }
    let prefix = key.rawValue &>> UInt64(geometry.leafBitCount)
    if prefix != recentPrefix {
      guard let leaf = leaf(for: key) else { return false }
      recentLeaf = leaf
      recentPrefix = prefix
    }
    let (word, mask) = bit(of: key)
    return withNode(recentLeaf) { words in
      let old = words.load(word)
      if old & mask == 0 { return false }
      words.publish(old & ~mask, at: word)
      return true
    }
  }

  /// Unlinks the nodes that hold nothing and gives their pages back; the root stays.
  ///
  /// - Returns: the number of nodes freed.
  /// - Complexity: O(nodes · page size).
  @discardableResult
  public mutating func prune<Frames: FrameSource & ~Copyable>(into frames: inout Frames) -> UInt64 {
    forgetLeaf()
    var freedCount: UInt64 = 0
    _ = pruneBelow(root, level: geometry.rootLevel, into: &frames, &freedCount)
    return freedCount
  }

  /// Frees the empty nodes below `node`, and tells whether that leaves `node` itself empty.
  func pruneBelow<Frames: FrameSource & ~Copyable>(
    _ node: PhysicalAddress, level: Int, into frames: inout Frames, _ freedCount: inout UInt64
  ) -> Bool {
    var isEmpty = true
    for index in 0..<geometry.page.pageWordCount {
      let word = withNode(node) { $0.load(index) }
      if word == 0 { continue }
      let child = PhysicalAddress(word)
      if level > 0, pruneBelow(child, level: level &- 1, into: &frames, &freedCount) {
        // Unlinked before it is given back: at no moment does the tree point at a free page.
        withNode(node) { $0.publish(0, at: index) }
        frames.giveBack(child)
        freedCount &+= 1
      } else {
        isEmpty = false
        if level == 0 { break }
      }
    }
    return isEmpty
  }

  /// Gives back every node, the root included.
  ///
  /// - Returns: the number of nodes freed.
  /// - Complexity: O(nodes · page size).
  @inline(never)
  @discardableResult
  public consuming func destroy<Frames: FrameSource & ~Copyable>(
    into frames: inout Frames
  ) -> UInt64 {
    // Swift 6.3.1 crashes on the consumed value in Embedded builds, both where this is inlined and
    // where `self` is used for the walk; hence the second value.
    let tree = RadixTree(adopting: root, in: memory, geometry: geometry)
    return tree.destroyBelow(root, level: geometry.rootLevel, into: &frames)
  }

  func destroyBelow<Frames: FrameSource & ~Copyable>(
    _ node: PhysicalAddress, level: Int, into frames: inout Frames
  ) -> UInt64 {
    var freedCount: UInt64 = 1
    if level > 0 {
      for slot in 0..<geometry.slotCount {
        let child = pointer(in: node, slot: slot)
        if child == .zero { continue }
        freedCount &+= destroyBelow(child, level: level &- 1, into: &frames)
      }
    }
    frames.giveBack(node)
    return freedCount
  }
}
