public import MemoryAccess

extension RadixTree {
  /// Unmarks the block that `key` names.
  ///
  /// The nodes on the way stay, also where they are empty now: ``prune(into:)`` frees those.
  ///
  /// - Returns: whether the key was there. A key that the tree could not hold never is.
  /// - Complexity: one word in the leaf used last; otherwise one load a level.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  @discardableResult
  public mutating func remove(_ key: RadixKey) -> Bool {
    let (memory, geometry, root) = (memory, geometry, root)
    let old = update(key) {
      $0 & ~key.mask
    } path: {
      Self.findWord(for: key, &$0, prefix: $1, in: memory, geometry, root: root)
    }
    return (old ?? 0) &>> key.rawValue & 1 != 0
  }

  /// Unlinks the nodes that hold nothing and gives their pages back; the root stays.
  ///
  /// - Returns: the number of nodes freed.
  /// - Complexity: O(nodes · page size).
  @discardableResult
  public mutating func prune<Frames: FrameSource & ~Copyable>(into frames: inout Frames) -> UInt64 {
    forgetPaths()
    var freedCount: UInt64 = 0
    _ = pruneBelow(root, level: geometry.rootLevel, into: &frames, &freedCount)
    return freedCount
  }

  /// Frees the empty nodes below `node`, and returns whether that leaves `node` itself empty.
  func pruneBelow<Frames: FrameSource & ~Copyable>(
    _ node: PhysicalAddress, level: Int, into frames: inout Frames, _ freedCount: inout UInt64
  ) -> Bool {
    var isEmpty = true
    var index = 0
    while true {
      // The words are looked through in one piece: asked for one by one, each costs a call.
      let (next, word) = withNode(node) { words in
        let next = words.firstIndex(from: index, notAll: false)
        return (next, next < words.count ? words.load(next) : 0)
      }
      guard word != 0 else { return isEmpty }
      let child = PhysicalAddress(word)
      if level > 0, pruneBelow(child, level: level &- 1, into: &frames, &freedCount) {
        // Unlinked before it is given back: at no moment does the tree point at a free page.
        withNode(node) { $0.publish(0, at: next) }
        frames.giveBack(child)
        freedCount &+= 1
      } else {
        isEmpty = false
        if level == 0 { return false }
      }
      index = next &+ 1
    }
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
        let child = nodes.pointer(in: node, slot: slot)
        if child == .zero { continue }
        freedCount &+= destroyBelow(child, level: level &- 1, into: &frames)
      }
    }
    frames.giveBack(node)
    return freedCount
  }
}
