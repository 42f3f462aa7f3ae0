import MemoryAccess

/// Regions sorted by address that share no byte; those that touch differ in node or flags.
///
///     inline                          pages of the memory itself
///     ┌──────────────────────┐  move  ┌─────────────────────────────────────────┐
///     │ region × inlineCount │ ─────► │ start, byteCount, node << 32 | flags, … │
///     └──────────────────────┘        └─────────────────────────────────────────┘
///
/// The first regions lie in the value itself, because before any memory is known there is no place
/// to put them. When they no longer fit, the owner finds pages and moves the list there.
struct RegionList<Memory: WritablePhysicalMemory>: ~Copyable {
  /// How many regions there is room for in the value itself.
  static var inlineCount: Int { 128 }
  /// A region in memory: three words.
  static var regionByteCount: Int { 24 }

  let memory: Memory
  /// The pages the regions lie in; nil while they lie in the value itself.
  private(set) var storage: PhysicalRange?
  /// How many regions there is room for.
  private(set) var capacity: Int
  private(set) var count = 0
  private var inline: InlineArray<128, MemoryRegion>

  /// An empty list with room for `capacity` regions in the value itself.
  init(in memory: Memory, capacity: Int) {
    precondition(capacity >= 4 && capacity <= Self.inlineCount, "room for 4 to 128 regions")
    self.memory = memory
    self.capacity = capacity
    self.inline = InlineArray(
      repeating: MemoryRegion(PhysicalRange(start: .zero, byteCount: 0)))
  }

  subscript(index: Int) -> MemoryRegion {
    get {
      precondition(index >= 0 && index < count, "no such region")
      return slot(index)
    }
    set {
      precondition(index >= 0 && index < count, "no such region")
      setSlot(index, to: newValue)
    }
  }

  private func slot(_ index: Int) -> MemoryRegion {
    guard let storage else { return inline[index] }
    return memory.withWords(at: Self.address(of: index, in: storage), count: 3) { words in
      let range = PhysicalRange(start: PhysicalAddress(words.load(0)), byteCount: words.load(1))
      let attributes = words.load(2)
      let node = UInt32(truncatingIfNeeded: attributes &>> 32)
      return MemoryRegion(
        range, nodeID: node == .max ? nil : NodeID(node),
        flags: RegionFlags(rawValue: UInt32(truncatingIfNeeded: attributes)))
    }
  }

  private mutating func setSlot(_ index: Int, to region: MemoryRegion) {
    if let storage {
      write(region, to: index, in: storage)
    } else {
      inline[index] = region
    }
  }

  private func write(_ region: MemoryRegion, to index: Int, in pages: PhysicalRange) {
    memory.withWords(at: Self.address(of: index, in: pages), count: 3) { words in
      words.publish(region.range.start.rawValue, at: 0)
      words.publish(region.range.byteCount, at: 1)
      words.publish(UInt64(region.node) &<< 32 | UInt64(region.flags.rawValue), at: 2)
    }
  }

  private static func address(of index: Int, in pages: PhysicalRange) -> PhysicalAddress {
    pages.start.advanced(byBytes: UInt64(index &* regionByteCount))
  }

  /// Puts `region` before the one at `index`.
  mutating func insert(_ region: MemoryRegion, at index: Int) {
    precondition(count < capacity, "region list full")
    var hole = count
    while hole > index {
      setSlot(hole, to: slot(hole &- 1))
      hole &-= 1
    }
    setSlot(index, to: region)
    count &+= 1
  }

  /// Drops `dropped` regions from `index` on.
  mutating func remove(at index: Int, count dropped: Int = 1) {
    var next = index &+ dropped
    while next < count {
      setSlot(next &- dropped, to: slot(next))
      next &+= 1
    }
    count &-= dropped
  }

  /// Moves the regions to the pages of `pages`, which hold more of them.
  mutating func move(to pages: PhysicalRange) {
    for index in 0..<count { write(slot(index), to: index, in: pages) }
    storage = pages
    capacity = Int(pages.byteCount / UInt64(Self.regionByteCount))
  }

  /// The index of the first region that ends at or after `address`; `count` when there is none.
  ///
  /// - Complexity: O(log regions).
  func firstIndex(endingAtOrAfter address: PhysicalAddress) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low &+ (high &- low) / 2
      let range = self[middle].range
      if range.start.rawValue &+ (range.byteCount &- 1) < address.rawValue {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    return low
  }
}
