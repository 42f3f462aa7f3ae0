import MemoryAccess

extension PageGeometry {
  /// What is wrong with `pointer`, which is at `place` and should lead to a page; nil if nothing.
  func finding<Memory: PhysicalMemory>(
    for pointer: PhysicalAddress, in place: PointerPlace, _ memory: Memory
  ) -> PreservedPagesFinding? {
    guard isPageAligned(pointer) else { return .pointerUnaligned(in: place, pointer: pointer) }
    return memory.finding(for: page(at: pointer), in: place)
  }
}

extension PhysicalMemory {
  /// Why `range`, which a pointer at `place` points to, cannot be read; nil if it can.
  func finding(for range: PhysicalRange, in place: PointerPlace) -> PreservedPagesFinding? {
    guard contains(range) else {
      return .pointerOutsideMemory(in: place, pointer: range.start)
    }
    guard withBytes(in: range, { _ in }) != nil else {
      return .nodeNotStored(in: place, pointer: range.start)
    }
    return nil
  }
}
