import Handover
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages

/// The free frames of a memory file, handed out with storage behind them.
///
/// What is free follows from what is preserved, so the metadata is not in the file: it is in memory of the
/// process, covers the file's whole capacity, and is made when the first frame is wanted. It then knows as much of
/// the file as the take needs: ``UnseenFrames``. A successor that only reads never makes it.
struct FileFrames: BlockSource, ~Copyable {
  private let file: MemoryFile
  private let geometry: PageGeometry
  private var buddy: BuddyAllocator<AnonymousMemory>?
  /// The part of the file that the metadata does not cover yet; nil if it covers all of the file.
  private var unseen: UnseenFrames?
  /// The error of the file system, if the last take found free frames and could not get storage for them; else
  /// nil.
  var storageFailure: MemoryFileError?
  /// A block with storage that no allocation gets, so that a name can be removed from full memory, or in a full
  /// file system.
  var spare: PhysicalBlock?
  /// Where the next blocks are taken.
  var choice = Choice.bestFit

  /// Where a block is taken.
  enum Choice {
    /// In the smallest free block that has room.
    case bestFit
    /// At the lowest free address.
    case lowest
    /// In the spare block, and nowhere else.
    case spare
  }

  /// Where the map of the allocator is presented: beyond every frame of a file.
  private static let mapStart = PhysicalAddress(1 << 62)

  init(of file: MemoryFile, geometry: PageGeometry) {
    self.file = file
    self.geometry = geometry
  }

  /// Whether the metadata is made.
  var isReady: Bool { buddy != nil }

  /// Makes the metadata: of the first `byteCount` bytes, everything is free except the superblock and what the
  /// tree preserves, which is as its survey found it.
  ///
  /// - Parameter tree: nil of a file that preserves nothing.
  /// - Throws: `cannotAllocate`, with the error of mmap(2).
  /// - Complexity: O(orders); O(log frames) without a tree.
  mutating func prepare(
    byteCount: UInt64, without tree: UnseenFrames.Tree?
  ) throws(MemoryImageError) {
    let shift = UInt64(geometry.shift)
    let covered = FrameRange(
      start: FrameNumber(1), frameCount: max(file.capacity &>> shift, 2) &- 1)
    // One block may be as large as the file, so that a run of any length is found in one piece.
    let maximumOrder = PageOrder(
      min(63 &- covered.frameCount.leadingZeroBitCount, Int(geometry.maximumOrder.rawValue)))
    let mapByteCount = BuddyAllocator<AnonymousMemory>.mapByteCount(
      covering: covered, maximumOrder: maximumOrder, in: geometry)
    let map = try AnonymousMemory(
      PhysicalRange(start: Self.mapStart, byteCount: mapByteCount))
    var buddy = BuddyAllocator(
      in: map, geometry: geometry, covering: covered, maximumOrder: maximumOrder,
      mapAt: Self.mapStart, isMapZero: true)
    // Never more than the map covers, whatever the file says of its size.
    let allEnd = min(max(byteCount &>> shift, 1), covered.end.rawValue)
    let all = FrameRange(start: FrameNumber(1), frameCount: allEnd &- 1)
    // All of it, in one step: what is in use now may be freed later.
    buddy.manage(all)
    if let tree {
      unseen = UnseenFrames(all, of: file, tree)
    } else {
      buddy.freeUnchecked(all)
    }
    self.buddy = consume buddy
  }

  /// Reads the next part of the file into the metadata.
  ///
  /// - Returns: false after the last part.
  mutating func seeMore() -> Bool {
    guard var next = unseen.take() else { return false }
    let isSeen = next.seeNext { buddy?.freeUnchecked($0) }
    if isSeen { unseen = next }
    return isSeen
  }

  /// Reads all of the file into the metadata.
  ///
  /// - Complexity: O(nodes · page size + runs · log frames).
  mutating func seeAll() {
    while seeMore() {}
  }

  /// Makes the frames from the file's old size to its new one free.
  ///
  /// - Precondition: all of the file was seen.
  mutating func extend(from oldByteCount: UInt64, to byteCount: UInt64) {
    precondition(unseen == nil, "a file that grows before all of it was seen")
    let new = PhysicalRange(
      start: PhysicalAddress(oldByteCount), byteCount: byteCount &- oldByteCount)
    buddy?.manageFree(FrameRange(within: new, in: geometry))
  }

  /// The number of free frames in the part of the file that was seen, including those of the spare block; 0
  /// before the metadata is made.
  var freeFrameCount: UInt64 { allocatableFrameCount &+ (spare?.order.frameCount ?? 0) }

  /// The number of free frames in that part that an allocation may get.
  var allocatableFrameCount: UInt64 {
    switch buddy {
    case .some(let buddy): buddy.freeFrameCount
    case .none: 0
    }
  }

  /// Gives the storage of free frames back to the file system, of those that were seen.
  ///
  /// - Returns: the number of bytes that were free.
  /// - Throws: `cannotRelease`.
  mutating func releaseStorage() throws(MemoryFileError) -> UInt64 {
    let ranges = freeRanges()
    for range in ranges { try file.release(range) }
    return ranges.reduce(0) { $0 &+ $1.byteCount }
  }

  private func freeRanges() -> [PhysicalRange] {
    var ranges: [PhysicalRange] = []
    switch buddy {
    case .some(let buddy): buddy.forEachFreeRange { ranges.append($0.range(in: geometry)) }
    case .none: break
    }
    return ranges
  }

  // MARK: The source

  mutating func takeFrame() -> PhysicalAddress? {
    guard let block = takeBlock(.zero) else { return nil }
    file.withWords(at: block.address, count: geometry.pageWordCount) { $0.clear() }
    return block.address
  }

  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? {
    storageFailure = nil
    if choice == .spare { return takeOfSpare(order) }
    repeat {
      let block = choice == .lowest ? takeLowestBlock(order) : takeBestBlock(order)
      if block != nil || storageFailure != nil { return block }
    } while seeMore()
    return nil
  }

  private mutating func takeBestBlock(_ order: PageOrder) -> PhysicalBlock? {
    guard let block = buddy?.takeBlock(order) ?? nil else { return nil }
    if hasStorage(block.range(in: geometry)) { return block }
    giveBack(block, in: geometry)
    return nil
  }

  /// Takes a run; one whose length is a power of two is naturally aligned.
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? {
    storageFailure = nil
    var taken: FrameRange?
    repeat { taken = buddy?.takeFrames(frameCount) ?? nil } while taken == nil && seeMore()
    guard let frames = taken ?? takeUnalignedFrames(frameCount) else { return nil }
    if hasStorage(frames.range(in: geometry)) { return frames }
    giveBack(frames)
    return nil
  }

  mutating func giveBack(_ frame: PhysicalAddress) {
    giveBack(
      FrameRange(start: FrameNumber(containing: frame, in: geometry), frameCount: 1))
  }

  mutating func giveBack(_ frames: FrameRange) {
    let seen = unseen?.free(frames) ?? frames
    if seen.frameCount > 0 { buddy?.giveBack(seen) }
  }

  /// Gives the bytes storage, so that a store to them cannot fail; returns false if the file system has none.
  private mutating func hasStorage(_ range: PhysicalRange) -> Bool {
    do throws(MemoryFileError) {
      try file.backUnused(range)
      return true
    } catch {
      storageFailure = error
      return false
    }
  }

  /// Takes the first part of the spare block; the next part of that size is the spare block then, and the
  /// rest is free.
  private mutating func takeOfSpare(_ order: PageOrder) -> PhysicalBlock? {
    guard let whole = spare, whole.order >= order else { return nil }
    spare = nil
    guard whole.order > order else { return whole }
    let partByteCount = geometry.blockByteCount(order)
    let second = PhysicalBlock(
      address: whole.address.advanced(byBytes: partByteCount), order: order)
    spare = second
    let frames = FrameRange(whole, in: geometry)
    let start = FrameRange(second, in: geometry).end
    if start < frames.end {
      giveBack(FrameRange(start: start, frameCount: frames.end.rawValue &- start.rawValue))
    }
    return PhysicalBlock(address: whole.address, order: order)
  }

  // MARK: Places

  /// Takes exactly these frames; nil if one of them is not free. They do not get storage.
  mutating func takeStored(_ range: FrameRange) -> FrameRange? {
    do throws(BuddyAllocatorError) {
      try buddy?.allocate(range)
      return range
    } catch {
      return nil
    }
  }

  /// Takes the free block of that order with the lowest address.
  ///
  /// - Parameter limit: the block starts below this address.
  mutating func takeLowestBlock(
    _ order: PageOrder, below limit: PhysicalAddress? = nil
  ) -> PhysicalBlock? {
    var next = FrameNumber(0)
    while let free = buddy?.firstFreeBlock(atOrAfter: next) ?? nil {
      if let limit, free.address >= limit { return nil }
      let start = FrameNumber(containing: free.address, in: geometry)
      guard free.order < order else {
        let block = PhysicalBlock(address: free.address, order: order)
        guard let frames = takeStored(FrameRange(block, in: geometry)) else { return nil }
        if hasStorage(block.range(in: geometry)) { return block }
        giveBack(frames)
        return nil
      }
      next = FrameNumber(start.rawValue &+ free.order.frameCount)
    }
    return nil
  }

  /// Takes the lowest free run, wherever it starts; nil for a length that is a power of two, since callers rely on
  /// the natural alignment of such a run.
  ///
  /// - Complexity: O(free blocks), where one of them has a quarter of the frames; else O(1).
  private mutating func takeUnalignedFrames(_ frameCount: UInt64) -> FrameRange? {
    // A run of n frames, wherever it begins, contains a natural block of more than n / 4.
    let largest: UInt64
    switch buddy {
    case .some(let buddy): largest = buddy.largestFreeOrder?.frameCount ?? 0
    case .none: return nil
    }
    guard frameCount.nonzeroBitCount > 1, largest > frameCount &>> 2 else { return nil }
    struct Found: Error { let start: FrameNumber }
    do throws(Found) {
      try buddy?.forEachFreeRange { (range) throws(Found) in
        if range.frameCount >= frameCount { throw Found(start: range.start) }
      }
      return nil
    } catch {
      return takeStored(FrameRange(start: error.start, frameCount: frameCount))
    }
  }
}
