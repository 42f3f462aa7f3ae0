internal import MemoryAccess

extension ELFCoreImage.Segment {
  /// The segment that a PT_LOAD describes; nil when it has no size or no physical address.
  init?(
    index: Int, _ entry: ELFProgramHeader, in file: some FileBytes
  ) throws(MemoryImageError) {
    guard entry.physicalAddress != ELFProgramHeader.noPhysicalAddress else { return nil }
    guard entry.storedByteCount <= entry.memoryByteCount else {
      throw .elfSegmentStoresMoreThanItHolds(
        segment: index, storedByteCount: entry.storedByteCount,
        memoryByteCount: entry.memoryByteCount)
    }
    guard entry.memoryByteCount > 0 else { return nil }
    let start = PhysicalAddress(entry.physicalAddress)
    guard let range = PhysicalRange(checkedStart: start, byteCount: entry.memoryByteCount) else {
      throw .elfSegmentBeyondAddressSpace(
        segment: index, address: start, memoryByteCount: entry.memoryByteCount)
    }
    // Where nothing is stored, the offset means nothing.
    guard
      entry.storedByteCount == 0
        || (entry.storedByteCount <= file.byteCount
          && entry.fileOffset <= file.byteCount &- entry.storedByteCount)
    else {
      throw .elfSegmentBeyondEndOfFile(
        segment: index, fileOffset: entry.fileOffset, storedByteCount: entry.storedByteCount,
        fileByteCount: file.byteCount)
    }
    self.init(
      index: index, range: range, storedByteCount: entry.storedByteCount,
      fileOffset: entry.storedByteCount == 0 ? 0 : entry.fileOffset)
  }

  /// The memory that is stored, nil when none is.
  var storedRange: PhysicalRange? {
    storedByteCount == 0
      ? nil : PhysicalRange(start: range.start, byteCount: storedByteCount)
  }

  /// Where the stored bytes of `wanted`, which lies in ``storedRange``, are in the file.
  func fileRange(of wanted: PhysicalRange) -> Range<UInt64> {
    let offset = fileOffset &+ (wanted.start.rawValue &- range.start.rawValue)
    return offset..<offset &+ wanted.byteCount
  }
}

extension ELFCoreImage {
  /// How many bytes of segments that lie inside others are compared at most: 256 MiB. A kernel's text
  /// is a few tens of MiB.
  static var largestComparedByteCount: UInt64 { 256 << 20 }
}

extension ELFCoreImage.Segment {
  /// Whether all that the segment describes and stores is said by `other` as well, with equal bytes.
  ///
  /// - Parameter comparable: how many more bytes are compared; beyond, the answer is no.
  func repeats(
    _ other: ELFCoreImage.Segment, in file: MappedFile, _ comparable: inout UInt64
  ) -> Bool {
    guard other.range.contains(range) else { return false }
    let offset = range.start.rawValue &- other.range.start.rawValue
    guard storedByteCount > 0 else { return true }
    guard offset <= other.storedByteCount, storedByteCount <= other.storedByteCount &- offset,
      storedByteCount <= comparable
    else { return false }
    comparable &-= storedByteCount
    var done: UInt64 = 0
    while done < storedByteCount {
      let count = Swift.min(storedByteCount &- done, 1 << 20)
      let own = file.copiedBytes(at: fileOffset &+ done, count: count)
      let others = file.copiedBytes(at: other.fileOffset &+ offset &+ done, count: count)
      guard own == others else { return false }
      done &+= count
    }
    return true
  }
}

extension [ELFCoreImage.Segment] {
  /// Sorts by address, drops segments that repeat a part of another one, and finds out whether two
  /// others overlap in memory.
  mutating func sortByAddress(in file: MappedFile) throws(MemoryImageError) {
    // Of two that start together, the longer one first: it may hold the other.
    sort {
      ($0.range.start, $1.range.byteCount, $0.index) < (
        $1.range.start, $0.range.byteCount, $1.index
      )
    }
    var kept: [ELFCoreImage.Segment] = []
    kept.reserveCapacity(count)
    var comparable = ELFCoreImage.largestComparedByteCount
    for segment in self {
      // What is kept does not overlap, so only the last can reach this far.
      guard let last = kept.last, last.range.overlaps(segment.range) else {
        kept.append(segment)
        continue
      }
      guard segment.repeats(last, in: file, &comparable) else {
        throw .elfSegmentsOverlapInMemory(
          first: Swift.min(last.index, segment.index), second: Swift.max(last.index, segment.index),
          address: segment.range.start)
      }
    }
    self = kept
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
