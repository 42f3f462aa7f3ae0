public import MemoryAccess

extension RadixNodes {
  /// The leaf for `key`, made with the tables above it where it is missing.
  @inlinable
  func makeLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard geometry.holds(key) else { throw .keyOutsideTree(key) }
    var node = root
    var level = geometry.rootLevel
    while level > 0 {
      let slot = geometry.slot(of: key, level: level)
      let next = pointer(in: node, slot: slot)
      if next == .zero {
        let (top, leaf) = try makePath(to: key, topLevel: level &- 1, from: &frames)
        // The one store that makes the path part of the tree.
        setPointer(top, in: node, slot: slot)
        return leaf
      }
      node = next
      level &-= 1
    }
    return node
  }

  /// An unlinked path of new nodes from `topLevel` down to an empty leaf for `key`.
  ///
  /// Built from the leaf up, so that what is taken hangs together at every moment: when the source
  /// runs dry the path itself tells what to give back.
  @inlinable
  func makePath<Frames: FrameSource & ~Copyable>(
    to key: RadixKey, topLevel: Int, from frames: inout Frames
  ) throws(RadixTreeError) -> (top: PhysicalAddress, leaf: PhysicalAddress) {
    guard let leaf = frames.takeFrame() else { throw .outOfFrames(level: 0) }
    var top = leaf
    var level = 1
    while level <= topLevel {
      guard let table = frames.takeFrame() else {
        giveBackPath(from: top, level: level &- 1, to: key, into: &frames)
        throw .outOfFrames(level: level)
      }
      let below = top
      let slot = geometry.slot(of: key, level: level)
      setPointer(below, in: table, slot: slot)
      top = table
      level &+= 1
    }
    return (top, leaf)
  }

  @inlinable
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
