public import MemoryAccess

extension RadixNodes {
  /// The leaf for `key`, made with the tables above it where it is missing.
  @inlinable
  func makeLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard geometry.holds(key) else { throw .keyOutsideTree(key) }
    var path = RadixTablePath()
    return try makePath(
      to: key, below: root, level: geometry.rootLevel, &path, from: &frames)
  }

  /// The leaf for `key`, on a path from the node `start` of `level` that is made where it is missing.
  ///
  /// - Precondition: the tree has a place for the key, and `start` is on the path to it.
  @inlinable
  @inline(__always)
  func makePath<Frames: FrameSource & ~Copyable>(
    to key: RadixKey, below start: PhysicalAddress, level top: Int, _ path: inout RadixTablePath,
    from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    var node = start
    var level = top
    while level > 0 {
      path.level2 = path.level1
      path.level1 = node
      let slot = geometry.slot(of: key, level: level)
      var next = pointer(in: node, slot: slot)
      if next == .zero {
        let new = try makeUnlinkedPath(to: key, topLevel: level &- 1, from: &frames)
        // The one store that makes the path part of the tree.
        let first = link(new, in: node, slot: slot)
        if first != .zero {
          // Another thread linked a path between the load and the store. No thread has seen this one.
          giveBackPath(from: new, level: level &- 1, to: key, into: &frames)
        }
        next = first == .zero ? new : first
      }
      node = next
      level &-= 1
    }
    return node
  }

  /// An unlinked path of new nodes from `topLevel` down to an empty leaf for `key`.
  ///
  /// Built from the leaf up, so that what is taken is linked at every moment: when the source has no more
  /// frames, the path itself shows what to give back.
  @inlinable
  @inline(never)
  func makeUnlinkedPath<Frames: FrameSource & ~Copyable>(
    to key: RadixKey, topLevel: Int, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard var top = frames.takeFrame() else { throw .outOfFrames(level: 0) }
    var level = 1
    while level <= topLevel {
      guard let table = frames.takeFrame() else {
        giveBackPath(from: top, level: level &- 1, to: key, into: &frames)
        throw .outOfFrames(level: level)
      }
      setPointer(top, in: table, slot: geometry.slot(of: key, level: level))
      top = table
      level &+= 1
    }
    return top
  }

  @inlinable
  @inline(never)
  func giveBackPath<Frames: FrameSource & ~Copyable>(
    from top: PhysicalAddress, level topLevel: Int, to key: RadixKey, into frames: inout Frames
  ) {
    var node = top
    var level = topLevel
    while level > 0 {
      let below = pointer(in: node, slot: geometry.slot(of: key, level: level))
      frames.giveBack(node)
      node = below
      level &-= 1
    }
    frames.giveBack(node)
  }
}
