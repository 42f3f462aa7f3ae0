public import MemoryAccess

extension RadixTree {
  /// Calls `body` with every key, smallest first: larger orders before smaller ones, and by address
  /// within an order.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + keys).
  @_optimize(speed)
  #if hasFeature(Embedded)
    // A specialized copy would not keep the attribute above.
    @inline(__always)
  #endif
  @inlinable
  public func forEachKey<Failure: Error>(
    _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachKey(in: allLeaves, body)
  }

  /// Calls `body` with every key of a part of the tree.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: as ``forEachKey(_:)``, of the part.
  @_optimize(speed)
  #if hasFeature(Embedded)
    // A specialized copy would not keep the attribute above.
    @inline(__always)
  #endif
  @inlinable
  public func forEachKey<Failure: Error>(
    in part: RadixTreePart, _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    var buffer = RadixKeyBuffer()
    try forEachLeaf(in: part) { (leaf, words) throws(Failure) in
      try Self.forEachKey(of: leaf, words, &buffer, body)
    }
  }

  /// Calls `body` with every key of a leaf.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  static func forEachKey<Failure: Error>(
    of leaf: RadixNode, _ words: borrowing MemoryWords, _ buffer: inout RadixKeyBuffer,
    _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    // As many words at a time as the buffer distinguishes: with pages of 4 KiB, the whole leaf.
    var start = 0
    while start < words.count {
      let end = min(start &+ RadixKeyBuffer.wordLimit, words.count)
      let first = leaf.firstKey.rawValue &+ UInt64(start) &* 64
      var index = start
      var count = 0
      while index < end {
        let word = words.load(index)
        if word != 0, word != .max {
          count = buffer.append(word, at: index &- start, behind: count)
          index &+= 1
          if count <= RadixKeyBuffer.countLimit { continue }
        }
        if word == 0 {
          index = words.firstIndex(from: index &+ 1, notAll: false)
          continue
        }
        try buffer.forEach(count, from: first, body)
        count = 0
        if word == .max {
          // Every key of the word: no search for the next bit.
          let base = leaf.firstKey.rawValue &+ UInt64(index) &* 64
          for bit in 0..<64 as Range<UInt64> { try body(RadixKey(rawValue: base &+ bit)) }
          index &+= 1
        }
      }
      try buffer.forEach(count, from: first, body)
      // Empty words may lead beyond the end.
      start = max(end, index & ~(RadixKeyBuffer.wordLimit &- 1))
    }
  }

  /// Calls `body` with every node, a table before what hangs below it.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(tables · page size + leaves).
  public func forEachNode<Failure: Error>(
    _ body: (RadixNode) throws(Failure) -> Void
  ) throws(Failure) {
    try walkNodes(
      RadixNode(address: root, level: geometry.rootLevel, firstKey: RadixKey(rawValue: 0)), body)
  }

  func walkNodes<Failure: Error>(
    _ node: RadixNode, _ body: (RadixNode) throws(Failure) -> Void
  ) throws(Failure) {
    try body(node)
    guard node.level > 0 else { return }
    let shift = UInt64(geometry.slotShift(level: node.level))
    for slot in 0..<geometry.slotCount {
      let child = nodes.pointer(in: node.address, slot: slot)
      if child == .zero { continue }
      let firstKey = node.firstKey.rawValue &+ UInt64(slot) &<< shift
      try walkNodes(
        RadixNode(
          address: child, level: node.level &- 1, firstKey: RadixKey(rawValue: firstKey)), body)
    }
  }

  /// Calls `body` with every leaf of a part and its words, in the order of their keys.
  ///
  /// From table to table of level 1: the way down from the root is gone once for 512 leaves.
  @_optimize(speed)
  #if hasFeature(Embedded)
    // A specialized copy would not keep the attribute above.
    @inline(__always)
  #endif
  @inlinable
  func forEachLeaf<Failure: Error>(
    in part: RadixTreePart, _ body: (RadixNode, borrowing MemoryWords) throws(Failure) -> Void
  ) throws(Failure) {
    var from = part.start
    while from < part.end, let table = firstNode(level: 1, atOrAfter: from) {
      var first = max(from & ~(geometry.leafKeyCount &- 1), table.firstKey.rawValue)
      var slot = geometry.slot(of: RadixKey(rawValue: first), level: 1)
      while slot < geometry.slotCount, first < part.end {
        let child = nodes.pointer(in: table.address, slot: slot)
        if child != .zero {
          let leaf = RadixNode(address: child, level: 0, firstKey: RadixKey(rawValue: first))
          try withNode(child) { (words) throws(Failure) in try body(leaf, words) }
        }
        slot &+= 1
        first &+= geometry.leafKeyCount
      }
      from = first
    }
  }

  /// The leaf of the smallest keys that holds a number of at least `number`; nil if none exists.
  ///
  /// Goes down from the root each time: a few loads for a page of bits, and no stack to keep.
  @inlinable
  func firstLeaf(atOrAfter number: UInt64) -> RadixNode? { firstNode(level: 0, atOrAfter: number) }

  /// The node of `wanted` level of the smallest keys that could hold a number of at least `number`;
  /// nil if none exists.
  @_optimize(speed)
  @inlinable
  func firstNode(level wanted: Int, atOrAfter number: UInt64) -> RadixNode? {
    var from = number
    descent: while from < geometry.keyEnd {
      var node = root
      var level = geometry.rootLevel
      while level > wanted {
        let shift = UInt64(geometry.slotShift(level: level))
        let start = geometry.slot(of: RadixKey(rawValue: from), level: level)
        guard let (slot, child) = firstPointer(in: node, from: start) else {
          // Nothing more below this table: go on with the keys behind its last slot.
          let span = shift &+ UInt64(geometry.tableBitCount)
          if span >= 64 { return nil }
          let end = (from &>> span &+ 1) &<< span
          if end <= from { return nil }
          from = end
          continue descent
        }
        if slot != start { from = ((from &>> shift) &+ UInt64(slot &- start)) &<< shift }
        node = child
        level &-= 1
      }
      let span = UInt64(geometry.slotShift(level: wanted &+ 1))
      let firstKey = span < 64 ? (from &>> span) &<< span : 0
      return RadixNode(address: node, level: wanted, firstKey: RadixKey(rawValue: firstKey))
    }
    return nil
  }

  @inlinable
  func firstPointer(
    in table: PhysicalAddress, from start: Int
  ) -> (slot: Int, child: PhysicalAddress)? {
    withNode(table) { words in
      for slot in start..<words.count {
        let word = words.load(slot)
        if word != 0 { return (slot, PhysicalAddress(word)) }
      }
      return nil
    }
  }
}
