public import MemoryAccess

extension FileSegments {
  /// Whether every byte of `wanted` is memory of the machine, stored here or not.
  ///
  /// - Complexity: O(log *n*) for *n* segments.
  @inlinable
  public func contains(_ wanted: PhysicalRange) -> Bool {
    guard let last = wanted.last else { return true }
    guard let index = segmentIndex(containing: wanted.start) else { return false }
    return last <= runEnds[index]
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not stored.
  ///
  /// Bytes that are in one place of the file are not copied. Where memory without a gap is scattered
  /// over the file, they are copied together, up to ``largestGatheredByteCount``; a larger range
  /// gives nil and has to be read in parts.
  ///
  /// - Complexity: O(log *n*) for *n* segments; for a range over several of them, O(its bytes).
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    if wanted.isEmpty { return try file.withBytes(at: 0, count: 0, body) }
    guard let index = segmentIndex(containing: wanted.start) else { return nil }
    let segment = segments[index]
    let offset = wanted.start.rawValue &- segment.range.start.rawValue
    guard offset < segment.storedByteCount else { return nil }
    if wanted.byteCount <= segment.storedByteCount &- offset {
      return try file.withBytes(
        at: segment.fileOffset &+ offset, count: wanted.byteCount, body)
    }
    guard let pieces = filePieces(of: wanted, from: index), let first = pieces.first else {
      return nil
    }
    if pieces.count == 1 {
      return try file.withBytes(at: first.lowerBound, count: wanted.byteCount, body)
    }
    let bytes = file.gatheredBytes(of: pieces, byteCount: Int(wanted.byteCount))
    // SAFETY: any byte of an initialized array may be looked at.
    return try unsafe body(bytes.span.bytes)
  }

  /// The segment that holds `address`, by binary search.
  @inlinable
  func segmentIndex(containing address: PhysicalAddress) -> Int? {
    let above = firstSegmentIndex(startingAfter: address)
    guard above > 0, segments[above &- 1].range.contains(address) else { return nil }
    return above &- 1
  }

  /// The first segment that starts above `address`; the number of segments if none does.
  @inlinable
  func firstSegmentIndex(startingAfter address: PhysicalAddress) -> Int {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low &+ high) / 2
      if segments[middle].range.start <= address {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Where in the file the bytes of `wanted` are, in order, neighbours joined; nil when one of them
  /// is not stored, or there are too many to be copied together.
  ///
  /// - Precondition: the segment at `index` holds the first byte.
  @usableFromInline
  func filePieces(of wanted: PhysicalRange, from index: Int) -> [Range<UInt64>]? {
    guard let last = wanted.last, last <= runEnds[index] else { return nil }
    var pieces: [Range<UInt64>] = []
    for segment in segments[index...] {
      guard let shared = segment.range.intersection(wanted) else { break }
      guard let stored = segment.storedRange, stored.contains(shared) else { return nil }
      let piece = segment.fileRange(of: shared)
      if let previous = pieces.last, previous.upperBound == piece.lowerBound {
        pieces[pieces.count &- 1] = previous.lowerBound..<piece.upperBound
      } else {
        pieces.append(piece)
      }
      if pieces.count > 1, wanted.byteCount > Self.largestGatheredByteCount { return nil }
    }
    return pieces
  }
}
