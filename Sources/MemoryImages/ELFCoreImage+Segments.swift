internal import MemoryModel

extension ELFCoreImage.Segment {
  /// The segment that a PT_LOAD describes; nil when it has no size or no physical address.
  init?(
    index: Int, _ entry: ELFProgramHeader, in file: MappedFile
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

extension [ELFCoreImage.Segment] {
  /// Sorts by address, and finds out whether two segments overlap in memory.
  ///
  /// In sorted order it is enough to compare neighbours: if any two overlap, two neighbours do.
  mutating func sortByAddress() throws(MemoryImageError) {
    sort { ($0.range.start, $0.index) < ($1.range.start, $1.index) }
    for (lower, upper) in zip(self, dropFirst()) where lower.range.overlaps(upper.range) {
      throw .elfSegmentsOverlapInMemory(
        first: Swift.min(lower.index, upper.index), second: Swift.max(lower.index, upper.index),
        address: upper.range.start)
    }
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
