public import DeviceTreeBlob
public import MemoryAccess

/// Why an outgoing handover refused. Nothing has changed then.
@nonexhaustive
public enum OutgoingHandoverError: Error, Hashable, Sendable {
  /// Handovers of that version are not written with that page size: `kho-v1` never, and `kho-v2` not
  /// with 16 KiB pages, where its tree loses the mark of order 0.
  case versionNotWritable(ABIVersion, PageGeometry)
  /// The source has no frames for a node, a device tree, a chunk or the memory itself.
  case outOfFrames(frameCount: UInt64)
  /// The block is not aligned to its size, or larger than any can be.
  case misaligned(PhysicalBlock)
  /// Bytes of the range are not memory.
  case outsideMemory(PhysicalRange)
  /// The block shares bytes with an entry of another order.
  case overlapsEntry(PhysicalBlock, entry: PhysicalBlock)
  /// The block shares bytes with the root device tree.
  case overlapsDeviceTree(PhysicalBlock, deviceTree: PhysicalBlock)
  /// The block reaches into scratch memory, in which the successor allocates before it knows what is
  /// preserved.
  case overlapsScratch(PhysicalBlock, ScratchArea)
  /// The block holds a part of a subtree that is still registered.
  case holdsSubtree(PhysicalBlock, subtree: PhysicalRange)
  /// The block is not an entry.
  case notPreserved(PhysicalBlock)
  /// Another subtree has that name.
  case subtreeExists
  /// No subtree has that name.
  case noSuchSubtree
  /// Pages of a subtree are not entries, so it would not survive.
  case subtreeNotPreserved(PhysicalRange)
  /// The root device tree would be larger than any that is read.
  case deviceTreeTooLarge(byteCount: UInt64, limit: UInt64)
  /// The name cannot be a node's, or the device tree cannot be written.
  case deviceTreeUnwritable(DeviceTreeWriterError)
  /// No entry begins where the root device tree does.
  case deviceTreeNotPreserved(PhysicalAddress)
  /// Two regions have the same name; the second one's place among them.
  case regionNamedTwice(index: Int)
  /// The root device tree in memory is damaged.
  case deviceTreeDamaged(DeviceTreeError)
  /// A vmalloc area is damaged, or has more pages than its descriptor can record.
  case areaDamaged(RecordError)
}
