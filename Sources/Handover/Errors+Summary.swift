import PageAllocation

// One sentence for each error, without numbers: for consoles that cannot make strings.

extension EarlyHandoverError {
  /// What went wrong, in one sentence without numbers.
  public var summary: StaticString {
    switch self {
    case .unreadable: "The root device tree is not in memory."
    case .tooLarge: "The root device tree is larger than any that is read."
    case .malformed: "The root device tree is malformed."
    case .versionUnknown: "The handover has a format that cannot be read without a heap."
    case .mapMissing: "The root device tree does not point to the preserved memory."
    case .damaged: "The tree of preserved memory is damaged, so memory may be missing from it."
    case .notReserved(let error): error.summary
    }
  }
}

extension IncomingHandoverError {
  /// What went wrong, in one sentence without numbers.
  public var summary: StaticString {
    switch self {
    case .damaged: "The handover is damaged; nothing of it can be relied upon."
    case .noSuchSubtree: "The handover has no subtree of that name."
    case .subtreeNotPreserved: "The memory of the subtree was not preserved."
    case .misaligned: "The block is not aligned to its size."
    case .neverPreserved: "The block was not preserved."
    case .differsFromEntry: "The memory was preserved in a block of another size."
    case .alreadyRestored: "The block was restored before."
    case .areaDamaged: "The list of an area's pages is damaged."
    case .outOfFrames: "No page frame is left to note what was restored."
    }
  }
}

extension OutgoingHandoverError {
  /// What went wrong, in one sentence without numbers.
  public var summary: StaticString {
    switch self {
    case .versionNotWritable: "Handovers of that version are not written with that page size."
    case .outOfFrames: "No page frame is left for the handover."
    case .misaligned: "The block is not aligned to its size."
    case .outsideMemory: "The range is not memory, or only in part."
    case .overlapsEntry: "The block overlaps memory that is preserved as another block."
    case .overlapsDeviceTree: "The block overlaps the root device tree."
    case .overlapsScratch: "The block overlaps scratch memory, where nothing can be preserved."
    case .holdsSubtree: "The block holds a part of a subtree that is still registered."
    case .notPreserved: "The block is not preserved."
    case .subtreeExists: "Another subtree has that name."
    case .noSuchSubtree: "No subtree has that name."
    case .subtreeNotPreserved: "The memory of the subtree is not preserved."
    case .deviceTreeTooLarge: "The root device tree would be larger than any that is read."
    case .deviceTreeUnwritable: "The root device tree cannot be written; the name may be invalid."
    case .deviceTreeNotPreserved: "The root device tree is not preserved."
    case .regionNamedTwice: "Two regions have the same name."
    case .deviceTreeDamaged: "The root device tree in memory is damaged."
    case .areaDamaged: "The list of an area's pages is damaged."
    }
  }
}
