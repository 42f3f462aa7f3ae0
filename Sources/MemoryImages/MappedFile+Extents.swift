internal import Platform
internal import Synchronization
internal import SystemPackage

/// What one look for data found out: nothing is stored in `askedFrom..<dataStart`, and data is in
/// `dataStart..<dataEnd`.
struct FileExtent {
  let askedFrom: UInt64
  let dataStart: UInt64
  let dataEnd: UInt64
}

extension MappedFile {
  /// The first run of stored bytes at or after `offset`, cut to start no earlier; nil when only
  /// holes follow.
  ///
  /// Holes are not touched: the file system says where they are, lseek(2). Where it cannot, all
  /// bytes count as stored. The last answer is kept, so that asking for every piece of one extent
  /// asks the file system once.
  func storedBytes(atOrAfter offset: UInt64) -> Range<UInt64>? {
    guard offset < byteCount else { return nil }
    let extent = lastExtent.withLock { last in
      if offset < last.askedFrom || offset >= last.dataEnd { last = findExtent(from: offset) }
      return last
    }
    let start = max(offset, extent.dataStart)
    return start < extent.dataEnd ? start..<extent.dataEnd : nil
  }

  /// Asks the file system. In doubt bytes count as stored: data is never skipped.
  private func findExtent(from offset: UInt64) -> FileExtent {
    let start: UInt64
    do throws(Errno) {
      start = max(offset, try SystemCalls.seek(descriptor, to: .data, from: offset))
    } catch {
      // ENXIO: no data up to the end. Anything else: the file system does not say.
      return FileExtent(
        askedFrom: offset, dataStart: error == .noSuchAddressOrDevice ? byteCount : offset,
        dataEnd: byteCount)
    }
    guard start < byteCount else {
      return FileExtent(askedFrom: offset, dataStart: byteCount, dataEnd: byteCount)
    }
    let hole = (try? SystemCalls.seek(descriptor, to: .hole, from: start)) ?? byteCount
    // A hole at or before the data: the file is being changed. Progress comes first.
    return FileExtent(
      askedFrom: offset, dataStart: start, dataEnd: hole > start ? min(hole, byteCount) : byteCount)
  }
}
