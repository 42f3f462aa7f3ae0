import MemoryAccess

/// Regions sorted by address that share no byte; those that touch differ in node or flags.
///
///     room of the first regions        pages of the memory itself
///     ┌──────────────────────┐  move  ┌─────────────────────────────────────────┐
///     │ region, region, …    │ ─────► │ start, byteCount, node << 32 | flags, … │
///     └──────────────────────┘        └─────────────────────────────────────────┘
///
/// Before any memory is known, no page can take the first regions, so they go to the heap or
/// to room that the caller lends. When they do not fit any more, the owner finds pages and moves the list
/// there.
struct RegionList<Memory: WritablePhysicalMemory>: ~Copyable {
  /// A region in memory: three words.
  static var regionByteCount: Int { 24 }

  let memory: Memory
  /// The pages the regions are in; nil while they are in the first room.
  private(set) var storage: PhysicalRange?
  /// How many regions there is room for.
  private(set) var capacity: Int
  private(set) var count = 0
  private let slots: RegionSlots

  /// An empty list that begins in `slots`.
  init(in memory: Memory, _ slots: consuming RegionSlots) {
    self.memory = memory
    capacity = slots.capacity
    self.slots = slots
  }

  subscript(index: Int) -> MemoryRegion {
    get {
      require(that: index >= 0 && index < count, "no such region")
      return slot(index)
    }
    set {
      require(that: index >= 0 && index < count, "no such region")
      setSlot(index, to: newValue)
    }
  }

  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private func slot(_ index: Int) -> MemoryRegion {
    guard let storage else { return slots[index] }
    return memory.withWords(at: Self.address(of: index, in: storage), count: 3) { words in
      let range = PhysicalRange(start: PhysicalAddress(words.load(0)), byteCount: words.load(1))
      let attributes = words.load(2)
      let node = UInt32(truncatingIfNeeded: attributes &>> 32)
      return MemoryRegion(
        range, nodeID: node == .max ? nil : NodeID(node),
        flags: RegionFlags(rawValue: UInt32(truncatingIfNeeded: attributes)))
    }
  }

  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func setSlot(_ index: Int, to region: MemoryRegion) {
    if let storage {
      write(region, to: index, in: storage)
    } else {
      slots[index] = region
    }
  }

  private func write(_ region: MemoryRegion, to index: Int, in pages: PhysicalRange) {
    memory.withWords(at: Self.address(of: index, in: pages), count: 3) { words in
      words.store(region.range.start.rawValue, at: 0)
      words.store(region.range.byteCount, at: 1)
      words.store(UInt64(region.node) &<< 32 | UInt64(region.flags.rawValue), at: 2)
    }
  }

  private static func address(of index: Int, in pages: PhysicalRange) -> PhysicalAddress {
    pages.start.advanced(byBytes: UInt64(index &* regionByteCount))
  }

  /// Copies `moved` slots from `source` on to where `target` is.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func move(_ moved: Int, from source: Int, to target: Int) {
    guard moved > 0 else { return }
    guard let storage else { return slots.move(moved, from: source, to: target) }
    let first = min(source, target)
    let wordCount = (max(source, target) &- first &+ moved) &* 3
    memory.withWords(at: Self.address(of: first, in: storage), count: wordCount) { words in
      words.copy(moved &* 3, from: (source &- first) &* 3, to: (target &- first) &* 3)
    }
  }

  /// Puts `region` before the one at `index`.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  mutating func insert(_ region: MemoryRegion, at index: Int) {
    require(that: count < capacity, "region list full")
    move(count &- index, from: index, to: index &+ 1)
    setSlot(index, to: region)
    count &+= 1
  }

  /// Drops `dropped` regions from `index` on.
  mutating func remove(at index: Int, count dropped: Int = 1) {
    let next = index &+ dropped
    move(count &- next, from: next, to: index)
    count &-= dropped
  }

  /// Moves the regions to the pages of `pages`, which hold more of them.
  mutating func move(to pages: PhysicalRange) {
    for index in 0..<count { write(slot(index), to: index, in: pages) }
    storage = pages
    capacity = Int(pages.byteCount / UInt64(Self.regionByteCount))
  }

  /// The index of the first region that ends at or after `address`; `count` if none does.
  ///
  /// - Complexity: O(log regions); O(1) behind the last.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func firstIndex(endingAtOrAfter address: PhysicalAddress) -> Int {
    var low = 0
    var high = count
    // Ranges mostly come in order of address: the last region is looked at first.
    if high > 0, lastByte(of: high &- 1) < address.rawValue { return high }
    while low < high {
      let middle = low &+ (high &- low) / 2
      if lastByte(of: middle) < address.rawValue {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func lastByte(of index: Int) -> UInt64 {
    let range = self[index].range
    return range.start.rawValue &+ (range.byteCount &- 1)
  }
}
