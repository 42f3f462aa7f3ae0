public import MemoryModel

extension RadixTree {
  /// Calls `body` with every key, smallest first: larger orders before smaller ones, and by address
  /// within an order.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + keys).
  @inlinable
  public func forEachKey<Failure: Error>(
    _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachLeaf { (leaf, words) throws(Failure) in
      var base = leaf.firstKey.rawValue
      for index in 0..<words.count {
        var word = words.load(index)
        if word == .max {
          // Every key of the word: no search for the next bit.
          for bit in 0..<64 as Range<UInt64> { try body(RadixKey(rawValue: base &+ bit)) }
        } else {
          while word != 0 {
            try body(RadixKey(rawValue: base &+ UInt64(word.trailingZeroBitCount)))
            word &= word &- 1
          }
        }
        base &+= 64
      }
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
      let child = pointer(in: node.address, slot: slot)
      if child == .zero { continue }
      let firstKey = node.firstKey.rawValue &+ UInt64(slot) &<< shift
      try walkNodes(
        RadixNode(
          address: child, level: node.level &- 1, firstKey: RadixKey(rawValue: firstKey)), body)
    }
  }

  /// Calls `body` with every leaf and its words, in the order of their keys.
  @inlinable
  func forEachLeaf<Failure: Error>(
    _ body: (RadixNode, borrowing MemoryWords) throws(Failure) -> Void
  ) throws(Failure) {
    var from: UInt64 = 0
    while let leaf = firstLeaf(atOrAfter: from) {
      try withNode(leaf.address) { (words) throws(Failure) in try body(leaf, words) }
      from = leaf.firstKey.rawValue &+ geometry.leafKeyCount
    }
  }

  /// The leaf of the smallest keys that holds a number of at least `number`; nil when there is none.
  ///
  /// Goes down from the root each time: a few loads for a page of bits, and no stack to keep.
  @inlinable
  func firstLeaf(atOrAfter number: UInt64) -> RadixNode? {
    var from = number
    descent: while from < geometry.keyEnd {
      var node = root
      var level = geometry.rootLevel
      while level > 0 {
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
      let firstKey = from & ~(geometry.leafKeyCount &- 1)
      return RadixNode(address: node, level: 0, firstKey: RadixKey(rawValue: firstKey))
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
