// One sentence for each error, without numbers: for consoles that cannot make strings.

extension MemblockError {
  /// What went wrong, in one sentence without numbers.
  public var summary: StaticString {
    switch self {
    case .outOfMemory: "The memory that may be used has no free range that is large enough."
    case .listFull: "A region list is full, and no free memory is left for a larger one."
    case .notMemory: "The range is not memory, or only in part."
    case .notReserved: "The range is not reserved, or only in part."
    case .holdsRegionList: "The range holds a region list of the early allocator."
    }
  }
}

extension BuddyAllocatorError {
  /// What went wrong, in one sentence without numbers.
  public var summary: StaticString {
    switch self {
    case .outOfFrames: "No free run of page frames is large enough."
    case .noRoomForMap: "No free range has room for the map of the page allocator."
    case .misaligned: "The block is not aligned to its size."
    case .notManaged: "The page allocator does not manage a page frame of the range."
    case .notFree: "A page frame of the range is in use."
    case .alreadyFree: "A page frame of the range is free already."
    }
  }
}
