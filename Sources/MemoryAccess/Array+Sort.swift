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
      var elements = mutableSpan
      // Makes a heap from the middle down, then moves its first element behind it, until it is empty.
      var start = elements.count / 2
      var end = elements.count
      while end > 1 {
        if start > 0 {
          start &-= 1
        } else {
          end &-= 1
          elements.swapAt(0, end)
        }
        var parent = start
        while parent &* 2 &+ 1 < end {
          var child = parent &* 2 &+ 1
          if child &+ 1 < end, isBefore(elements[child], elements[child &+ 1]) { child &+= 1 }
          if !isBefore(elements[parent], elements[child]) { break }
          elements.swapAt(parent, child)
          parent = child
        }
      }
    #else
      sort(by: isBefore)
    #endif
  }
}
