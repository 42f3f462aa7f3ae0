/// The pieces of a mapped file that were read and can be given back, gathered so that one madvise(2) gives back many.
///
/// A leaf of a tree is one page. Given back page by page, the system calls and the faults that follow take longer than
/// reading the leaves.
struct FinishedPieces {
  /// How many bytes a fault maps of a file whose pages are in memory: 64 KiB around it, fault_around_bytes of debugfs.
  static let windowByteCount: UInt64 = 1 << 16
  /// How many of such windows are mapped before they are given back: 32 MiB.
  static let windowLimit = 512

  /// From the first to the last byte of all pieces.
  private var span: Range<UInt64>?
  /// The windows that the pieces are in, by their numbers.
  private var windows: Set<UInt64> = []
  /// The last of them: mostly, the next piece is in the same.
  private var latest: UInt64?

  /// Adds a piece of a file, which is not empty.
  ///
  /// - Returns: what is to be given back now, nil if nothing is.
  /// - Complexity: O(windows of the piece), at most O(``windowLimit``).
  mutating func add(_ piece: Range<UInt64>) -> Range<UInt64>? {
    let all = span.map {
      min($0.lowerBound, piece.lowerBound)..<max($0.upperBound, piece.upperBound)
    }
    span = all ?? piece
    var window = piece.lowerBound / Self.windowByteCount
    let last = (piece.upperBound &- 1) / Self.windowByteCount
    if window == last, window == latest { return nil }
    latest = last
    while window <= last, windows.count < Self.windowLimit {
      windows.insert(window)
      window &+= 1
    }
    guard windows.count >= Self.windowLimit else { return nil }
    defer {
      span = nil
      latest = nil
      windows.removeAll(keepingCapacity: true)
    }
    return span
  }
}
