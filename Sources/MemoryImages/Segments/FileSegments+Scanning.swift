public import MemoryAccess

extension FileSegments {
  /// The first run of bytes at or after `address` that a segment stores and that are not a hole of the
  /// file, cut to start no earlier; `nil` if no such run follows.
  ///
  /// A run ends where its segment does, even if the memory goes on in the next one.
  ///
  /// - Complexity: O(log *n* + *k*) for *n* segments, *k* of which are passed over because they are
  ///   in holes; at most two system calls for each extent of the file that is passed.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    let above = firstSegmentIndex(startingAfter: address)
    for segment in segments[max(0, above &- 1)...] {
      guard let stored = segment.storedRange, let last = stored.last, last >= address else {
        continue
      }
      let start = max(address, stored.start)
      let wanted = PhysicalRange(
        start: start, byteCount: last.rawValue &- start.rawValue &+ 1)
      let inFile = segment.fileRange(of: wanted)
      guard let data = file.storedBytes(atOrAfter: inFile.lowerBound),
        data.lowerBound < inFile.upperBound
      else { continue }
      return PhysicalRange(
        start: start.advanced(byBytes: data.lowerBound &- inFile.lowerBound),
        byteCount: min(data.upperBound, inFile.upperBound) &- data.lowerBound)
    }
    return nil
  }

  /// Lets the kernel take back the pages that `wanted` was read from.
  ///
  /// - Complexity: O(log *n*) for *n* segments, and a system call for each that is touched.
  public func finishedReading(_ wanted: PhysicalRange) {
    guard let last = wanted.last else { return }
    let above = firstSegmentIndex(startingAfter: wanted.start)
    for segment in segments[max(0, above &- 1)...] {
      guard segment.range.start <= last else { return }
      guard let read = segment.storedRange?.intersection(wanted) else { continue }
      file.finishedReading(segment.fileRange(of: read))
    }
  }
}
