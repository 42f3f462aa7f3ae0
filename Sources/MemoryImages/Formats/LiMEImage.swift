import MemoryAccess
public import SystemPackage

/// A dump of LiME, or an uncompressed one of AVML: ranges of memory, each after its header.
///
/// ```
///  u32 "EMiL" │ u32 version 1 │ u64 first address │ u64 last address │ u64 0 │ bytes
/// ```
///
/// A file that ends early is read as far as it goes.
///
/// Source: LiME, doc/README.md, "Spec".
public struct LiMEImage: SegmentedImage, Sendable {
  /// The memory.
  public let memory: FileSegments
  /// The header of a range that is not whole ends the file.
  private let headerIsCut: Bool

  static let signature = Array("EMiL".utf8)
  static let headerByteCount: UInt64 = 32
  /// The most ranges: a machine has some tens.
  static let limit = 1 << 20

  /// Opens the dump at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `rangeHeaderWrong` for a header that is not one;
  ///   `tooManyRanges`; what overlapping ranges throw.
  /// - Complexity: O(*n* log *n*) for *n* ranges.
  public init(opening path: FilePath) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path))
  }

  init(_ file: MappedFile) throws(MemoryImageError) {
    var segments: [FileSegment] = []
    var next: UInt64 = 0
    var headerIsCut = false
    while next < file.byteCount {
      guard segments.count < Self.limit else { throw .tooManyRanges(limit: Self.limit) }
      guard file.byteCount &- next >= Self.headerByteCount else {
        headerIsCut = true
        break
      }
      let (kind, range) = try Self.header(file, at: next)
      guard kind == .stored else { throw .rangeHeaderWrong(fileOffset: next) }
      let start = next &+ Self.headerByteCount
      segments.append(
        FileSegment(
          index: segments.count, range, fileOffset: start, fileByteCount: range.byteCount,
          fileEnd: file.byteCount))
      let (end, overflow) = start.addingReportingOverflow(range.byteCount)
      if overflow { break }
      next = end
    }
    guard !segments.isEmpty else { throw .rangeHeaderWrong(fileOffset: 0) }
    memory = try FileSegments(segments, of: file)
    self.headerIsCut = headerIsCut
  }

  /// Whether the bytes of a range are stored as they are or compressed.
  enum Kind { case stored, compressed }

  /// The header at `offset`, which is inside the file.
  static func header(
    _ file: MappedFile, at offset: UInt64
  ) throws(MemoryImageError) -> (Kind, PhysicalRange) {
    let bytes = file.copiedBytes(at: offset, count: headerByteCount)
    let isStored = bytes.starts(with: signature)
    guard isStored || bytes.starts(with: AVMLImage.signature),
      bytes.littleEndian32(at: 4) == (isStored ? 1 : 2), let first = bytes.littleEndian64(at: 8),
      let last = bytes.littleEndian64(at: 16), first <= last, last &- first < .max
    else { throw .rangeHeaderWrong(fileOffset: offset) }
    return (
      isStored ? .stored : .compressed,
      PhysicalRange(start: PhysicalAddress(first), byteCount: last &- first &+ 1)
    )
  }

  /// What the file should hold and does not; nil where it is whole.
  public var shortfall: ImageShortfall? {
    let cut = memory.cut
    guard cut != nil || headerIsCut else { return memory.file.shortfall }
    return ImageShortfall(
      .fileEnds(fileByteCount: memory.file.byteCount), firstMissing: cut?.firstMissing,
      byteCount: cut?.byteCount)
  }
}
