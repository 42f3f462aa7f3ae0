extension Array {
  /// Sorts the elements. Equal ones may change places.
  ///
  /// In a kernel by heap sort: `sort(by:)` of the standard library would bring some 4 KiB of code for each type
  /// of element, and it allocates memory.
  ///
  /// - Parameter isBefore: whether the first element goes before the second: a strict weak ordering.
  /// - Complexity: O(*n* log *n*); O(*n*) for elements that are sorted already.
  @inlinable
  package mutating func sortInPlace(by isBefore: (Element, Element) -> Bool) {
    #if hasFeature(Embedded)
      var index = 1
      while index < count, !isBefore(self[index], self[index &- 1]) { index &+= 1 }
      if index >= count { return }
      for start in stride(from: count / 2 &- 1, through: 0, by: -1) {
        sink(start, above: count, isBefore)
      }
      for end in stride(from: count &- 1, to: 0, by: -1) {
        swapAt(0, end)
        sink(0, above: end, isBefore)
      }
    #else
      sort(by: isBefore)
    #endif
  }

  /// Moves the element at `start` down the heap of the first `end` elements, until it goes before none of its children.
  @inlinable
  package mutating func sink(
    _ start: Int, above end: Int, _ isBefore: (Element, Element) -> Bool
  ) {
    var parent = start
    while parent &* 2 &+ 1 < end {
      var child = parent &* 2 &+ 1
      if child &+ 1 < end, isBefore(self[child], self[child &+ 1]) { child &+= 1 }
      if !isBefore(self[parent], self[child]) { return }
      swapAt(parent, child)
      parent = child
    }
  }
}
