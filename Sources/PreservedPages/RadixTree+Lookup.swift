public import MemoryAccess

extension RadixTree {
  /// Whether the block that `key` names is marked.
  ///
  /// - Complexity: three loads near a key used before; otherwise one load a level.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  public func contains(_ key: RadixKey) -> Bool {
    // One word, also of a path that is not remembered: then few instructions wait for it, and a core has more keys in
    // flight while each waits for memory.
    let word = nearWord(of: key) ?? Self.farWord(of: key, cache, in: nodes)
    return word &>> key.rawValue & 1 != 0
  }

  /// The word for `key`, below the table that is remembered for its order; nil if another table is, or none, or the leaf
  /// does not exist.
  ///
  /// With shifts and masks that are constants, and without a look at the page size: an entry for pages of another size
  /// matches no key here.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  func nearWord(of key: RadixKey) -> UInt64? {
    let nodes = RadixNodes<Memory, SoleAccess>(
      memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
    guard let table = cache.rememberedTable(for: key, nodes.geometry) else { return nil }
    // SAFETY: the memory has lent the page of each table that is remembered.
    let leaf = unsafe nodes.leaf(for: key, belowKnown: table)
    return _fastPath(leaf != .zero) ? nodes.word(of: key, in: leaf) : nil
  }

  /// The word for `key`, if no leaf was found with constants; 0 if the leaf does not exist.
  ///
  /// Never inlined, so that a hot loop keeps what it needs in registers.
  @_optimize(speed)
  @inlinable
  @inline(never)
  static func farWord(
    of key: RadixKey, _ cache: borrowing RadixPathCache, in nodes: RadixNodes<Memory, SoleAccess>
  ) -> UInt64 {
    guard nodes.geometry.holds(key) else { return 0 }
    let leaf =
      cache.rememberedTable(for: key, nodes.geometry).map { nodes.leaf(for: key, belowLevel2: $0) }
      ?? nodes.leaf(for: key)
    return leaf == .zero ? 0 : nodes.word(of: key, in: leaf)
  }

  /// The smallest key; nil of an empty tree.
  ///
  /// The smallest key belongs to the largest order.
  ///
  /// - Complexity: O(levels · page size), more where emptied nodes are before the first key.
  public var firstKey: RadixKey? { firstKey(atOrAfter: 0) }

  /// The smallest key above `key`; nil if none exists.
  ///
  /// - Complexity: as ``firstKey``.
  public func key(after key: RadixKey) -> RadixKey? {
    key.rawValue == .max ? nil : firstKey(atOrAfter: key.rawValue &+ 1)
  }

  /// The smallest key whose number is at least `number`; nil if none exists.
  ///
  /// - Complexity: as ``firstKey``.
  public func firstKey(atOrAfter number: UInt64) -> RadixKey? {
    var from = number
    while let leaf = firstLeaf(atOrAfter: from) {
      let first = leaf.firstKey.rawValue
      let start = from > first ? Int(truncatingIfNeeded: from &- first) : 0
      let found: UInt64? = withNode(leaf.address) { words in
        var index = start &>> 6
        var word = words.load(index) & (~0 &<< UInt64(start & 63))
        while word == 0 {
          index &+= 1
          if index == words.count { return nil }
          word = words.load(index)
        }
        return first &+ UInt64(index &* 64 &+ word.trailingZeroBitCount)
      }
      if let found { return RadixKey(rawValue: found) }
      from = first &+ geometry.leafKeyCount
    }
    return nil
  }

  /// The number of keys.
  ///
  /// Counted each time, since the tree keeps nothing beside what a successor reads.
  ///
  /// - Complexity: O(nodes · page size).
  public var count: UInt64 {
    var count: UInt64 = 0
    forEachLeaf(in: allLeaves) { _, words in
      var index = 0
      while index < words.count {
        let word = words.load(index)
        if word == 0 || word == .max {
          let next = words.firstIndex(from: index &+ 1, notAll: word != 0)
          if word != 0 { count &+= UInt64(next &- index) &* 64 }
          index = next
        } else {
          count &+= UInt64(word.nonzeroBitCount)
          index &+= 1
        }
      }
    }
    return count
  }

  /// Whether no key is in the tree.
  ///
  /// - Complexity: as ``firstKey``.
  public var isEmpty: Bool { firstKey == nil }
}
