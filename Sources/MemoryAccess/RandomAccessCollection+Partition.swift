extension RandomAccessCollection {
  /// The index of the first element for which `isBehind` is true; `endIndex` if none is.
  ///
  /// - Precondition: `isBehind` is false for a first part of the elements and true for the rest.
  /// - Complexity: O(log *n*) calls of `isBehind` for *n* elements.
  @inlinable
  package func partitioningIndex(where isBehind: (Element) -> Bool) -> Index {
    var low = startIndex
    var remaining = count
    while remaining > 0 {
      let half = remaining / 2
      let middle = index(low, offsetBy: half)
      if isBehind(self[middle]) {
        remaining = half
      } else {
        low = index(after: middle)
        remaining &-= half &+ 1
      }
    }
    return low
  }
}
