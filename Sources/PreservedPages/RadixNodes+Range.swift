public import MemoryAccess

extension RadixNodes {
  /// Calls `body` with each child of a table that keys of the range lead to, there or not, and with
  /// the part of the range below it.
  @inlinable
  @inline(__always)
  func forEachChild(
    of table: PhysicalAddress, level: Int, over keys: RadixKeyRange,
    _ body: (_ slot: Int, _ child: PhysicalAddress, _ part: RadixKeyRange) -> Void
  ) {
    let shift = geometry.slotShift(level: level)
    var prefix = keys.first.rawValue &>> UInt64(shift)
    let end = keys.last.rawValue &>> UInt64(shift)
    while prefix <= end {
      let slot = Int(truncatingIfNeeded: prefix) & (geometry.slotCount &- 1)
      body(slot, pointer(in: table, slot: slot), keys.part(below: prefix, shift: shift))
      prefix &+= 1
    }
  }

  /// Adds to `counts`, by level, the nodes that are missing below a table.
  @inlinable
  func countMissing(
    below table: PhysicalAddress, level: Int, for keys: RadixKeyRange,
    _ counts: inout InlineArray<56, UInt64>
  ) {
    forEachChild(of: table, level: level, over: keys) { _, child, part in
      if child == .zero {
        for missing in 0..<level {
          counts[missing] &+= part.count(shift: geometry.slotShift(level: missing &+ 1))
        }
      } else if level > 1 {
        countMissing(below: child, level: level &- 1, for: part, &counts)
      }
    }
  }

  /// Sets the bits of all keys below a node.
  @inlinable
  func fill(
    _ node: PhysicalAddress, level: Int, with keys: RadixKeyRange,
    from reserve: inout RadixReserve<Memory>
  ) {
    if level == 0 { return changeLeaf(node, keys, setting: true) }
    forEachChild(of: node, level: level, over: keys) { slot, child, part in
      if child != .zero {
        return fill(child, level: level &- 1, with: part, from: &reserve)
      }
      let new: PhysicalAddress
      if level == 1 {
        new = reserve.leaf(isFull: part.count(shift: 0) == geometry.leafKeyCount)
        changeEdges(new, part)
      } else {
        new = reserve.table()
        fill(new, level: level &- 1, with: part, from: &reserve)
      }
      // What hangs below is complete: one store makes all of it part of the tree.
      setPointer(new, in: node, slot: slot)
    }
  }

  /// A leaf from the reserve is full, or empty.
  @inlinable
  func changeEdges(_ leaf: PhysicalAddress, _ keys: RadixKeyRange) {
    if keys.count(shift: 0) < geometry.leafKeyCount { changeLeaf(leaf, keys, setting: true) }
  }

  /// Clears the bits of all keys below a node.
  @inlinable
  func clear(_ node: PhysicalAddress, level: Int, _ keys: RadixKeyRange) {
    if level == 0 { return changeLeaf(node, keys, setting: false) }
    forEachChild(of: node, level: level, over: keys) { _, child, part in
      if child != .zero { clear(child, level: level &- 1, part) }
    }
  }

  /// Sets or clears the bits of keys that are all in one leaf.
  @inlinable
  func changeLeaf(_ leaf: PhysicalAddress, _ keys: RadixKeyRange, setting isSet: Bool) {
    let inLeaf = geometry.leafKeyCount &- 1
    let first = Int(truncatingIfNeeded: keys.first.rawValue & inLeaf)
    let end = Int(truncatingIfNeeded: keys.last.rawValue & inLeaf) &+ 1
    memory.withWords(at: leaf, count: geometry.page.pageWordCount) {
      $0.change(bits: first..<end, setting: isSet)
    }
  }
}
