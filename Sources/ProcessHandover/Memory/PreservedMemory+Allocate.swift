import Handover
public import MemoryAccess
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
    try allocate(byteCount: byteCount) { _ in }
  }

  /// Allocates memory of at least `byteCount` bytes in one piece, and passes its range to the caller before it is
  /// preserved, so that the caller can write that down in memory of its own that is.
  ///
  /// Killed after that, the caller leaves a note of memory that is preserved or not;
  /// ``freeIfAllocated(_:)`` is right for both. What a successor finds noted it has to look at before
  /// it allocates, since the note of what was never allocated says nothing about what is there later.
  ///
  ///     let file = memory.file
  ///     let made = try memory.allocate(byteCount: 1 << 20) { range in
  ///       file.withWords(at: note.start, count: 1) { $0.publish(range.start.rawValue, at: 0) }
  ///     }
  ///
  /// - Parameter byteCount: the size, in bytes.
  /// - Parameter zeroed: whether the memory is filled with zeros; else it holds whatever was there, of
  ///   this file.
  /// - Parameter announce: called once, when nothing can fail any more.
  /// - Returns: whole pages.
  /// - Throws: as ``allocate(byteCount:)``; nothing was announced then.
  /// - Precondition: `byteCount` is not 0.
  /// - Complexity: O(bytes) where the memory is filled, and where it has no storage yet.
  public mutating func allocate(
    byteCount: UInt64, zeroed: Bool = true, announcing announce: (PhysicalRange) -> Void
  ) throws(PreservedMemoryError) -> PhysicalRange {
    precondition(byteCount > 0, "an allocation of nothing")
    let geometry = geometry
    let frameCount = (byteCount &- 1) &>> UInt64(geometry.shift) &+ 1
    return try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.allocatePreserved(frameCount: frameCount, zeroed: zeroed, from: &frames) {
        announce($0.range(in: geometry))
      }.range(in: geometry)
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

  /// Frees what ``allocate(byteCount:)`` gave, as a whole, or does nothing where no page of `range` is
  /// preserved: it was announced and never allocated, or is free already.
  ///
  /// The range may be any, as read from a note that another program wrote; the pages at its edges count
  /// whole.
  ///
  /// - Returns: whether it was allocated.
  /// - Throws: ``PreservedMemoryError/handover(_:)`` with `outsideMemory` of bytes that do not exist,
  ///   `notPreserved` of a range that is preserved in part or was not allocated like that, and
  ///   `holdsSubtree` or `overlapsDeviceTree` of what is in use under a name;
  ///   ``PreservedMemoryError/outOfProcessMemory(byteCount:)``.
  /// - Complexity: O(blocks · orders in use · levels · page size).
  public mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PreservedMemoryError) -> Bool {
    guard PhysicalRange(start: .zero, byteCount: byteCount).contains(range) else {
      throw .handover(.outsideMemory(range))
    }
    guard !range.isEmpty else { return false }
    let run = FrameRange(covering: range, in: geometry)
    return try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.unpreserveAndFreeIfPreserved(run, into: &frames)
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
    try requireAllFrames()
    pruneNodes()
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
}
