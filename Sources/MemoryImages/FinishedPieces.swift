/// The pieces of a mapped file that were read and can be given back, gathered so that one madvise(2) gives back many.
///
/// A leaf of a tree is one page. Given back page by page, the system calls and the faults that follow take longer than
/// reading the leaves.
struct FinishedPieces {
  /// How many bytes are read before they are given back: 16 MiB.
  static let byteLimit: UInt64 = 16 << 20

  /// What a fault maps of a file whose pages are in memory: 64 KiB around it, fault_around_bytes of debugfs. So much
  /// is counted for the first byte of a piece.
  static let faultByteCount: UInt64 = 1 << 16

  /// From the first to the last byte of all pieces.
  private var span: Range<UInt64>?
  /// The piece before this one.
  private var last: Range<UInt64> = 0..<0
  private var byteCount: UInt64 = 0

  /// Adds a piece of a file.
  ///
  /// - Returns: what is to be given back now, nil if nothing is.
  mutating func add(_ piece: Range<UInt64>) -> Range<UInt64>? {
    let mask = Self.faultByteCount &- 1
    let (end, isTooFar) = piece.upperBound.addingReportingOverflow(mask)
    let mapped = piece.lowerBound & ~mask..<(isTooFar ? .max : end & ~mask)
    let again = mapped.clamped(to: last)
    byteCount &+= mapped.upperBound &- mapped.lowerBound
    byteCount &-= again.upperBound &- again.lowerBound
    last = mapped
    let all = span.map {
      min($0.lowerBound, piece.lowerBound)..<max($0.upperBound, piece.upperBound)
    }
    span = all ?? piece
    guard byteCount >= Self.byteLimit else { return nil }
    defer { self = Self() }
    return span
  }
}
