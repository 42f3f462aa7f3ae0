public import MemoryAccess

/// Why the early allocator refused. What it says of memory has not changed then.
@nonexhaustive
public enum MemblockError: Error, Hashable, Sendable {
  /// No free range is as large as asked, where it was asked for.
  case outOfMemory(byteCount: UInt64)
  /// The list has no room for another region, and no free memory is left for a larger one.
  ///
  /// The list of reserved regions may have moved to larger pages before that turned out for the
  /// list of memory: those pages are reserved then.
  case listFull(MemblockList)
  /// Bytes of the range are not memory.
  case notMemory(PhysicalRange)
  /// Bytes of the range are not reserved.
  case notReserved(PhysicalRange)
  /// The region lists themselves are in the range.
  case holdsRegionList(PhysicalRange)
}

/// One of the two lists of the early allocator.
public enum MemblockList: Hashable, Sendable {
  /// What is memory.
  case memory
  /// What is in use.
  case reserved
}
