public import MemoryAccess

/// An image whose memory is stored in runs of one file, as it is: an ELF core, a LiME dump, raw memory.
///
/// All reading is that of ``FileSegments``; a hole of the file reads as zeros.
public protocol SegmentedImage: PhysicalMemory {
  /// The memory.
  var memory: FileSegments { get }
}

extension SegmentedImage {
  /// The number of bytes that the file stores, its holes included.
  @inlinable
  public var byteCount: UInt64 { memory.byteCount }

  /// Whether every byte of `wanted` is memory of the machine, stored in the file or not.
  ///
  /// - Complexity: O(log *n*) for *n* segments.
  @inlinable
  public func contains(_ wanted: PhysicalRange) -> Bool { memory.contains(wanted) }

  /// Calls `body` with the bytes of `wanted`, or returns nil when one of them is not stored.
  ///
  /// - Complexity: as ``FileSegments/withBytes(in:_:)``.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try memory.withBytes(in: wanted, body)
  }

  /// The first run of bytes at or after `address` that the file stores outside its holes, cut to start
  /// no earlier; nil if none exists.
  ///
  /// - Complexity: as ``FileSegments/storedRange(atOrAfter:)``.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    memory.storedRange(atOrAfter: address)
  }

  /// Lets the kernel take back the pages that `wanted` was read from.
  ///
  /// - Complexity: O(log *n*) for *n* segments, and a system call for each that is touched.
  public func finishedReading(_ wanted: PhysicalRange) { memory.finishedReading(wanted) }
}
