public import MemoryAccess

extension ConcurrentRadixTree {
  /// Where the word for `key` stands, in a leaf that is made where it is missing; the way there is
  /// remembered.
  @inlinable
  @inline(__always)
  mutating func madeWord<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    let word = wordNearTrail(for: key)
    if _fastPath(word != .zero) { return word }
    guard geometry.holds(key) else { throw .keyOutsideTree(key) }
    let leaf = try nodes.makeSharedLeaf(for: key, from: &frames)
    remember(nodes.sharedTableOfWay(to: key))
    return nodes.wordAddress(of: key, in: leaf)
  }

  /// Where the word for `key` stands; `.zero` where no leaf is there, or the tree has no place for the
  /// key.
  @inlinable
  @inline(__always)
  mutating func word(for key: RadixKey) -> PhysicalAddress {
    let word = wordNearTrail(for: key)
    if _fastPath(word != .zero) { return word }
    guard geometry.holds(key) else { return .zero }
    let leaf = nodes.sharedNode(for: key, level: 0)
    if leaf == .zero { return .zero }
    remember(nodes.sharedTableOfWay(to: key))
    return nodes.wordAddress(of: key, in: leaf)
  }

  @inlinable
  @inline(__always)
  mutating func remember(_ table: RadixTrailTable) {
    tables[RadixTrail.place(of: table.prefix)] = table
  }

  /// Where the word for `key` stands if the trail leads to it; `.zero` where it does not, or no leaf is
  /// there.
  ///
  /// Only keys that the tree has a place for share a remembered prefix. For pages of 4 KiB with shifts
  /// and masks that are constants, as in a ``RadixTree``: the fewer instructions a key takes, the more
  /// of the lines that come from another core are on their way at once.
  @inlinable
  @inline(__always)
  func wordNearTrail(for key: RadixKey) -> PhysicalAddress {
    guard _fastPath(geometry.page.shift == 12) else {
      let table = tables[RadixTrail.place(of: RadixTrail.prefix(of: key, geometry))]
      return nodes.sharedWordBelow(table, for: key)
    }
    let constant = RadixNodes(
      memory: nodes.memory, geometry: RadixGeometry(.pages4KiB), root: nodes.root)
    let table = tables[RadixTrail.place(of: RadixTrail.prefix(of: key, constant.geometry))]
    return constant.sharedWord(below: table, for: key)
  }
}

// The nodes of a tree that other threads change meanwhile: each pointer is loaded with what it leads
// to. They are functions of the nodes alone, so that a hot loop keeps the trail where it is.
extension RadixNodes {
  /// The pointer at `slot` of a table, and with it what it leads to.
  @inlinable
  @inline(__always)
  func sharedPointer(in table: PhysicalAddress, slot: Int) -> PhysicalAddress {
    memory.withWords(at: slotAddress(in: table, slot), count: 1) {
      PhysicalAddress($0.loadPublished(0))
    }
  }

  @inlinable
  @inline(__always)
  func sharedWord(below table: RadixTrailTable, for key: RadixKey) -> PhysicalAddress {
    guard RadixTrail.prefix(of: key, geometry) == table.prefix else { return .zero }
    let below = sharedPointer(
      in: table.address, slot: geometry.slot(of: key, level: RadixTrail.tableLevel))
    if _slowPath(below == .zero) { return .zero }
    let leaf = sharedPointer(in: below, slot: geometry.slot(of: key, level: 1))
    return _slowPath(leaf == .zero) ? .zero : wordAddress(of: key, in: leaf)
  }

  @inlinable
  @inline(never)
  func sharedWordBelow(_ table: RadixTrailTable, for key: RadixKey) -> PhysicalAddress {
    sharedWord(below: table, for: key)
  }

  /// The node of `level` on the way to `key`; `.zero` where it ends at an empty slot.
  @inlinable
  @inline(never)
  func sharedNode(for key: RadixKey, level: Int) -> PhysicalAddress {
    var node = root
    var above = geometry.rootLevel
    while above > level, node != .zero {
      node = sharedPointer(in: node, slot: geometry.slot(of: key, level: above))
      above &-= 1
    }
    return node
  }

  /// The table that is remembered of the way to `key`; none where there is none, or its keys are the
  /// first ones, of which two numbers are no keys.
  @inlinable
  @inline(never)
  func sharedTableOfWay(to key: RadixKey) -> RadixTrailTable {
    let prefix = RadixTrail.prefix(of: key, geometry)
    guard geometry.rootLevel >= RadixTrail.tableLevel, prefix != 0 else { return RadixTrailTable() }
    return RadixTrailTable(
      prefix: prefix, address: sharedNode(for: key, level: RadixTrail.tableLevel))
  }

  /// The leaf for `key`, made with the tables above it where it is missing.
  @inlinable
  @inline(never)
  func makeSharedLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    var node = root
    var level = geometry.rootLevel
    while level > 0 {
      let slot = geometry.slot(of: key, level: level)
      var next = sharedPointer(in: node, slot: slot)
      if next == .zero {
        let (top, leaf) = try makePath(to: key, topLevel: level &- 1, from: &frames)
        let first = memory.withWords(at: slotAddress(in: node, slot), count: 1) {
          PhysicalAddress($0.publishIfZero(top.rawValue, at: 0))
        }
        if first == .zero { return leaf }
        // Somebody linked a path between the load and the exchange. Nobody has seen this one.
        giveBackPath(from: top, level: level &- 1, to: key, into: &frames)
        next = first
      }
      node = next
      level &-= 1
    }
    return node
  }
}
