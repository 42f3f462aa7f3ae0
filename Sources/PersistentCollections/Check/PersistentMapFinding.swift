public import MemoryAccess

/// Something that is wrong with a map in memory.
public enum PersistentMapFinding: Error, Hashable, Sendable {
  /// What lies at the address cannot be followed.
  case damaged(PhysicalAddress)
  /// The entry is not where its key says, or its slot does not bear the hash of its key.
  case misplaced(PhysicalAddress)
  /// Two slots lead to the object.
  case usedTwice(PhysicalAddress)
  /// The object counts as used, and nothing leads to it.
  case lost(PhysicalAddress)
  /// Something leads to the object, and it counts as free or is none.
  case notAllocated(PhysicalAddress)
  /// The list does not hold what it should; where its first member is kept.
  case listDiffers(PhysicalAddress)
  /// The root says another number than there is: of entries, of free extents, of bytes.
  case countDiffers(at: PhysicalAddress, recorded: UInt64, found: UInt64)
}

/// What a check of a map found.
public struct PersistentMapReport: Sendable {
  /// What is wrong; empty of a sound map.
  public internal(set) var findings: [PersistentMapFinding] = []
  /// How many entries there are.
  public internal(set) var entryCount: UInt64 = 0
  /// How many bytes their keys and values have.
  public internal(set) var payloadByteCount: UInt64 = 0
  /// How many buckets the index has beside those for which it was made.
  public internal(set) var overflowBucketCount = 0
  /// The memory that the map has, beside its root.
  public internal(set) var pieces: [PhysicalRange] = []
}
