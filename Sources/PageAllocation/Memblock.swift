public import MemoryAccess

/// The allocator of early boot: which addresses are memory, and which of those are in use.
///
///     memory     ├──────── node 0 ────────┤      ├─ node 0, scratch ─┤├──── node 1 ────┤
///     reserved       ├─ kernel ─┤  ├ FDT ┤                   ├ list ┤
///     free       ├──┤           ├──┤     ├┤      ├───────────┤        ├────────────────┤
///
/// Two sorted lists of regions, and free is what the first holds and the second does not. Both lists
/// begin on the heap, or, before a heap exists, in room that the caller lends. When a list is full,
/// the allocator finds pages for it in the memory itself and moves it there.
///
/// A successor starts in scratch-only mode: until it has walked the predecessor's tree, it knows only
/// of scratch memory that it contains nothing preserved (`FormatScratch.md`). Then it reserves
/// each preserved block, leaves the mode, and hands what is free to a ``BuddyAllocator``.
///
/// The first page is never handed out: its address means "none".
public struct Memblock<Memory: WritablePhysicalMemory>: ~Copyable {
  /// The memory that the lists move into.
  public let memory: Memory
  /// The page size.
  public let geometry: PageGeometry
  /// Where memory may be taken from: what can be accessed already. All but the last byte of the
  /// address space at first.
  public var accessible: PhysicalRange
  /// Whether only memory flagged ``RegionFlags/scratch`` is handed out.
  public var isScratchOnly = false

  var memoryList: RegionList<Memory>
  var reservedList: RegionList<Memory>

  /// An allocator that knows of no memory yet.
  ///
  /// - Parameter memory: the memory.
  /// - Parameter geometry: the page size, and what follows from it.
  /// - Parameter capacity: how many regions each list holds on the heap before it moves into `memory`.
  /// - Precondition: `capacity` is 4 or more.
  public init(in memory: Memory, geometry: PageGeometry, capacity: Int = 128) {
    self.memory = memory
    self.geometry = geometry
    self.accessible = PhysicalRange(start: .zero, byteCount: .max)
    self.memoryList = RegionList(in: memory, RegionSlots(capacity: capacity))
    self.reservedList = RegionList(in: memory, RegionSlots(capacity: capacity))
  }

  /// An allocator that knows of no memory yet, and never uses a heap.
  ///
  /// Each list begins in one half of `storage`: 24 bytes a region, so 6 KiB hold 128 regions each.
  ///
  /// - Precondition: `storage` is aligned to 8 bytes, has 192 bytes or more, and is used by nothing
  ///   else for as long as the value lives. A kernel gives a part of its own image, which it reserves.
  @unsafe
  public init(
    in memory: Memory, geometry: PageGeometry, storage: UnsafeMutableRawBufferPointer
  ) {
    let half = storage.count / 2 & ~7
    self.memory = memory
    self.geometry = geometry
    self.accessible = PhysicalRange(start: .zero, byteCount: .max)
    // SAFETY: the halves share no byte, and nothing else uses them, as the caller promised.
    unsafe self.memoryList = RegionList(
      in: memory, RegionSlots(borrowing: .init(rebasing: storage[..<half])))
    // SAFETY: as above.
    unsafe self.reservedList = RegionList(
      in: memory, RegionSlots(borrowing: .init(rebasing: storage[half..<(2 &* half)])))
  }

  /// Says that `range` is memory. Bytes known already keep their node and flags.
  ///
  /// - Throws: ``MemblockError/listFull(_:)``.
  /// - Complexity: O(regions).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  public mutating func add(
    _ range: PhysicalRange, nodeID: NodeID? = nil, flags: RegionFlags = []
  ) throws(MemblockError) {
    require(that: !flags.contains(.regionList), "a flag of the allocator's own")
    if range.isEmpty { return }
    let region = MemoryRegion(range, nodeID: nodeID, flags: flags)
    while memoryList.growth(inserting: region) > memoryList.capacity &- memoryList.count {
      try grow(.memory, avoiding: range)
    }
    memoryList.insert(region)
  }

  /// Says that `range` is not memory. A part of it may not have been memory before. What is reserved
  /// stays reserved.
  ///
  /// - Throws: ``MemblockError/listFull(_:)``; ``MemblockError/holdsRegionList(_:)`` when a list
  ///   has moved there.
  /// - Complexity: O(regions).
  public mutating func remove(_ range: PhysicalRange) throws(MemblockError) {
    if range.isEmpty { return }
    try refuseRegionLists(in: range)
    while memoryList.growth(cutting: range) > memoryList.capacity &- memoryList.count {
      try grow(.memory, avoiding: range)
    }
    memoryList.cut(range)
  }

  /// Says that `range`, memory or not, is in use. Bytes reserved already keep their flags.
  ///
  /// - Throws: ``MemblockError/listFull(_:)``; ``MemblockError/holdsRegionList(_:)`` when a list
  ///   has moved there: it has overwritten what was to be kept.
  /// - Complexity: O(log regions) above all that is reserved, otherwise O(regions).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  public mutating func reserve(
    _ range: PhysicalRange, nodeID: NodeID? = nil, flags: RegionFlags = []
  ) throws(MemblockError) {
    require(that: !flags.contains(.regionList), "a flag of the allocator's own")
    if range.isEmpty { return }
    try refuseRegionLists(in: range)
    let region = MemoryRegion(range, nodeID: nodeID, flags: flags)
    if reservedList.append(region) { return }
    while reservedList.growth(inserting: region) > reservedList.capacity &- reservedList.count {
      try grow(.reserved, avoiding: range)
    }
    reservedList.insert(region)
  }

  /// Notes that `range` is not in use any more.
  ///
  /// - Throws: ``MemblockError/notReserved(_:)`` when a byte is not reserved;
  ///   ``MemblockError/holdsRegionList(_:)``; ``MemblockError/listFull(_:)`` when a region would
  ///   fall in two.
  /// - Complexity: O(regions).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  public mutating func free(_ range: PhysicalRange) throws(MemblockError) {
    if range.isEmpty { return }
    try refuseRegionLists(in: range)
    guard reservedList.covers(range) else { throw .notReserved(range) }
    while reservedList.growth(cutting: range) > reservedList.capacity &- reservedList.count {
      try grow(.reserved, avoiding: range)
    }
    reservedList.cut(range)
  }

  /// Sets and clears flags of memory.
  ///
  /// - Throws: ``MemblockError/notMemory(_:)`` when a byte is not memory;
  ///   ``MemblockError/listFull(_:)``; ``MemblockError/holdsRegionList(_:)`` when memory that a list
  ///   is in is not to be mapped.
  /// - Complexity: O(regions).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  public mutating func mark(
    _ range: PhysicalRange, _ flags: RegionFlags, clearing cleared: RegionFlags = []
  ) throws(MemblockError) {
    require(that: !flags.contains(.regionList), "a flag of the allocator's own")
    if flags.contains(.noMap) { try refuseRegionLists(in: range) }
    try change(range) {
      MemoryRegion(
        $0.range, nodeID: $0.nodeID, flags: $0.flags.subtracting(cleared).union(flags))
    }
  }

  /// Says which node memory belongs to.
  ///
  /// - Throws: ``MemblockError/notMemory(_:)`` when a byte is not memory;
  ///   ``MemblockError/listFull(_:)``.
  /// - Complexity: O(regions).
  public mutating func setNode(
    _ nodeID: NodeID?, of range: PhysicalRange
  ) throws(MemblockError) {
    try change(range) { MemoryRegion($0.range, nodeID: nodeID, flags: $0.flags) }
  }

  private mutating func change(
    _ range: PhysicalRange, _ body: (MemoryRegion) -> MemoryRegion
  ) throws(MemblockError) {
    if range.isEmpty { return }
    guard memoryList.covers(range) else { throw .notMemory(range) }
    while memoryList.growth(changing: range) > memoryList.capacity &- memoryList.count {
      try grow(.memory, avoiding: range)
    }
    memoryList.change(range, body)
  }

  private func refuseRegionLists(in range: PhysicalRange) throws(MemblockError) {
    if let storage = memoryList.storage, storage.overlaps(range) {
      throw .holdsRegionList(storage)
    }
    if let storage = reservedList.storage, storage.overlaps(range) {
      throw .holdsRegionList(storage)
    }
  }
}
