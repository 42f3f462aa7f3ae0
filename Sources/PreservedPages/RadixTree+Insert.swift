public import MemoryAccess

extension RadixTree {
  /// Marks the block that `key` names.
  ///
  /// - Returns: whether the key is new; marking twice is one entry.
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` of a key that names no block or is wider than
  ///   the tree, ``RadixTreeError/outOfFrames(level:)`` when the source has too few frames for the
  ///   nodes that are missing; those already taken are given back.
  /// - Complexity: one word in the leaf used last; otherwise one load a level, and one frame for
  ///   each node that is missing.
  @inlinable
  @inline(__always)
  @discardableResult
  public mutating func insert<Frames: FrameSource & ~Copyable>(
    _ key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> Bool {
    let mask = (1 as UInt64) &<< key.rawValue
    if _fastPath(key.rawValue &>> 6 == trail.wordNumber) {
      return updateTrailWord { $0 | mask } & mask == 0
    }
    var address = wordNearTrail(for: key)
    if _slowPath(address == .zero) {
      let way = try Self.makeWay(to: key, in: memory, geometry, root: root, from: &frames)
      trail.tables[RadixTrail.place(of: way.table.prefix)] = way.table
      address = nodes.wordAddress(of: key, in: way.leaf)
    }
    let old = memory.withWords(at: address, count: 1) { words in
      let old = words.load(0)
      // Stored also where nothing changes: among keys in no order, the branch costs more.
      words.publish(old | mask, at: 0)
      return old
    }
    rememberWord(of: key, at: address, holding: old | mask)
    return old & mask == 0
  }
}
