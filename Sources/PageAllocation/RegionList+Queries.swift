import MemoryAccess

extension RegionList {
  /// Whether a region holds a byte of `range`.
  func overlaps(_ range: PhysicalRange) -> Bool {
    let index = firstIndex(endingAtOrAfter: range.start)
    return index < count && self[index].range.overlaps(range)
  }

  /// Whether regions hold every byte of `range`; true of an empty one.
  func covers(_ range: PhysicalRange) -> Bool {
    var rest: PhysicalRange? = range.isEmpty ? nil : range
    return firstGap(in: &rest) == nil
  }

  /// The number of bytes in all regions; 2^64 − 1 where they are 2^64.
  var byteCount: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count {
      let (total, overflow) = sum.addingReportingOverflow(self[index].range.byteCount)
      sum = overflow ? .max : total
    }
    return sum
  }

  /// Calls `body` with every region, by address.
  func forEach<Failure: Error>(_ body: (MemoryRegion) throws(Failure) -> Void) throws(Failure) {
    for index in 0..<count { try body(self[index]) }
  }

  /// Whether the regions are sorted, hold bytes, share none, and are as few as can be.
  var isSound: Bool {
    if count > capacity { return false }
    for index in 0..<count {
      let region = self[index]
      guard let last = region.range.last else { return false }
      if index &+ 1 < count {
        let next = self[index &+ 1]
        if next.range.start <= last || region.joined(with: next) != nil { return false }
      }
    }
    return true
  }
}
