import Handover
public import MemoryModel
import PreservedPages

// Memory without a name. Its address has to be kept somewhere that has one: in a region, say.

extension PreservedMemory {
  /// Allocates memory of at least `byteCount` bytes in one piece, filled with zeros and preserved.
  ///
  /// - Returns: whole pages.
  /// - Throws: ``PreservedMemoryError/full(frameCount:byteCount:)``,
  ///   ``PreservedMemoryError/outOfStorage(_:)``, and what growing the file throws.
  /// - Precondition: `byteCount` is not 0.
  /// - Complexity: O(bytes), for the zeros.
  public mutating func allocate(
    byteCount: UInt64
  ) throws(PreservedMemoryError) -> PhysicalRange {
    precondition(byteCount > 0, "an allocation of nothing")
    let shift = UInt64(geometry.shift)
    let frameCount = (byteCount &- 1) &>> shift &+ 1
    let geometry = geometry
    return try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.allocatePreserved(frameCount: frameCount, from: &frames).range(in: geometry)
    }
  }

  /// Allocates a block of 2^order pages, filled with zeros and preserved.
  ///
  /// - Throws: as ``allocate(byteCount:)``.
  public mutating func allocate(
    _ order: PageOrder
  ) throws(PreservedMemoryError) -> PhysicalBlock {
    try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.allocatePreserved(order, from: &frames)
    }
  }

  /// Frees what ``allocate(byteCount:)`` gave, as a whole.
  ///
  /// - Throws: ``PreservedMemoryError/handover(_:)`` with `notPreserved` of a range that was not
  ///   allocated like that.
  public mutating func free(_ range: PhysicalRange) throws(PreservedMemoryError) {
    let run = FrameRange(covering: range, in: geometry)
    try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.unpreserveAndFree(run, into: &frames)
    }
  }

  /// Frees what ``allocate(_:)`` gave.
  ///
  /// - Throws: as ``free(_:)-(PhysicalRange)``.
  public mutating func free(_ block: PhysicalBlock) throws(PreservedMemoryError) {
    try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.unpreserveAndFree(block, into: &frames)
    }
  }

  /// Frees the storage of memory that is free, so that the file takes less of its file system.
  ///
  /// - Returns: how many bytes were given back at most.
  /// - Throws: ``PreservedMemoryError/file(_:)``.
  /// - Complexity: O(free ranges), a system call for each.
  @discardableResult
  public mutating func trim() throws(PreservedMemoryError) -> UInt64 {
    try requireFrames()
    outgoing.prune(into: &frames)
    do throws(MemoryFileError) { return try frames.releaseStorage() } catch { throw .file(error) }
  }

  /// Calls `body` with every preserved block, by address: what the successor of a process that lost
  /// track compares with what it knows.
  ///
  /// The blocks of regions are among them, and so is that of the device tree.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + entries).
  public func forEachBlock<Failure: Error>(
    _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    try PreservedPagesSurvey(outgoing.tree.reader).forEachBlock(in: file, body)
  }

  // MARK: Bytes

  /// Calls `body` with the bytes of `range`.
  ///
  /// - Precondition: they are bytes of the memory.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let result = try file.withBytes(in: range, body) else {
      preconditionFailure("bytes outside the memory")
    }
    return result
  }

  /// Calls `body` with the bytes of `range`, for reading and writing.
  ///
  /// - Precondition: they are bytes of the memory, and preserved.
  public mutating func withMutableBytes<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try file.withMutableBytes(in: range, body)
  }

  /// Calls `body` with the 64-bit words of `range`: each store is one, also for whoever comes after
  /// a crash.
  ///
  /// - Precondition: they are bytes of the memory, and preserved; the ends are multiples of 8.
  public mutating func withWords<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try file.withWords(at: range.start, count: Int(range.byteCount >> 3), body)
  }
}
