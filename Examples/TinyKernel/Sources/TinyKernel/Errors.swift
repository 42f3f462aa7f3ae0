import Handover
import MemoryAccess
import PageAllocation

// What went wrong, in words that need no heap. The core's errors carry numbers and no text.

extension MemblockError {
  var text: StaticString {
    switch self {
    case .outOfMemory: "no free range is as large as asked"
    case .listFull: "the list of regions is full"
    case .notMemory: "a range is not memory"
    case .notReserved: "a range is not reserved"
    case .holdsRegionList: "the range contains a list of regions"
    @unknown default: "an error that this kernel does not know"
    }
  }
}

extension EarlyHandoverError {
  var text: StaticString {
    switch self {
    case .unreadable: "the root device tree is not in memory"
    case .tooLarge: "the root device tree is too large"
    case .malformed: "the root device tree is malformed"
    case .versionUnknown: "the version of the formats is unknown"
    case .mapMissing: "the root device tree has no pointer to the tree"
    case .damaged: "the tree is damaged"
    case .notReserved(let error): error.text
    @unknown default: "an error that this kernel does not know"
    }
  }
}

extension IncomingHandoverError {
  var text: StaticString {
    switch self {
    case .damaged: "the handover is damaged"
    case .noSuchSubtree: "a blob is missing"
    case .subtreeNotPreserved: "a blob is not preserved"
    case .misaligned: "a block is not aligned to its size"
    case .neverPreserved: "a block was never preserved"
    case .differsFromEntry: "a block was preserved with another size"
    case .alreadyRestored: "a block was restored before"
    case .areaDamaged: "an area is damaged"
    case .outOfFrames: "no frames are left"
    @unknown default: "an error that this kernel does not know"
    }
  }
}

extension OutgoingHandoverError {
  var text: StaticString {
    switch self {
    case .versionNotWritable: "the version cannot be written"
    case .outOfFrames: "no frames are left"
    case .misaligned: "a block is not aligned to its size"
    case .outsideMemory: "a range is not memory"
    case .overlapsEntry: "a block overlaps one that is preserved"
    case .overlapsDeviceTree: "a block overlaps the root device tree"
    case .overlapsScratch: "a block overlaps scratch memory"
    case .holdsSubtree: "a block holds a blob that is still registered"
    case .notPreserved: "a block is not preserved"
    case .subtreeExists: "a blob of that name exists"
    case .noSuchSubtree: "no blob has that name"
    case .subtreeNotPreserved: "a blob is not preserved"
    case .deviceTreeTooLarge: "the root device tree would be too large"
    case .deviceTreeUnwritable: "the root device tree cannot be written"
    case .deviceTreeNotPreserved: "the root device tree is not preserved"
    case .regionNamedTwice: "two regions have one name"
    case .deviceTreeDamaged: "the root device tree is damaged"
    case .areaDamaged: "an area is damaged"
    @unknown default: "an error that this kernel does not know"
    }
  }
}
