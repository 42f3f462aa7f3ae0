public import MemoryAccess

extension Memblock {
  /// Takes free memory and reserves it. Its content is whatever was there.
  ///
  /// Never crosses from one region of memory into another, so that all of it has one node and the
  /// same flags. Scratch memory is taken in scratch-only mode, or where the request requires it, and
  /// never otherwise.
  ///
  /// - Parameter request: what is wanted.
  /// - Parameter flags: the flags of the reservation.
  /// - Throws: ``MemblockError/outOfMemory(byteCount:)``; ``MemblockError/listFull(_:)`` when the
  ///   reservation has no room.
  /// - Complexity: O((regions + reserved regions) · log reserved regions).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  public mutating func allocate(
    _ request: MemblockRequest, flags: RegionFlags = []
  ) throws(MemblockError) -> PhysicalRange {
    guard let range = firstFit(request) else {
      throw .outOfMemory(byteCount: request.byteCount)
    }
    try reserve(range, flags: flags)
    return range
  }

  /// Where ``allocate(_:flags:)`` would take memory from; nil if no such place exists.
  ///
  /// - Complexity: as ``allocate(_:flags:)``.
  public func firstFit(_ request: MemblockRequest) -> PhysicalRange? {
    guard let bounds = (request.range ?? accessible).intersection(accessible) else { return nil }
    var filter = RegionFilter(required: request.required, excluded: request.excluded)
    if isScratchOnly {
      filter.required.insert(.scratch)
    } else if !filter.required.contains(.scratch) {
      filter.excluded.insert(.scratch)
    }
    switch request.node {
    case .any: break
    case .only(let node), .preferred(let node): filter.nodeID = node
    }
    if let found = firstFit(request, filter, in: bounds) { return found }
    guard case .preferred = request.node else { return nil }
    filter.nodeID = nil
    return firstFit(request, filter, in: bounds)
  }

  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private func firstFit(
    _ request: MemblockRequest, _ filter: RegionFilter, in bounds: PhysicalRange
  ) -> PhysicalRange? {
    let log2Alignment = request.log2Alignment ?? geometry.shift
    let firstPage = PhysicalRange(start: .zero, byteCount: UInt64(geometry.pageByteCount))
    let isTopDown = request.direction == .topDown
    for step in 0..<memoryList.count {
      let region = memoryList[isTopDown ? memoryList.count &- 1 &- step : step]
      guard filter.includes(region) else { continue }
      var rest = region.range.intersection(bounds)?.part(above: firstPage)
      while let gap = isTopDown ? reservedList.lastGap(in: &rest) : reservedList.firstGap(in: &rest)
      {
        let fit =
          isTopDown
          ? gap.highest(byteCount: request.byteCount, log2Alignment: log2Alignment)
          : gap.lowest(byteCount: request.byteCount, log2Alignment: log2Alignment)
        if let fit { return fit }
      }
    }
    return nil
  }
}

extension PhysicalRange {
  /// The lowest aligned range of `byteCount` bytes inside.
  func lowest(byteCount wanted: UInt64, log2Alignment: Int) -> PhysicalRange? {
    let mask = (1 as UInt64) &<< UInt64(log2Alignment) &- 1
    let skipped = (0 &- start.rawValue) & mask
    guard byteCount >= wanted, byteCount &- wanted >= skipped else { return nil }
    return PhysicalRange(start: PhysicalAddress(start.rawValue &+ skipped), byteCount: wanted)
  }

  /// The highest aligned range of `byteCount` bytes inside.
  func highest(byteCount wanted: UInt64, log2Alignment: Int) -> PhysicalRange? {
    guard byteCount >= wanted else { return nil }
    let mask = (1 as UInt64) &<< UInt64(log2Alignment) &- 1
    let highest = start.rawValue &+ (byteCount &- wanted)
    let aligned = highest & ~mask
    guard aligned >= start.rawValue else { return nil }
    return PhysicalRange(start: PhysicalAddress(aligned), byteCount: wanted)
  }
}
