import MemoryAccess

extension Memblock {
  /// Moves a full list into free memory, with room for twice as many regions.
  ///
  /// The pages are reserved as any other memory; those of a list that moves on are free again.
  ///
  /// - Parameter avoided: what the edit that needs the room is about, where the list must not go.
  mutating func grow(
    _ list: MemblockList, avoiding avoided: PhysicalRange
  ) throws(MemblockError) {
    // Moving the list of memory reserves one range and frees another. Room for one region is enough:
    // what is freed splits a region only where it is between the other list and the new place,
    // and then the new place has joined it.
    if list == .memory, reservedList.count == reservedList.capacity {
      try grow(.reserved, avoiding: avoided)
    }
    let capacity = list == .memory ? memoryList.capacity : reservedList.capacity
    guard let pages = findPages(forRegions: 2 &* capacity, avoiding: avoided) else {
      throw .listFull(list)
    }
    let old: PhysicalRange?
    switch list {
    case .memory:
      old = memoryList.storage
      memoryList.move(to: pages)
    case .reserved:
      old = reservedList.storage
      reservedList.move(to: pages)
    }
    reservedList.insert(MemoryRegion(pages, flags: .regionList))
    if let old { reservedList.cut(old) }
  }

  private func findPages(
    forRegions count: Int, avoiding avoided: PhysicalRange
  ) -> PhysicalRange? {
    let mask = UInt64(geometry.pageByteCount) &- 1
    let byteCount = (UInt64(count &* RegionList<Memory>.regionByteCount) &+ mask) & ~mask
    return findPages(byteCount, in: accessible.part(above: avoided))
      ?? findPages(byteCount, in: accessible.part(below: avoided))
  }

  private func findPages(_ byteCount: UInt64, in part: PhysicalRange?) -> PhysicalRange? {
    guard let part, let pages = firstFit(MemblockRequest(byteCount: byteCount, in: part)),
      memory.contains(pages)
    else { return nil }
    return pages
  }
}
