public import MemoryAccess
public import Synchronization

/// What a tree remembers of the paths to the keys used last, so that the next key need not start at the
/// root.
///
///     root ─► … ─► table of level 2 ─► table of level 1 ─► leaf ─► word
///                  └ for each order ┘                      └ for each order
///
/// Measured on pages of 4 KiB, against the textbook's walk from the root:
/// - Keys in no order find the table of level 2 of their order, which covers 32 TiB of single pages. That
///   leaves two loads before the leaf; the remaining tables of a machine's memory stay in the first cache.
/// - Blocks of mixed orders, as a page allocator hands them out, come from the same memory by turns. Each
///   order has a path of its own, and nineteen of twenty keys find the leaf that their order used last.
///
/// Nodes stay where they are until they are pruned, and pruning forgets all of it.
@frozen
@usableFromInline
struct RadixPathCache: ~Copyable {
  /// The end of a path.
  @frozen
  @usableFromInline
  struct Entry {
    /// What ``RadixPathCache/prefix(of:_:)`` makes of the keys below `table`; ``RadixPathCache/none``
    /// without a table.
    @usableFromInline
    var prefix: UInt64
    /// A table of level 2; the memory has lent the whole page.
    @usableFromInline
    var table: PhysicalAddress
    /// The keys' bits above the lowest 15; ``RadixPathCache/none`` where no leaf is remembered.
    @usableFromInline
    var stretch: UInt64
    /// Where the words of the stretch begin: a leaf, or a part of one where pages are larger than 4 KiB. The memory has
    /// lent all 512.
    @usableFromInline
    var words: PhysicalAddress

    @inlinable
    init() {
      prefix = RadixPathCache.none
      table = .zero
      stretch = RadixPathCache.none
      words = .zero
    }

    /// Where the word for `key`, which is one of the stretch, is.
    @inlinable
    @inline(__always)
    func word(of key: RadixKey) -> PhysicalAddress {
      PhysicalAddress(words.rawValue &+ (key.rawValue &>> 3 & 0xff8))
    }
  }

  @usableFromInline
  var entries = InlineArray<16, Entry>(repeating: Entry())

  /// Which entry missed last: when the same one misses twice in a row, keys come from one order again.
  ///
  /// One thread uses it. It is an atomic because a value with an atomic in it stays where it is: otherwise
  /// each function that reads one entry copies all of them to its stack, 600 bytes a time.
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
    let table = nodes.node(for: single, level: 2)
    guard table != .zero else { return }
    let index = Self.index(of: single)
    nodes.memory.withWords(at: table, count: nodes.geometry.page.pageWordCount) { _ in }
    entries[index].prefix = Self.prefix(of: single, nodes.geometry)
    entries[index].table = table
  }

  /// No bits of a key: they are shifted to the right by six or more, and inverted or not.
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

  /// The key without the bits of a leaf of 4 KiB.
  @inlinable
  @inline(__always)
  static func stretch(of key: RadixKey) -> UInt64 { key.rawValue &>> 15 }

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
    // SAFETY: an index has four bits.
    let entry = unsafe entries[unchecked: Self.index(of: key)]
    return entry.prefix == Self.prefix(of: key, geometry) ? entry.table : nil
  }

  /// Remembers the path to `key`.
  ///
  /// - Precondition: `memory` contains both pages.
  @inlinable
  @inline(never)
  mutating func remember(
    leaf: PhysicalAddress, level2 table: PhysicalAddress, for key: RadixKey,
    _ geometry: RadixGeometry, in memory: borrowing some WritablePhysicalMemory
  ) {
    var entry = Entry()
    if table != .zero, !Self.isNearZero(key, geometry) {
      memory.withWords(at: table, count: geometry.page.pageWordCount) { _ in }
      entry.prefix = Self.prefix(of: key, geometry)
      entry.table = table
    }
    let stretch = Self.stretch(of: key)
    if geometry.leafBitCount >= 15, stretch != 0 {
      entry.stretch = stretch
      let first = RadixKey(rawValue: stretch &<< 15)
      let word = (first.rawValue & (geometry.leafKeyCount &- 1)) &>> 6
      entry.words = PhysicalAddress(leaf.rawValue &+ word &* 8)
      memory.withWords(at: entry.words, count: 512) { _ in }
    }
    entries[Self.index(of: key)] = entry
  }

  /// Where the word for `key` is, in the leaf that is remembered for its entry; nil for another leaf's key.
  @inlinable
  @inline(__always)
  func rememberedWord(for key: RadixKey) -> PhysicalAddress? {
    // SAFETY: an index has four bits.
    let entry = unsafe entries[unchecked: Self.index(of: key)]
    return entry.stretch == Self.stretch(of: key) ? entry.word(of: key) : nil
  }

  /// Notes that the leaf of `key` was not the one that its order used last.
  ///
  /// - Returns: whether the same is true of the key noted before, and both have the same entry.
  @inlinable
  @inline(__always)
  func noteMiss(of key: RadixKey) -> Bool {
    let index = Self.index(of: key)
    let isAgain = lastMiss.load(ordering: .relaxed) == index
    lastMiss.store(index, ordering: .relaxed)
    return isAgain
  }

  /// Where the word for `key` is, below the table of level 2 that is remembered for its order with pages of 4 KiB;
  /// its leaf is remembered then.
  ///
  /// - Returns: the word; `.zero` if another table is remembered, or none, or the leaf does not exist.
  @_optimize(speed)
  @inlinable
  @inline(never)
  mutating func wordBelowTable<Memory: WritablePhysicalMemory>(
    of key: RadixKey, in memory: Memory
  ) -> PhysicalAddress {
    let index = Self.index(of: key)
    let nodes = RadixNodes<Memory, SoleAccess>(
      memory: memory, geometry: RadixGeometry(.pages4KiB), root: .zero)
    // SAFETY: an index has four bits.
    guard unsafe entries[unchecked: index].prefix == Self.prefix(of: key, nodes.geometry) else {
      return .zero
    }
    // SAFETY: the memory has lent the page of each entry's table.
    let leaf = unsafe nodes.leaf(for: key, belowKnown: entries[unchecked: index].table)
    if leaf == .zero { return .zero }
    memory.withWords(at: leaf, count: 512) { _ in }
    // SAFETY: an index has four bits.
    unsafe entries[unchecked: index].stretch = Self.stretch(of: key)
    unsafe entries[unchecked: index].words = leaf
    return nodes.wordAddress(of: key, in: leaf)
  }
}

extension RadixNodes {
  /// The path to `key`, from where it is remembered, made where it is missing, and remembered then.
  ///
  /// - Returns: where the word for the key is.
  /// - Throws: as ``RadixTree/insert(_:from:)``.
  @inlinable
  @inline(__always)
  func makeWord<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, _ cache: inout RadixPathCache, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    guard geometry.holds(key) else { throw .keyOutsideTree(key) }
    let table = cache.rememberedTable(for: key, geometry)
    let path = try makePath(
      to: key, below: table ?? root, level: table == nil ? geometry.rootLevel : 2, from: &frames)
    cache.remember(leaf: path.leaf, level2: path.level2, for: key, geometry, in: memory)
    return wordAddress(of: key, in: path.leaf)
  }

  /// The path to `key`, which is remembered then.
  ///
  /// - Returns: where the word for the key is; `.zero` if the leaf does not exist, or the tree cannot contain
  ///   for the key.
  @inlinable
  @inline(__always)
  func findWord(for key: RadixKey, _ cache: inout RadixPathCache) -> PhysicalAddress {
    guard geometry.holds(key) else { return .zero }
    let table =
      cache.rememberedTable(for: key, geometry)
      ?? (geometry.rootLevel < 2 ? .zero : node(for: key, level: 2))
    let leaf =
      table == .zero ? node(for: key, level: 0) : self.leaf(for: key, belowLevel2: table)
    if leaf == .zero { return .zero }
    cache.remember(leaf: leaf, level2: table, for: key, geometry, in: memory)
    return wordAddress(of: key, in: leaf)
  }
}
