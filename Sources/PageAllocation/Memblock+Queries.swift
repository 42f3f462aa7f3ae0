public import MemoryAccess

extension Memblock {
  /// Whether the byte at `address` is in use.
  ///
  /// - Complexity: O(log regions), as all questions about an address or a range's overlap.
  public func isReserved(_ address: PhysicalAddress) -> Bool {
    reservedList.overlaps(PhysicalRange(start: address, byteCount: 1))
  }

  /// Whether every byte of `range` is in use; true of an empty one.
  public func isReserved(_ range: PhysicalRange) -> Bool { reservedList.covers(range) }

  /// Whether a byte of `range` is in use.
  public func overlapsReserved(_ range: PhysicalRange) -> Bool { reservedList.overlaps(range) }

  /// Whether every byte of `range` is memory; true of an empty one.
  public func isMemory(_ range: PhysicalRange) -> Bool { memoryList.covers(range) }

  /// Whether a byte of `range` is memory.
  public func overlapsMemory(_ range: PhysicalRange) -> Bool { memoryList.overlaps(range) }

  /// The region of memory that holds `address`; nil when it is not memory.
  public func memoryRegion(at address: PhysicalAddress) -> MemoryRegion? {
    let index = memoryList.firstIndex(endingAtOrAfter: address)
    guard index < memoryList.count, memoryList[index].range.contains(address) else { return nil }
    return memoryList[index]
  }

  /// The number of regions of memory.
  public var memoryRegionCount: Int { memoryList.count }

  /// The number of reserved regions.
  public var reservedRegionCount: Int { reservedList.count }

  /// How many reserved regions the list holds before it moves to a larger place.
  public var reservedRegionCapacity: Int { reservedList.capacity }

  /// The most bytes that the list of reserved regions takes, with its former place, once it holds
  /// `count` regions.
  public func listByteCount(forReservedRegions count: UInt64) -> UInt64 {
    // It grows by doubling, and moves before it leaves its former place.
    let regionByteCount = UInt64(RegionList<Memory>.regionByteCount)
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: 4 &* regionByteCount)
    let (sum, tooLarge) = byteCount.addingReportingOverflow(2 &* UInt64(geometry.pageByteCount))
    return overflow || tooLarge ? .max : sum
  }

  /// The number of bytes of memory; 2^64 − 1 where all addresses are.
  ///
  /// - Complexity: O(regions).
  public var memoryByteCount: UInt64 { memoryList.byteCount }

  /// The number of reserved bytes, memory or not; 2^64 − 1 where all are.
  ///
  /// - Complexity: O(regions).
  public var reservedByteCount: UInt64 { reservedList.byteCount }

  /// The bytes from the first of memory to the last; nil if none exists.
  public var memoryBounds: PhysicalRange? {
    guard memoryList.count > 0 else { return nil }
    let first = memoryList[0].range.start
    let top = memoryList[memoryList.count &- 1].range
    let end = top.start.rawValue &- first.rawValue
    let (byteCount, overflow) = end.addingReportingOverflow(top.byteCount)
    return PhysicalRange(start: first, byteCount: overflow ? .max : byteCount)
  }

  /// Where the list of memory is; nil while it is in the value itself.
  public var memoryListStorage: PhysicalRange? { memoryList.storage }

  /// Where the list of reserved regions is; nil while it is in the value itself.
  public var reservedListStorage: PhysicalRange? { reservedList.storage }

  /// Calls `body` with every region of memory, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(regions).
  public func forEachMemoryRegion<Failure: Error>(
    _ body: (MemoryRegion) throws(Failure) -> Void
  ) throws(Failure) {
    try memoryList.forEach(body)
  }

  /// Calls `body` with every reserved region, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(regions).
  public func forEachReservedRegion<Failure: Error>(
    _ body: (MemoryRegion) throws(Failure) -> Void
  ) throws(Failure) {
    try reservedList.forEach(body)
  }

  /// Calls `body` with every range of memory that is not reserved, by address, with the node and
  /// the flags of the memory.
  ///
  /// Ranges of different regions of memory stay apart, also where they touch.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O((regions + reserved regions) · log reserved regions).
  public func forEachFreeRange<Failure: Error>(
    _ filter: RegionFilter = RegionFilter(), _ body: (MemoryRegion) throws(Failure) -> Void
  ) throws(Failure) {
    for index in 0..<memoryList.count {
      let region = memoryList[index]
      guard filter.includes(region) else { continue }
      var rest: PhysicalRange? = region.range
      while let gap = reservedList.firstGap(in: &rest) { try body(region.with(gap)) }
    }
  }

  /// The number of bytes of memory that are not reserved; 2^64 − 1 where all addresses are.
  ///
  /// - Complexity: as ``forEachFreeRange(_:_:)``.
  public func freeByteCount(_ filter: RegionFilter = RegionFilter()) -> UInt64 {
    var sum: UInt64 = 0
    forEachFreeRange(filter) {
      let (total, overflow) = sum.addingReportingOverflow($0.range.byteCount)
      sum = overflow ? .max : total
    }
    return sum
  }
}
