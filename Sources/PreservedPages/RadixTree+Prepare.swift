public import MemoryAccess

extension RadixTree {
  /// Makes the nodes that `key` needs, and marks nothing: a later ``insert(_:from:)`` of the key
  /// cannot fail.
  ///
  /// What changes several entries at once prepares all of them first, and marks when nothing can go
  /// wrong any more.
  ///
  /// - Throws: as ``insert(_:from:)``; those nodes of the key already taken are given back.
  /// - Complexity: as ``insert(_:from:)``.
  @inlinable
  public func prepare<Frames: FrameSource & ~Copyable>(
    _ key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) {
    _ = try nodes.makeLeaf(for: key, from: &frames)
  }

  /// Marks a block whose nodes were prepared.
  ///
  /// - Returns: whether the key is new; nil, and nothing is marked, if a node is missing.
  /// - Complexity: as ``remove(_:)``.
  @discardableResult
  @inline(never)
  package mutating func insertPrepared(_ key: RadixKey) -> Bool? {
    let (memory, geometry, root) = (memory, geometry, root)
    let old = update(key) {
      $0 | key.mask
    } path: {
      Self.findWord(for: key, &$0, prefix: $1, in: memory, geometry, root: root)
    }
    return old.map { $0 &>> key.rawValue & 1 == 0 }
  }

  /// Unlinks the nodes on the way to `key` that hold nothing, and gives their pages back; the root
  /// stays.
  ///
  /// - Returns: the number of nodes freed.
  /// - Complexity: O(levels · page size).
  @discardableResult
  public mutating func prune<Frames: FrameSource & ~Copyable>(
    along key: RadixKey, into frames: inout Frames
  ) -> UInt64 {
    guard geometry.holds(key) else { return 0 }
    var path = InlineArray<56, PhysicalAddress>(repeating: .zero)
    path[geometry.rootLevel] = root
    var level = geometry.rootLevel
    while level > 0 {
      let below = nodes.pointer(in: path[level], slot: geometry.slot(of: key, level: level))
      if below == .zero { break }
      level &-= 1
      path[level] = below
    }
    var freedCount: UInt64 = 0
    while level < geometry.rootLevel, isEmptyNode(path[level]) {
      forgetPaths()
      // Unlinked before it is given back: at no moment does the tree point at a free page.
      let slot = geometry.slot(of: key, level: level &+ 1)
      withNode(path[level &+ 1]) { $0.publish(0, at: slot) }
      frames.giveBack(path[level])
      freedCount &+= 1
      level &+= 1
    }
    return freedCount
  }

  private func isEmptyNode(_ node: PhysicalAddress) -> Bool {
    withNode(node) { $0.firstIndex(from: 0, notAll: false) == $0.count }
  }
}
