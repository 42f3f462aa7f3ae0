public import MemoryAccess

extension RadixTree {
  /// Where the word for `key` stands, if the trail leads to it; `.zero` where it does not, or no leaf
  /// is there.
  ///
  /// For the page size of nearly all machines with shifts and masks that are constants: a third of the
  /// instructions less, so that a core has more keys in flight while each waits for memory.
  @inlinable
  @inline(__always)
  func wordNearTrail(for key: RadixKey) -> PhysicalAddress {
    guard _fastPath(geometry.page.shift == 12) else {
      let table = trail.tables[RadixTrail.place(of: RadixTrail.prefix(of: key, geometry))]
      return Self.wordBelow(table, for: key, in: memory, geometry)
    }
    let geometry = RadixGeometry(.pages4KiB)
    let table = trail.tables[RadixTrail.place(of: RadixTrail.prefix(of: key, geometry))]
    return Self.word(below: table, for: key, in: memory, geometry)
  }

  @inlinable
  @inline(__always)
  static func word(
    below table: RadixTrailTable, for key: RadixKey, in memory: Memory, _ geometry: RadixGeometry
  ) -> PhysicalAddress {
    let nodes = RadixNodes(memory: memory, geometry: geometry, root: .zero)
    guard RadixTrail.prefix(of: key, geometry) == table.prefix else { return .zero }
    let below = nodes.pointer(
      in: table.address, slot: geometry.slot(of: key, level: RadixTrail.tableLevel))
    if _slowPath(below == .zero) { return .zero }
    let leaf = nodes.pointer(in: below, slot: geometry.slot(of: key, level: 1))
    return _slowPath(leaf == .zero) ? .zero : nodes.wordAddress(of: key, in: leaf)
  }

  // The parts of the tree are arguments of their own here, and the functions are never inlined: what a
  // hot loop needs of the tree stays in registers then, and a known page size a constant.

  @inlinable
  @inline(never)
  static func wordBelow(
    _ table: RadixTrailTable, for key: RadixKey, in memory: Memory, _ geometry: RadixGeometry
  ) -> PhysicalAddress {
    word(below: table, for: key, in: memory, geometry)
  }

  /// The way to `key`, made where it is missing.
  @inlinable
  @inline(never)
  static func makeWay<Frames: FrameSource & ~Copyable>(
    to key: RadixKey, in memory: Memory, _ geometry: RadixGeometry, root: PhysicalAddress,
    from frames: inout Frames
  ) throws(RadixTreeError) -> RadixWay {
    let nodes = RadixNodes(memory: memory, geometry: geometry, root: root)
    let leaf = try nodes.makeLeaf(for: key, from: &frames)
    return nodes.way(to: key, leaf: leaf)
  }

  /// The way to `key`; nil where no leaf is there.
  @inlinable
  @inline(never)
  static func way(
    to key: RadixKey, in memory: Memory, _ geometry: RadixGeometry, root: PhysicalAddress
  ) -> RadixWay? {
    guard geometry.holds(key) else { return nil }
    let nodes = RadixNodes(memory: memory, geometry: geometry, root: root)
    let leaf = nodes.leaf(for: key)
    return leaf == .zero ? nil : nodes.way(to: key, leaf: leaf)
  }

  /// Remembers the word for `key`, and what it holds.
  @inlinable
  @inline(__always)
  mutating func rememberWord(
    of key: RadixKey, at address: PhysicalAddress, holding word: UInt64
  ) {
    // The first word holds the numbers that are no keys, so its keys are checked each time.
    trail.wordNumber = _slowPath(key.rawValue < 64) ? RadixTrail.none : key.rawValue &>> 6
    trail.wordAddress = address
    trail.word = word
  }

  /// Changes the word that the trail ends at.
  ///
  /// - Returns: the word as it was.
  @inlinable
  @inline(__always)
  mutating func updateTrailWord(_ change: (UInt64) -> UInt64) -> UInt64 {
    let (old, new) = memory.withWords(at: trail.wordAddress, count: 1) { words in
      var old = trail.word
      // Who else holds the tree may have changed the word. It is loaded once more then: taken from
      // the first load, the compiler would leave out the comparison, and all keys would wait.
      if _slowPath(words.load(0) != old) { old = words.load(0) }
      let new = change(old)
      words.publish(new, at: 0)
      return (old, new)
    }
    trail.word = new
    return old
  }
}
