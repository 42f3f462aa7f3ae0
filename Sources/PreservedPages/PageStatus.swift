import MemoryModel

/// What a pointer from untrusted memory can lead to.
enum PageStatus {
  case readable
  case unaligned
  case outsideMemory
  /// The page exists, but the image does not hold it.
  case notStored
}

extension PageGeometry {
  /// What lies at `pointer`, taken as the start of a page.
  func status<Memory: PhysicalMemory>(
    of pointer: PhysicalAddress, in memory: Memory
  ) -> PageStatus {
    guard isPageAligned(pointer) else { return .unaligned }
    return status(of: page(at: pointer), in: memory)
  }

  /// What lies in `range`.
  func status<Memory: PhysicalMemory>(
    of range: PhysicalRange, in memory: Memory
  ) -> PageStatus {
    guard memory.contains(range) else { return .outsideMemory }
    guard memory.withBytes(in: range, { _ in }) != nil else { return .notStored }
    return .readable
  }
}
