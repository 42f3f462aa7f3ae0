import MemoryAccess

/// Where subtrees are, so that one that is still registered is not unpreserved.
struct SubtreePages {
  /// Sorted, and none overlaps another.
  private var ranges: [PhysicalRange] = []

  /// No subtrees.
  init() {}

  /// The bytes of the subtrees of `deviceTree`; of one of unknown size, the first.
  ///
  /// - Complexity: O(subtrees · log subtrees).
  init(of deviceTree: RootDeviceTree) {
    var sorted = deviceTree.subtrees.compactMap {
      PhysicalRange(checkedStart: $0.address, byteCount: $0.byteCount ?? 1)
    }
    sorted.sortInPlace { $0.start < $1.start }
    for range in sorted {
      guard let last = range.last else { continue }
      if let before = ranges.last, let beforeLast = before.last, range.start <= beforeLast {
        let end = max(last, beforeLast)
        ranges[ranges.count &- 1] = PhysicalRange(
          start: before.start, byteCount: end.rawValue &- before.start.rawValue &+ 1)
      } else {
        ranges.append(range)
      }
    }
  }

  /// A stretch of subtrees that shares bytes with `range`; nil if none exists.
  ///
  /// - Complexity: O(log subtrees).
  func first(overlapping range: PhysicalRange) -> PhysicalRange? {
    let index = ranges.partitioningIndex { $0.last.map { $0 >= range.start } ?? true }
    guard index < ranges.count, ranges[index].overlaps(range) else { return nil }
    return ranges[index]
  }
}
