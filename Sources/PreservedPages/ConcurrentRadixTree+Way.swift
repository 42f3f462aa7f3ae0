public import MemoryModel

extension ConcurrentRadixTree {
  /// The pointer at `slot` of a table, and with it what it leads to.
  @inlinable
  @inline(__always)
  func pointer(in table: PhysicalAddress, slot: Int) -> PhysicalAddress {
    nodes.memory.withWords(at: nodes.slotAddress(in: table, slot), count: 1) {
      PhysicalAddress($0.loadPublished(0))
    }
  }

  /// The leaf for `key` if the trail leads to it; `.zero` where it does not, or no leaf is there.
  @inlinable
  @inline(__always)
  func leafNearTrail(for key: RadixKey) -> PhysicalAddress {
    let level = RadixTrail.tableLevel
    let prefix = RadixTrail.prefix(of: key, geometry)
    let table = tables[RadixTrail.place(of: prefix)]
    guard prefix == table.prefix else { return .zero }
    let below = pointer(in: table.address, slot: geometry.slot(of: key, level: level))
    if below == .zero { return .zero }
    return pointer(in: below, slot: geometry.slot(of: key, level: 1))
  }

  /// The node of `level` on the way to `key`; `.zero` where it ends at an empty slot.
  @inlinable
  func node(for key: RadixKey, level: Int) -> PhysicalAddress {
    var node = root
    var above = geometry.rootLevel
    while above > level, node != .zero {
      node = pointer(in: node, slot: geometry.slot(of: key, level: above))
      above &-= 1
    }
    return node
  }

  /// The leaf for `key`; nil where there is none, or the tree has no place for the key.
  @inlinable
  mutating func leaf(for key: RadixKey) -> PhysicalAddress? {
    guard geometry.holds(key) else { return nil }
    var leaf = leafNearTrail(for: key)
    if _slowPath(leaf == .zero) {
      leaf = node(for: key, level: 0)
      if leaf == .zero { return nil }
      rememberTable(for: key)
    }
    return leaf
  }

  @inlinable
  mutating func rememberTable(for key: RadixKey) {
    let level = RadixTrail.tableLevel
    guard geometry.rootLevel >= level else { return }
    let prefix = RadixTrail.prefix(of: key, geometry)
    let place = RadixTrail.place(of: prefix)
    if prefix == tables[place].prefix { return }
    tables[place] = RadixTrailTable(prefix: prefix, address: node(for: key, level: level))
  }

  /// The leaf for `key`, made where it is missing, and the way there remembered.
  @inlinable
  @inline(__always)
  mutating func madeLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    var leaf = leafNearTrail(for: key)
    if _slowPath(leaf == .zero) {
      leaf = try makeLeaf(for: key, from: &frames)
      rememberTable(for: key)
    }
    return leaf
  }

  /// The leaf for `key`, made with the tables above it where it is missing.
  @inlinable
  func makeLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    var node = root
    var level = geometry.rootLevel
    while level > 0 {
      let slot = geometry.slot(of: key, level: level)
      var next = pointer(in: node, slot: slot)
      if next == .zero {
        let (top, leaf) = try nodes.makePath(to: key, topLevel: level &- 1, from: &frames)
        let first = nodes.memory.withWords(at: nodes.slotAddress(in: node, slot), count: 1) {
          PhysicalAddress($0.publishIfZero(top.rawValue, at: 0))
        }
        if first == .zero { return leaf }
        // Somebody linked a path between the load and the exchange. Nobody has seen this one.
        nodes.giveBackPath(from: top, level: level &- 1, to: key, into: &frames)
        next = first
      }
      node = next
      level &-= 1
    }
    return node
  }
}
