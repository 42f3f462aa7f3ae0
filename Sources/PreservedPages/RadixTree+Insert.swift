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
  @_optimize(speed)
  @inlinable
  @inline(__always)
  @discardableResult
  public mutating func insert<Frames: FrameSource & ~Copyable>(
    _ key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> Bool {
    let (memory, geometry, root) = (memory, geometry, root)
    let old = try update(key) {
      $0 | key.mask
    } path: { (cache, prefix) throws(RadixTreeError) in
      try Self.makeWord(
        for: key, &cache, prefix: prefix, in: memory, geometry, root: root, from: &frames)
    }
    // The path is there, or an error was thrown.
    return (old ?? 0) &>> key.rawValue & 1 == 0
  }
}
