public import MemoryAccess

extension RadixTree {
  /// Whether the block that `key` names is marked.
  ///
  /// - Complexity: one word in the leaf used last; otherwise one load a level.
  @inlinable
  @inline(__always)
  public func contains(_ key: RadixKey) -> Bool {
    var address = wordNearPath(for: key)
    if _slowPath(address == .zero) {
      guard geometry.holds(key) else { return false }
      let leaf = nodes.leaf(for: key)
      if leaf == .zero { return false }
      address = nodes.wordAddress(of: key, in: leaf)
    }
    return memory.withWords(at: address, count: 1) {
      $0.load(0) &>> (key.rawValue & 63) & 1 != 0
    }
  }

  /// Where the word for `key` is, below the table of level 2 that its order used last; `.zero` where that
  /// is another table, or there is no leaf.
  ///
  /// For the page size of nearly all machines with shifts and masks that are constants: a third of the
  /// instructions less, so that a core has more keys in flight while each waits for memory.
  @inlinable
  @inline(__always)
  func wordNearPath(for key: RadixKey) -> PhysicalAddress {
    guard _fastPath(geometry.page.shift == 12) else {
      return Self.wordNear(key, cache, in: memory, geometry)
    }
    let nodes = RadixNodes<Memory, SoleAccess>(
      memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
    let index = RadixPathCache.index(of: key)
    let table = cache.rememberedTable(for: key, at: index, nodes.geometry)
    if _slowPath(table == .zero) { return .zero }
    return nodes.wordAddress(of: key, belowLevel2: table)
  }

  @inlinable
  @inline(never)
  static func wordNear(
    _ key: RadixKey, _ cache: borrowing RadixPathCache, in memory: Memory, _ geometry: RadixGeometry
  ) -> PhysicalAddress {
    let index = RadixPathCache.index(of: key)
    let table = cache.rememberedTable(for: key, at: index, geometry)
    if table == .zero { return .zero }
    return RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: .zero)
      .wordAddress(of: key, belowLevel2: table)
  }

  /// The smallest key; nil of an empty tree.
  ///
  /// The smallest key belongs to the largest order.
  ///
  /// - Complexity: O(levels · page size), more where emptied nodes stand before the first key.
  public var firstKey: RadixKey? { firstKey(atOrAfter: 0) }

  /// The smallest key above `key`; nil when there is none.
  ///
  /// - Complexity: as ``firstKey``.
  public func key(after key: RadixKey) -> RadixKey? {
    key.rawValue == .max ? nil : firstKey(atOrAfter: key.rawValue &+ 1)
  }

  /// The smallest key whose number is at least `number`; nil when there is none.
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
