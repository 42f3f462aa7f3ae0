public import MemoryAccess

/// The nodes of a tree: where they are, and how one points to the next.
///
/// A small value that can be copied. A tree hands it to everything that is not in the hot path, so that
/// what the tree remembers stays in registers.
@frozen
@usableFromInline
struct RadixNodes<Memory: WritablePhysicalMemory, Access: RadixAccess> {
  @usableFromInline
  let memory: Memory
  @usableFromInline
  let geometry: RadixGeometry
  @usableFromInline
  let root: PhysicalAddress

  @inlinable
  init(memory: Memory, geometry: RadixGeometry, root: PhysicalAddress) {
    self.memory = memory
    self.geometry = geometry
    self.root = root
  }

  /// The pointer at `slot` of the table at `table`.
  ///
  /// - Precondition: `slot` is below the number of slots, as every slot of a key is.
  @inlinable
  @inline(__always)
  func pointer(in table: PhysicalAddress, slot: Int) -> PhysicalAddress {
    memory.withWords(at: slotAddress(in: table, slot), count: 1) { Access.pointer($0, 0) }
  }

  /// Links `pointer` at an empty slot, after what it points to.
  ///
  /// - Returns: the pointer that another thread linked there first; `.zero` where this one is linked.
  /// - Precondition: as ``pointer(in:slot:)``.
  @inlinable
  @inline(__always)
  func link(
    _ pointer: PhysicalAddress, in table: PhysicalAddress, slot: Int
  ) -> PhysicalAddress {
    memory.withWords(at: slotAddress(in: table, slot), count: 1) {
      Access.link(pointer, in: $0, at: 0)
    }
  }

  /// Stores a pointer, after what it points to, where no other thread does.
  ///
  /// - Precondition: as ``pointer(in:slot:)``.
  @inlinable
  @inline(__always)
  func setPointer(_ pointer: PhysicalAddress, in table: PhysicalAddress, slot: Int) {
    memory.withWords(at: slotAddress(in: table, slot), count: 1) {
      $0.publish(pointer.rawValue, at: 0)
    }
  }

  @inlinable
  @inline(__always)
  func slotAddress(in table: PhysicalAddress, _ slot: Int) -> PhysicalAddress {
    PhysicalAddress(table.rawValue &+ UInt64(truncatingIfNeeded: slot) &* 8)
  }

  /// Where the word for `key` is in its leaf.
  @inlinable
  @inline(__always)
  func wordAddress(of key: RadixKey, in leaf: PhysicalAddress) -> PhysicalAddress {
    let word = (key.rawValue & (geometry.leafKeyCount &- 1)) &>> 6
    return PhysicalAddress(leaf.rawValue &+ word &* 8)
  }

  /// Where the word for `key` is, below a table of level 2; nil where a slot on the path is empty.
  @inlinable
  @inline(__always)
  func wordAddress(
    of key: RadixKey, belowLevel2 table: PhysicalAddress
  ) -> PhysicalAddress? {
    let leaf = leaf(for: key, belowLevel2: table)
    return _slowPath(leaf == .zero) ? nil : wordAddress(of: key, in: leaf)
  }

  /// The leaf that holds `key`, below a table of level 2; `.zero` where a slot on the path is empty.
  @inlinable
  @inline(__always)
  func leaf(for key: RadixKey, belowLevel2 table: PhysicalAddress) -> PhysicalAddress {
    let below = pointer(in: table, slot: geometry.slot(of: key, level: 2))
    if _slowPath(below == .zero) { return .zero }
    return pointer(in: below, slot: geometry.slot(of: key, level: 1))
  }

  /// As ``leaf(for:belowLevel2:)``, for a table that was looked at before.
  ///
  /// - Precondition: the memory has lent the page at `table`.
  @inlinable
  @inline(__always)
  @unsafe
  func leaf(for key: RadixKey, belowKnown table: PhysicalAddress) -> PhysicalAddress {
    // SAFETY: each slot of a key is in the page.
    let below = unsafe memory.withKnownWords(
      at: slotAddress(in: table, geometry.slot(of: key, level: 2)), count: 1
    ) { Access.pointer($0, 0) }
    if _slowPath(below == .zero) { return .zero }
    return pointer(in: below, slot: geometry.slot(of: key, level: 1))
  }

  /// The word for `key` in its leaf.
  @inlinable
  @inline(__always)
  func word(of key: RadixKey, in leaf: PhysicalAddress) -> UInt64 {
    memory.withWords(at: wordAddress(of: key, in: leaf), count: 1) { $0.load(0) }
  }

  /// The node of `level` on the path to `key`, or `.zero` where the path ends at an empty slot above.
  @inlinable
  @inline(__always)
  func node(for key: RadixKey, level: Int) -> PhysicalAddress {
    var node = root
    var above = geometry.rootLevel
    // The shift goes down with the level: computed for each, it takes as long as the load.
    var shift = geometry.slotShift(level: above)
    let mask = geometry.slotCount &- 1
    while above > level {
      node = pointer(
        in: node,
        slot: Int(truncatingIfNeeded: key.rawValue &>> UInt64(truncatingIfNeeded: shift)) & mask)
      if node == .zero { break }
      shift &-= geometry.tableBitCount
      above &-= 1
    }
    return node
  }

  /// The leaf that holds `key`, or `.zero` where the path ends at an empty slot.
  @inlinable
  @inline(__always)
  func leaf(for key: RadixKey) -> PhysicalAddress {
    guard _fastPath(geometry.page.shift == 12) else { return node(for: key, level: 0) }
    // The same with constants, which makes of the loop five loads in a row.
    let nodes = Self(memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
    return geometry == nodes.geometry
      ? nodes.node(for: key, level: 0) : node(for: key, level: 0)
  }
}
