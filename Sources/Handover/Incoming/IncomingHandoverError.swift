public import MemoryAccess

/// Why an incoming handover refused. Nothing has changed then.
@nonexhaustive
public enum IncomingHandoverError: Error, Hashable, Sendable {
  /// The handover cannot be relied upon; the first thing that is wrong.
  case damaged(HandoverFinding)
  /// No subtree has that name.
  case noSuchSubtree
  /// The subtree is outside memory, or its pages are not preserved: the bytes there now are not what
  /// the predecessor meant.
  case subtreeNotPreserved(address: PhysicalAddress)
  /// The block is not aligned to its size, or larger than any can be.
  case misaligned(PhysicalBlock)
  /// No entry holds the block's first page.
  case neverPreserved(PhysicalBlock)
  /// The block was preserved with another length, or as a part of a larger one.
  case differsFromEntry(PhysicalBlock, entry: PhysicalBlock)
  /// The block was restored before.
  case alreadyRestored(PhysicalBlock)
  /// A vmalloc area cannot be read.
  case areaDamaged(RecordError)
  /// The source has no frames for the metadata about what was restored.
  case outOfFrames
}
