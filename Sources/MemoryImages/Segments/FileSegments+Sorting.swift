internal import MemoryAccess

extension FileSegments {
  /// How many bytes of overlapping segments are compared at most: 256 MiB. A kernel's text is a few tens
  /// of MiB.
  static var largestComparedByteCount: UInt64 { 256 << 20 }
}

extension [FileSegment] {
  /// Sorts by address, and removes what is described more than once.
  ///
  /// Where segments overlap, their bytes must be the same: those of one place of the file, as in dumps
  /// that QEMU makes by page tables, or equal ones, as in /proc/vmcore, which has a segment of its own
  /// for the kernel's text.
  mutating func sortByAddress(in file: MappedFile) throws(MemoryImageError) {
    // Of two that start together, the longer one first: it may hold the other.
    sort {
      ($0.range.start, $1.range.byteCount, $0.index) < (
        $1.range.start, $0.range.byteCount, $1.index
      )
    }
    var reached: PhysicalAddress?
    var overlaps = false
    for segment in self {
      if let reached, segment.range.start <= reached { overlaps = true }
      reached = Swift.max(reached ?? .zero, segment.range.last ?? .zero)
    }
    if overlaps { self = try withoutOverlap(in: file) }
  }

  /// The same memory, each address once.
  private func withoutOverlap(in file: MappedFile) throws(MemoryImageError) -> [FileSegment] {
    let stored = try storedWithoutOverlap(in: file)
    // What is described, and neither stored nor cut: each address once, without what is stored.
    let cuts = Self.gaps(of: stored, in: compactMap { s in s.cutRange.map { (s.index, $0) } })
    let kept = (stored + cuts.map { FileSegment(cut: $0.range, index: $0.index) })
      .sorted { $0.range.start < $1.range.start }
    let tails = Self.gaps(of: kept, in: compactMap { s in s.tail.map { (s.index, $0) } })
    return Self.joined(kept, tails)
  }

  /// The stored parts of all segments, those that repeat others shortened or removed.
  private func storedWithoutOverlap(in file: MappedFile) throws(MemoryImageError) -> [FileSegment] {
    var kept: [FileSegment] = []
    var comparable = FileSegments.largestComparedByteCount
    for segment in self {
      guard let range = segment.storedRange, let end = range.last else { continue }
      // What is kept does not overlap, and from where this one begins it has no gap: each piece follows the
      // one before, or begins where a segment does.
      for piece in kept.reversed() {
        // A rest of one that began earlier may begin behind this one.
        if piece.range.start > end { continue }
        guard let shared = piece.range.intersection(range) else { break }
        guard
          segment.fileRange(of: shared) == piece.fileRange(of: shared)
            || file.hasEqualBytes(
              segment.fileRange(of: shared), piece.fileRange(of: shared), &comparable)
        else {
          throw .elfSegmentsOverlapInMemory(
            first: Swift.min(piece.index, segment.index),
            second: Swift.max(piece.index, segment.index), address: shared.start)
        }
      }
      guard let lastEnd = kept.last?.range.last, lastEnd >= range.start else {
        kept.append(FileSegment(stored: range, of: segment))
        continue
      }
      guard end > lastEnd else { continue }
      let rest = PhysicalRange(
        start: lastEnd.advanced(byBytes: 1), byteCount: end.rawValue &- lastEnd.rawValue)
      // One place of the file goes on: one piece, so that few are compared with what comes.
      if let last = kept.last,
        last.fileOffset &+ last.storedByteCount == segment.fileRange(of: rest).lowerBound
      {
        kept[kept.count &- 1] = FileSegment(
          stored: PhysicalRange(
            start: last.range.start, byteCount: last.range.byteCount &+ rest.byteCount), of: last)
      } else {
        kept.append(FileSegment(stored: rest, of: segment))
      }
    }
    return kept
  }

  /// The parts of `ranges` that no segment of `kept`, sorted, describes; each address once.
  private static func gaps(
    of kept: [FileSegment], in ranges: [(index: Int, range: PhysicalRange)]
  ) -> [(index: Int, range: PhysicalRange)] {
    var gaps: [(index: Int, range: PhysicalRange)] = []
    /// The first address that was not looked at yet; nil behind the last one.
    var next: PhysicalAddress? = .zero
    var position = 0
    for (index, range) in ranges.sorted(by: {
      ($0.range.start, $0.index) < ($1.range.start, $1.index)
    }) {
      guard let from = next, let end = range.last, end >= from else { continue }
      var start = Swift.max(from, range.start)
      while position < kept.count, (kept[position].range.last ?? .zero) < start { position &+= 1 }
      var other = position
      while start <= end {
        guard other < kept.count, kept[other].range.start <= end,
          let covered = kept[other].range.last
        else {
          gaps.append(
            (index, PhysicalRange(start: start, byteCount: end.rawValue &- start.rawValue &+ 1)))
          break
        }
        let other0 = kept[other].range.start
        if other0 > start {
          gaps.append(
            (index, PhysicalRange(start: start, byteCount: other0.rawValue &- start.rawValue)))
        }
        guard covered < end else { break }
        start = covered.advanced(byBytes: 1)
        other &+= 1
      }
      next = end.rawValue == .max ? nil : end.advanced(byBytes: 1)
    }
    return gaps
  }

  /// `kept` and `tails` as segments, each tail part of the segment that it follows.
  private static func joined(
    _ kept: [FileSegment], _ tails: [(index: Int, range: PhysicalRange)]
  ) -> [FileSegment] {
    let bare = tails.map {
      FileSegment(index: $0.index, range: $0.range, storedByteCount: 0, fileOffset: 0)
    }
    var joined: [FileSegment] = []
    for segment in (kept + bare).sorted(by: { $0.range.start < $1.range.start }) {
      guard segment.storedByteCount == 0, let last = joined.last, last.tail == nil,
        last.cutByteCount == 0 || segment.cutByteCount == 0, let end = last.range.last,
        end.rawValue &+ 1 == segment.range.start.rawValue
      else {
        joined.append(segment)
        continue
      }
      joined[joined.count &- 1] = FileSegment(
        index: last.index,
        range: PhysicalRange(
          start: last.range.start, byteCount: last.range.byteCount &+ segment.range.byteCount),
        storedByteCount: last.storedByteCount, fileOffset: last.fileOffset,
        cutByteCount: last.cutByteCount &+ segment.cutByteCount)
    }
    return joined
  }

  /// Finds out whether two segments store their bytes in the same place.
  func checkPlacesInFile() throws(MemoryImageError) {
    let placed = filter { $0.storedByteCount > 0 }
      .sorted { ($0.fileOffset, $0.index) < ($1.fileOffset, $1.index) }
    for (lower, upper) in zip(placed, placed.dropFirst())
    where upper.fileOffset &- lower.fileOffset < lower.storedByteCount {
      throw .elfSegmentsOverlapInFile(
        first: Swift.min(lower.index, upper.index), second: Swift.max(lower.index, upper.index),
        fileOffset: upper.fileOffset)
    }
  }

  /// For each segment the last address of the unbroken memory that it is part of.
  ///
  /// - Precondition: sorted by address.
  func runEnds() -> [PhysicalAddress] {
    var ends = map { PhysicalAddress($0.range.start.rawValue &+ ($0.range.byteCount &- 1)) }
    for index in ends.indices.dropLast().reversed()
    // The segment above starts later, so its start is not 0.
    where ends[index].rawValue == self[index &+ 1].range.start.rawValue &- 1 {
      ends[index] = ends[index &+ 1]
    }
    return ends
  }
}

extension FileSegment {
  /// A part of the stored memory of `segment`, all of it stored.
  fileprivate init(stored range: PhysicalRange, of segment: FileSegment) {
    self.init(
      index: segment.index, range: range, storedByteCount: range.byteCount,
      fileOffset: segment.fileRange(of: range).lowerBound)
  }

  /// Memory that the file should store and does not.
  fileprivate init(cut range: PhysicalRange, index: Int) {
    self.init(
      index: index, range: range, storedByteCount: 0, fileOffset: 0, cutByteCount: range.byteCount)
  }
}

extension MappedFile {
  /// Whether two ranges of the same length, both in the file, hold equal bytes.
  ///
  /// - Parameter comparable: how many more bytes are compared; beyond, the answer is no.
  fileprivate func hasEqualBytes(
    _ range: Range<UInt64>, _ other: Range<UInt64>, _ comparable: inout UInt64
  ) -> Bool {
    let byteCount = range.upperBound &- range.lowerBound
    // Each comparison costs something, however short it is.
    let cost = byteCount | 63
    guard cost <= comparable else { return false }
    comparable &-= cost
    var done: UInt64 = 0
    while done < byteCount {
      let count = min(byteCount &- done, 1 << 20)
      guard
        copiedBytes(at: range.lowerBound &+ done, count: count)
          == copiedBytes(at: other.lowerBound &+ done, count: count)
      else { return false }
      done &+= count
    }
    return true
  }
}
