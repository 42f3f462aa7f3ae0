public import DeviceTreeBlob
public import MemoryAccess
public import PreservedPages

/// A problem found in an untrusted handover.
@nonexhaustive
public enum HandoverFinding: Error, Hashable, Sendable {
  /// The root device tree is outside memory that can be read.
  case deviceTreeUnreadable(PhysicalAddress)
  /// The root device tree is larger than any that is read.
  case deviceTreeTooLarge(byteCount: UInt64, limit: UInt64)
  /// The root device tree is malformed.
  case deviceTreeMalformed(DeviceTreeError)
  /// The root has no `compatible` property, or one that is not a string.
  case compatibleMissing
  /// The root's `compatible` names no version that is known.
  case versionUnknown(String)
  /// The root has no `preserved-memory-map` property.
  case mapMissing
  /// The root's `preserved-memory-map` property is not 8 bytes long.
  case mapSizeWrong(byteCount: Int)
  /// A subtree has no property with its address, or one that is not 8 bytes long.
  case subtreeAddressWrong(name: String, property: String, byteCount: Int?)
  /// A subtree has no property with its size, or one that is not 8 bytes long.
  case subtreeSizeWrong(name: String, property: String, byteCount: Int?)
  /// A part of a subtree, or all of it, is outside memory.
  case subtreeOutsideMemory(name: String, address: PhysicalAddress, byteCount: UInt64?)
  /// A page of a subtree is not an entry.
  case subtreeNotPreserved(name: String, address: PhysicalAddress)
  /// The root device tree is not as it was written, as the check value beside it says.
  case deviceTreeChanged(PhysicalAddress)
  /// A page of the root device tree is not an entry.
  case deviceTreeNotPreserved(PhysicalAddress)
  /// The map is 0, so nothing is preserved, and yet there are subtrees.
  case mapEmpty(subtreeCount: Int)
  /// Two subtrees have this name; only the first is found.
  case subtreeRepeated(name: String)
  /// The root device tree is longer than the page that Linux passes on, so the next kernel would fault
  /// before its first message.
  case deviceTreePastPage(byteCount: Int, limit: Int)
  /// An entry is in memory that the next kernel allocates from before it has read the entries.
  case blockInScratch(PhysicalBlock, scratch: PhysicalRange)
  /// The handover does not show its page size; this one was assumed.
  case pageSizeAssumed(PageGeometry)
  /// Something is wrong with the entries or with what marks them.
  case pages(PreservedPagesFinding)
  /// Something is wrong with a record, or with what it refers to.
  case record(RecordFinding)

  /// How much the finding matters.
  public var severity: FindingSeverity {
    switch self {
    case .pages(let finding): finding.severity
    case .record(let finding): finding.severity
    case .pageSizeAssumed: .note
    case .deviceTreeNotPreserved: .warning
    default: .error
    }
  }

  /// Whether entries are missing because of it.
  public var hidesEntries: Bool {
    switch self {
    case .deviceTreeUnreadable, .deviceTreeTooLarge, .deviceTreeMalformed, .compatibleMissing,
      .versionUnknown, .mapMissing, .mapSizeWrong:
      true
    case .pages(let finding): finding.hidesEntries
    default: false
    }
  }
}
