public import MemoryAccess

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
