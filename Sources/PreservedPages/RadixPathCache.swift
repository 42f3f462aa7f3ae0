public import MemoryAccess
public import Synchronization

/// What a tree remembers of the paths to the keys used last, so that the next key need not start at the
/// root.
///
///     root ─► … ─► table of level 2 ─► table of level 1 ─► leaf ─► word
///                  └ for each order    └ for each order
///
/// Measured on pages of 4 KiB, against the textbook's walk from the root:
/// - Keys in no order find the table of level 2 of their order, which covers 32 TiB of single pages. That
///   leaves two loads before the leaf; the remaining tables of a machine's memory stay in the first cache.
/// - Blocks of mixed orders, as a page allocator hands them out, come from the same memory by turns. Each
///   order has a path of its own, and its table of level 1 covers 64 GiB of single pages. A remembered leaf would save
///   one load, but every 26th key needs another leaf, and a branch that nothing foretells takes longer than that load.
///
/// Nodes stay where they are until they are pruned, and pruning forgets all of it.
@frozen
@usableFromInline
struct RadixPathCache: ~Copyable {
  // Arrays of numbers: one of structures takes three instructions more for each key to find an element.

  /// What ``prefix(of:_:)`` makes of the keys below the order's table of level 2; ``none`` without a table.
  @usableFromInline
  var prefixes = InlineArray<16, UInt64>(repeating: RadixPathCache.none)
  /// A table of level 2 for each order; the memory has lent the whole page.
  @usableFromInline
  var tables = InlineArray<16, PhysicalAddress>(repeating: .zero)
  /// The number of the first leaf below the order's table of level 1, with pages of 4 KiB; ``none`` without a table. A
  /// leaf's number is that of its keys without the lowest 15 bits.
  @usableFromInline
  var firstLeaves = InlineArray<16, UInt64>(repeating: RadixPathCache.none)
  /// The table of level 1 above those leaves; the memory has lent the whole page.
  @usableFromInline
  var leafTables = InlineArray<16, PhysicalAddress>(repeating: .zero)

  /// Which entry missed last; -1 before the first miss. When the same one misses twice in a row, keys come from one order
  /// again.
  ///
  /// One thread uses it. It is an atomic because a value with an atomic in it stays where it is: otherwise
  /// each function that reads one entry copies all of them to its stack, 500 bytes a time.
  @usableFromInline
  let lastMiss = Atomic<Int>(-1)

  @inlinable
  init() {}

  /// A cache that knows the path to the pages that there are most of, for those who only ask.
  @inlinable
  init<Memory, Access>(in nodes: RadixNodes<Memory, Access>) {
    let shift = UInt64(truncatingIfNeeded: 64 &- nodes.geometry.page.shift)
    let single = RadixKey(rawValue: (1 as UInt64) &<< shift)
    guard nodes.geometry.holds(single), nodes.geometry.rootLevel >= 2 else { return }
    var path = RadixTablePath()
    path.level2 = nodes.node(for: single, level: 2)
    remember(path, for: single, nodes.geometry, in: nodes.memory)
  }

  /// No bits of a key: they are shifted to the right by six or more, and inverted or not. Nor is any leaf's number within
  /// 512 behind it.
  @inlinable
  static var none: UInt64 { .max &>> 1 }

  /// The key without the bits that choose below a table of level 2.
  ///
  /// Inverted where pages are not of 4 KiB: what is remembered for such pages then equals no key's bits
  /// above the lowest 33, and a hot loop that compares those need not look at the page size.
  @inlinable
  @inline(__always)
  static func prefix(of key: RadixKey, _ geometry: RadixGeometry) -> UInt64 {
    let bits = key.rawValue &>> UInt64(truncatingIfNeeded: geometry.slotShift(level: 3))
    return geometry.page.shift == 12 ? bits : ~bits
  }

  /// Whether the two numbers that are not keys share the bits of `key` above a table of level 2: such keys
  /// are few, and are looked for from the root each time.
  @inlinable
  @inline(__always)
  static func isNearZero(_ key: RadixKey, _ geometry: RadixGeometry) -> Bool {
    key.rawValue &>> UInt64(truncatingIfNeeded: geometry.slotShift(level: 3)) == 0
  }

  /// The number of the first leaf below the same table of level 1 as the leaf of `key`, with pages of 4 KiB.
  @inlinable
  @inline(__always)
  static func firstLeaf(near key: RadixKey) -> UInt64 { key.rawValue &>> 15 & ~511 }

  /// Where a path is remembered: by the lowest four bits of the number of the key's highest bit, which shows the
  /// order. Any sixteen orders in a row have entries of their own.
  @inlinable
  @inline(__always)
  static func index(of key: RadixKey) -> Int {
    (key.rawValue.leadingZeroBitCount ^ 63) & 15
  }

  /// The table of level 2 on the path to `key`; nil where another one is remembered, or none.
  @inlinable
  @inline(__always)
  func rememberedTable(for key: RadixKey, _ geometry: RadixGeometry) -> PhysicalAddress? {
    let index = Self.index(of: key)
    // SAFETY: an index has four bits.
    guard _fastPath(unsafe prefixes[unchecked: index] == Self.prefix(of: key, geometry)) else {
      return nil
    }
    // SAFETY: as above.
    return unsafe tables[unchecked: index]
  }

  /// Remembers the path to `key`: those of its tables that exist.
  ///
  /// - Precondition: `memory` contains their pages.
  @inlinable
  @inline(never)
  mutating func remember(
    _ path: RadixTablePath, for key: RadixKey, _ geometry: RadixGeometry,
    in memory: borrowing some WritablePhysicalMemory
  ) {
    let index = Self.index(of: key)
    let hasTable = path.level2 != .zero && !Self.isNearZero(key, geometry)
    if hasTable { memory.withWords(at: path.level2, count: geometry.page.pageWordCount) { _ in } }
    prefixes[index] = hasTable ? Self.prefix(of: key, geometry) : Self.none
    tables[index] = hasTable ? path.level2 : .zero
    let hasLeaves =
      geometry.page.shift == 12 && path.level1 != .zero
      && Self.firstLeaf(near: key) != 0
    if hasLeaves { memory.withWords(at: path.level1, count: 512) { _ in } }
    firstLeaves[index] = hasLeaves ? Self.firstLeaf(near: key) : Self.none
    leafTables[index] = path.level1
  }

  /// The leaf for `key`, below the table of level 1 that is remembered for its order with pages of 4 KiB; nil where
  /// another table is remembered, or none, or the leaf does not exist.
  @inlinable
  @inline(__always)
  func rememberedLeaf(
    for key: RadixKey, in memory: borrowing some WritablePhysicalMemory
  ) -> PhysicalAddress? {
    let index = Self.index(of: key)
    // SAFETY: an index has four bits.
    let slot = unsafe key.rawValue &>> 15 &- firstLeaves[unchecked: index]
    guard slot < 512 else { return nil }
    // SAFETY: as above.
    let address = unsafe PhysicalAddress(leafTables[unchecked: index].rawValue &+ slot &* 8)
    // SAFETY: the memory has lent the page of each table that is remembered.
    let leaf = unsafe memory.withKnownWords(at: address, count: 1) { SoleAccess.pointer($0, 0) }
    return _fastPath(leaf != .zero) ? leaf : nil
  }

  /// Notes that ``rememberedLeaf(for:in:)`` found none for `key`.
  ///
  /// - Returns: whether the same is true of the key noted before, and both have the same entry; also if this key is the
  ///   first.
  @inlinable
  @inline(__always)
  func noteMiss(of key: RadixKey) -> Bool {
    let index = Self.index(of: key)
    let last = lastMiss.load(ordering: .relaxed)
    lastMiss.store(index, ordering: .relaxed)
    return last == index || last < 0
  }

  /// The leaf for `key`, below the table of level 2 that is remembered for its order with pages of 4 KiB; the table of
  /// level 1 is remembered then.
  ///
  /// - Returns: the leaf; `.zero` if another table is remembered, or none, or the leaf does not exist.
  @_optimize(speed)
  @inlinable
  @inline(never)
  mutating func leafBelowTable<Memory: WritablePhysicalMemory>(
    of key: RadixKey, in memory: Memory
  ) -> PhysicalAddress {
    let nodes = RadixNodes<Memory, SoleAccess>(
      memory: memory, geometry: RadixGeometry(.pages4KiB), root: .zero)
    guard let table = rememberedTable(for: key, nodes.geometry) else { return .zero }
    let below = nodes.pointer(in: table, slot: nodes.geometry.slot(of: key, level: 2))
    if below == .zero { return .zero }
    memory.withWords(at: below, count: 512) { _ in }
    firstLeaves[Self.index(of: key)] = Self.firstLeaf(near: key)
    leafTables[Self.index(of: key)] = below
    return nodes.pointer(in: below, slot: nodes.geometry.slot(of: key, level: 1))
  }
}

/// The tables on the path to a leaf whose addresses a tree remembers.
@frozen
@usableFromInline
struct RadixTablePath {
  @usableFromInline
  var level2 = PhysicalAddress.zero
  @usableFromInline
  var level1 = PhysicalAddress.zero

  @inlinable
  init() {}
}

extension RadixNodes {
  /// The leaf for `key`, by a path that is remembered, or made where it is missing and remembered then.
  ///
  /// - Throws: as ``RadixTree/insert(_:from:)``.
  @inlinable
  @inline(__always)
  func makeLeaf<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, _ cache: inout RadixPathCache, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard geometry.holds(key) else { throw .keyOutsideTree(key) }
    let table = cache.rememberedTable(for: key, geometry)
    var path = RadixTablePath()
    let leaf = try makePath(
      to: key, below: table ?? root, level: table == nil ? geometry.rootLevel : 2, &path,
      from: &frames)
    if table == nil { cache.remember(path, for: key, geometry, in: memory) }
    return leaf
  }

  /// The leaf for `key`, by a path that is remembered then.
  ///
  /// - Returns: the leaf; `.zero` if it does not exist, or the tree cannot contain the key.
  @inlinable
  @inline(__always)
  func findLeaf(for key: RadixKey, _ cache: inout RadixPathCache) -> PhysicalAddress {
    guard geometry.holds(key) else { return .zero }
    if let table = cache.rememberedTable(for: key, geometry) {
      return leaf(for: key, belowLevel2: table)
    }
    guard geometry.rootLevel >= 2 else { return node(for: key, level: 0) }
    var path = RadixTablePath()
    path.level2 = node(for: key, level: 2)
    if path.level2 == .zero { return .zero }
    path.level1 = pointer(in: path.level2, slot: geometry.slot(of: key, level: 2))
    if path.level1 == .zero { return .zero }
    let leaf = pointer(in: path.level1, slot: geometry.slot(of: key, level: 1))
    if leaf != .zero { cache.remember(path, for: key, geometry, in: memory) }
    return leaf
  }
}
