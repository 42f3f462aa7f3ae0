public import MemoryAccess

/// Memory whose bytes are in runs of one file: the common part of ELF cores, LiME dumps and the memory
/// files of virtual machines.
///
/// Segments may come in any order and need not be page-aligned. The file must not shrink while the value,
/// or a copy of it, is used.
public struct FileSegments: PhysicalMemory, Sendable {
  /// The largest range, in bytes, that is read by copying it together from several places: 16 MiB.
  @inlinable
  public static var largestGatheredByteCount: UInt64 { 16 << 20 }

  /// The memory, sorted by address; no two segments overlap.
  public let segments: [FileSegment]

  /// The number of bytes that the segments store, holes of the file included.
  public let byteCount: UInt64

  /// For each segment the last address of the unbroken memory that it is part of.
  @usableFromInline
  let runEnds: [PhysicalAddress]

  @usableFromInline
  let file: MappedFile

  /// The memory of `segments` of `file`.
  ///
  /// - Throws: `elfSegmentsOverlapInMemory` where two segments give different bytes for one address;
  ///   `elfSegmentsOverlapInFile` where two addresses have the same bytes of the file.
  /// - Complexity: O(*n* log *n*) for *n* segments; bytes are compared where segments overlap.
  init(_ segments: [FileSegment], of file: MappedFile) throws(MemoryImageError) {
    var segments = segments
    try segments.sortByAddress(in: file)
    try segments.checkPlacesInFile()
    // The stored bytes do not overlap in the file, so their sum is no larger than the file.
    byteCount = segments.reduce(0) { $0 &+ $1.storedByteCount }
    runEnds = segments.runEnds()
    self.segments = segments
    self.file = file
  }

  /// How many bytes the file should store and does not, and the first address of them in the order of
  /// the file; nil if none exists.
  var cut: (firstMissing: PhysicalAddress, byteCount: UInt64)? {
    let cuts = segments.lazy.filter { $0.cutByteCount > 0 }
    // The first that is cut in the file is the one that is stored in part, or has the lowest index.
    guard
      let first = cuts.min(by: {
        ($0.storedByteCount == 0 ? 1 : 0, $0.index) < ($1.storedByteCount == 0 ? 1 : 0, $1.index)
      }),
      let range = first.cutRange
    else { return nil }
    return (range.start, cuts.reduce(0) { $0 &+ $1.cutByteCount })
  }

  /// How many bytes from `address` on were left out of the file on purpose; 0 where the byte at
  /// `address` was not.
  ///
  /// - Complexity: O(log *n*) for *n* segments.
  func leftOutByteCount(from address: PhysicalAddress) -> UInt64 {
    guard let index = segmentIndex(containing: address), let tail = segments[index].tail,
      tail.contains(address), let last = tail.last
    else { return 0 }
    return last.rawValue &- address.rawValue &+ 1
  }
}
