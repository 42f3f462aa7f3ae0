public import MemoryAccess

/// Something that is wrong with a map in memory.
@nonexhaustive
public enum PersistentMapFinding: Error, Hashable, Sendable {
  /// The word at the address has an invalid value.
  case damaged(PhysicalAddress)
  /// The entry is not where its key says, or its slot does not bear the hash of its key.
  case misplaced(PhysicalAddress)
  /// Two slots point to the object.
  case usedTwice(PhysicalAddress)
  /// The object is in use, and no pointer points to it.
  case lost(PhysicalAddress)
  /// A pointer points to the object, which is free or does not exist.
  case notAllocated(PhysicalAddress)
  /// The list does not hold what it should; where its first member is kept.
  case listDiffers(PhysicalAddress)
  /// The root says another number than there is: of entries, of free extents, of bytes.
  case countDiffers(at: PhysicalAddress, recorded: UInt64, found: UInt64)
}

extension PersistentMapFinding: CustomStringConvertible {
  /// Where it is.
  package var place: PhysicalAddress {
    switch self {
    case .damaged(let address), .misplaced(let address), .usedTwice(let address),
      .lost(let address), .notAllocated(let address), .listDiffers(let address),
      .countDiffers(at: let address, _, _):
      address
    }
  }

  /// What was found and where, as a part of a sentence.
  public var description: String { "\(place): \(reason)" }

  /// What was found, as a part of a sentence.
  package var reason: String {
    switch self {
    case .damaged: "a word there has an invalid value"
    case .misplaced: "the entry is not where its key belongs"
    case .usedTwice: "two pointers point to the object"
    case .lost: "the object is in use, and no pointer points to it"
    case .notAllocated: "a pointer points to the object, which is free or does not exist"
    case .listDiffers: "the list that starts there does not contain what it should"
    case .countDiffers(_, let recorded, let found):
      "the recorded count is \(recorded), and the check found \(found)"
    }
  }
}

/// What a check of a map found.
public struct PersistentMapReport: Sendable {
  /// What is wrong; empty of a sound map.
  public internal(set) var findings: [PersistentMapFinding] = []
  /// The number of entries.
  public internal(set) var entryCount: UInt64 = 0
  /// How many bytes their keys and values have.
  public internal(set) var payloadByteCount: UInt64 = 0
  /// How many buckets the index has beside those for which it was made.
  public internal(set) var overflowBucketCount = 0
  /// The memory that the map has, beside its root.
  public internal(set) var pieces: [PhysicalRange] = []
}
