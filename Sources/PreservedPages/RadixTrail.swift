public import MemoryModel

/// The way to the key that a tree was asked for last, so that the next key need not start at the
/// root.
///
///     root ─► … ─► table of level 2 ─► table of level 1 ─► leaf ─► word
///                  └ remembered, with the bits of the key above it ┘
///
/// Measured on pages of 4 KiB, against the textbook's walk from the root:
/// - Keys in order find their word: 64 of them share one. Its value is remembered too, and only
///   compared with what memory holds. Else each key would wait for the store of the one before: the
///   load of a word just stored takes five cycles, and that is all the time there is.
/// - Keys in no order find the table of level 2 of their order, which covers 32 TiB of single pages. That leaves two
///   loads before the leaf; the remaining tables of a machine's memory stay in the first cache.
///
/// Nodes stay where they are until they are pruned, and pruning forgets the trail.
@frozen
@usableFromInline
struct RadixTrail {
  /// The word's number, which is that of its keys without their last six bits, and its address.
  @usableFromInline
  var wordNumber: UInt64 = Self.none
  @usableFromInline
  var wordAddress: PhysicalAddress = .zero
  /// What the word held when it was used last: a guess, never stored without having been compared.
  @usableFromInline
  var word: UInt64 = 0

  /// For each order the table of level 2 used last: blocks of mixed orders come from the same memory,
  /// but each order has a path of its own.
  @usableFromInline
  var tables = InlineArray<16, RadixTrailTable>(repeating: RadixTrailTable())

  @inlinable
  init() {}

  /// A trail that leads to the pages that there are most of, so that whoever only asks has a way.
  @inlinable
  init<Memory>(in nodes: RadixNodes<Memory>) {
    let shift = UInt64(truncatingIfNeeded: 64 &- nodes.geometry.page.shift)
    let single = RadixKey(rawValue: (1 as UInt64) &<< shift)
    guard nodes.geometry.holds(single) else { return }
    let table = nodes.tableOfWay(to: single)
    tables[Self.place(of: table.prefix)] = table
  }

  /// No key's number, however far it is shifted: the largest key has 61 bits.
  @inlinable
  static var none: UInt64 { .max }

  /// The key without the bits that choose below a table of level 2.
  @inlinable
  @inline(__always)
  static func prefix(of key: RadixKey, _ geometry: RadixGeometry) -> UInt64 {
    key.rawValue &>> UInt64(truncatingIfNeeded: geometry.slotShift(level: tableLevel &+ 1))
  }

  /// Where a table is remembered, by its prefix: below 32 TiB, that is one bit, which tells the order.
  ///
  /// The windows of four bits that a de Bruijn sequence has are all different, so orders 0 to 15 have
  /// places of their own (pages of 4 KiB). The search for the highest bit of a key would take as long
  /// as eight other instructions on some processors.
  @inlinable
  @inline(__always)
  static func place(of prefix: UInt64) -> Int {
    Int(truncatingIfNeeded: (prefix &* 0x009A_F000_0000_0000) &>> 60)
  }

  /// The level of the tables.
  @inlinable
  static var tableLevel: Int { 2 }
}

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

/// A table of level 2, and its keys without the bits that choose among them.
@frozen
@usableFromInline
struct RadixTrailTable {
  @usableFromInline
  var prefix: UInt64
  @usableFromInline
  var address: PhysicalAddress

  @inlinable
  init(prefix: UInt64 = RadixTrail.none, address: PhysicalAddress = .zero) {
    self.prefix = prefix
    self.address = address
  }
}

/// A way from the root, as far as a trail remembers it.
@frozen
@usableFromInline
struct RadixWay {
  @usableFromInline
  let leaf: PhysicalAddress
  @usableFromInline
  let table: RadixTrailTable

  @inlinable
  init(leaf: PhysicalAddress, table: RadixTrailTable) {
    self.leaf = leaf
    self.table = table
  }
}

extension RadixNodes {
  @inlinable
  func way(to key: RadixKey, leaf: PhysicalAddress) -> RadixWay {
    RadixWay(leaf: leaf, table: tableOfWay(to: key))
  }

  /// The table that is remembered of the way to `key`; none where the way ends above it.
  @inlinable
  func tableOfWay(to key: RadixKey) -> RadixTrailTable {
    guard geometry.rootLevel >= RadixTrail.tableLevel else { return RadixTrailTable() }
    let prefix = RadixTrail.prefix(of: key, geometry)
    // The first table's keys are few, and some of its numbers are no keys: it is not remembered.
    guard prefix != 0 else { return RadixTrailTable() }
    let table = node(for: key, level: RadixTrail.tableLevel)
    return table == .zero ? RadixTrailTable() : RadixTrailTable(prefix: prefix, address: table)
  }
}
