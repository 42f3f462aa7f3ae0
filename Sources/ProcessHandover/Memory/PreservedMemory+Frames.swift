import Handover
import MemoryAccess
import MemoryImages
import PreservedPages

extension PreservedMemory {
  /// How much memory is free, in bytes, without growing; counted from what is preserved the first
  /// time it is asked for.
  ///
  /// This includes a block of the device tree's size, mostly one page, that no allocation gets: removing a
  /// name from memory that is full needs it.
  ///
  /// - Throws: ``PreservedMemoryError/outOfProcessMemory(byteCount:)``.
  public mutating func freeByteCount() throws(PreservedMemoryError) -> UInt64 {
    try requireAllFrames()
    return frames.freeFrameCount &<< UInt64(geometry.shift)
  }

  /// Makes the allocator, if it does not exist yet. It reads what was found part by part, as it needs frames.
  mutating func requireFrames() throws(PreservedMemoryError) {
    guard !frames.isReady else { return }
    let found = foundPages.map { UnseenFrames.Tree(outgoing.tree, as: $0) }
    do throws(MemoryImageError) {
      try frames.prepare(byteCount: byteCount, without: found)
    } catch {
      throw .outOfProcessMemory(byteCount: error.byteCount ?? 0)
    }
    mayHaveEmptyNodes = foundPages != nil
    foundPages = nil
    keepSpare()
  }

  /// Makes the allocator, has it read all of the file, and frees the empty nodes that the predecessor left.
  mutating func requireAllFrames() throws(PreservedMemoryError) {
    try requireFrames()
    frames.seeAll()
    pruneFoundNodes()
  }

  /// Frees the empty nodes that the predecessor left: those that it emptied, and those that it had made when it
  /// was killed and had not filled.
  ///
  /// - Returns: the number of nodes.
  @discardableResult
  private mutating func pruneFoundNodes() -> UInt64 {
    guard mayHaveEmptyNodes else { return 0 }
    mayHaveEmptyNodes = false
    return pruneNodes()
  }

  /// Calls `body` with the handover and its frames; if they do not suffice, gathers the free ones, and then
  /// makes the file larger.
  mutating func withFrames<Result>(
    for use: FrameUse = .memory,
    _ body: (inout Outgoing, inout FileFrames) throws(OutgoingHandoverError) -> Result
  ) throws(PreservedMemoryError) -> Result {
    try requireFrames()
    var hasGathered = false
    while true {
      let wanted: UInt64
      do throws(OutgoingHandoverError) {
        let result = try withSpare(for: use, body)
        isGathered = false
        return result
      } catch {
        switch error {
        case .outOfFrames(let frameCount): wanted = frameCount
        case .subtreeExists: throw .nameTaken
        case .noSuchSubtree: throw .noSuchName
        default: throw .handover(error)
        }
      }
      if !hasGathered, frames.storageFailure == nil {
        hasGathered = true
        if gather(forFrames: wanted) { continue }
      }
      try growForFrames(wanted)
    }
  }

  /// Makes the file larger, after the source could not provide `frameCount` frames; frees the empty nodes that
  /// the predecessor left first.
  ///
  /// - Throws: why it cannot: ``PreservedMemoryError/full(frameCount:byteCount:)``,
  ///   ``PreservedMemoryError/outOfStorage(_:)``, ``PreservedMemoryError/file(_:)``.
  mutating func growForFrames(_ frameCount: UInt64) throws(PreservedMemoryError) {
    if let failure = frames.storageFailure { throw .outOfStorage(failure) }
    if pruneFoundNodes() > 0 { return }
    guard try grow(byFrames: frameCount) else {
      throw .full(frameCount: frameCount, byteCount: byteCount)
    }
  }

  /// Makes the file larger by room for a run of `frameCount` frames, and by a quarter at least.
  ///
  /// - Returns: whether it could: never beyond the capacity.
  private mutating func grow(byFrames frameCount: UInt64) throws(PreservedMemoryError) -> Bool {
    let old = byteCount
    let pageMask = UInt64(geometry.pageByteCount) - 1
    // A naturally aligned block that holds the run fits into twice its size.
    let run =
      frameCount.leadingZeroBitCount > geometry.shift + 3
      ? frameCount &<< UInt64(geometry.shift + 2) : UInt64.max / 2
    let (wanted, overflow) = old.addingReportingOverflow(max(run, old / 4))
    let new = min(overflow ? .max : wanted, file.capacity) & ~pageMask
    guard new > old else { return false }
    do throws(MemoryFileError) { try file.grow(to: new) } catch { throw .file(error) }
    // A kill before this leaves a file that is larger than what it holds, and no less sound.
    outgoing.anchor.store { $0.byteCount = new }
    frames.extend(from: old, to: new)
    return true
  }
}

extension MemoryImageError {
  /// How much memory could not be had.
  var byteCount: UInt64? {
    if case .cannotAllocate(let byteCount, _) = self { byteCount } else { nil }
  }
}
