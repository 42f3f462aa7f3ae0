public import MemoryAccess

/// A stretch of the machine's memory that a file describes, as a PT_LOAD of an ELF does.
///
/// ```
///  file      ┌───────────────┐
///            │ stored        │ cut: behind the end of the file
///  memory    ┌───────────────┬┈┈┈┈┈┈┈┈┈┈┬──────┐
///            └───────────────┴┈┈┈┈┈┈┈┈┈┈┴──────┘
///             start                      tail: left out
/// ```
@frozen
public struct FileSegment: Hashable, Sendable {
  /// The index in the file's table of segments, as `readelf -l` counts.
  public let index: Int
  /// The memory described, stored or not; never empty.
  public let range: PhysicalRange
  /// How many bytes of it, from its start on, are in the file.
  public let storedByteCount: UInt64
  /// Where in the file they are.
  public let fileOffset: UInt64
  /// How many bytes after those the file should store, and does not because it ends early.
  public let cutByteCount: UInt64

  /// The segment of those values.
  @inlinable
  public init(
    index: Int, range: PhysicalRange, storedByteCount: UInt64, fileOffset: UInt64,
    cutByteCount: UInt64 = 0
  ) {
    self.index = index
    self.range = range
    self.storedByteCount = storedByteCount
    self.fileOffset = fileOffset
    self.cutByteCount = cutByteCount
  }

  /// A segment of `byteCount` bytes of memory, of which the first `fileByteCount` should be stored at
  /// `fileOffset`; stored as far as the file of `fileEnd` bytes goes.
  init(
    index: Int, _ range: PhysicalRange, fileOffset: UInt64, fileByteCount: UInt64, fileEnd: UInt64
  ) {
    let stored = fileOffset < fileEnd ? min(fileByteCount, fileEnd &- fileOffset) : 0
    self.init(
      index: index, range: range, storedByteCount: stored,
      fileOffset: stored == 0 ? 0 : fileOffset, cutByteCount: fileByteCount &- stored)
  }

  /// The memory that is stored, nil when none is.
  var storedRange: PhysicalRange? {
    storedByteCount == 0 ? nil : PhysicalRange(start: range.start, byteCount: storedByteCount)
  }

  /// The memory that the file should store and does not, nil if none exists.
  var cutRange: PhysicalRange? {
    cutByteCount == 0
      ? nil
      : PhysicalRange(
        start: range.start.advanced(byBytes: storedByteCount), byteCount: cutByteCount)
  }

  /// The memory that was left out on purpose, nil if none exists.
  var tail: PhysicalRange? {
    let before = storedByteCount &+ cutByteCount
    return before == range.byteCount
      ? nil
      : PhysicalRange(
        start: range.start.advanced(byBytes: before), byteCount: range.byteCount &- before)
  }

  /// Where the stored bytes of `wanted`, which is in ``storedRange``, are in the file.
  func fileRange(of wanted: PhysicalRange) -> Range<UInt64> {
    let offset = fileOffset &+ (wanted.start.rawValue &- range.start.rawValue)
    return offset..<offset &+ wanted.byteCount
  }
}
