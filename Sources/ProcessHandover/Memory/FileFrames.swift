import Handover
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages

/// The free frames of a memory file, handed out with storage behind them.
///
/// What is free follows from what is preserved, so none of the books are in the file: they are in
/// memory of the process, cover the file's whole capacity, and are made when the first frame is
/// wanted. A successor that only reads never makes them.
struct FileFrames: BlockSource, ~Copyable {
  private let file: MemoryFile
  private let geometry: PageGeometry
  private var buddy: BuddyAllocator<AnonymousMemory>?
  /// Why the last take got nothing, where there were frames and the file system had no storage for
  /// them; nil where it got something, or there were none.
  private(set) var storageFailure: MemoryFileError?

  /// Where the map of the allocator is presented: beyond every frame of a file.
  private static let mapStart = PhysicalAddress(1 << 62)

  init(of file: MemoryFile, geometry: PageGeometry) {
    self.file = file
    self.geometry = geometry
  }

  /// Whether the books are made.
  var isReady: Bool { buddy != nil }

  /// Makes the books: of the first `byteCount` bytes, everything is free but the superblock and what
  /// `pages` found.
  ///
  /// - Throws: `cannotAllocate`, as mmap(2) says it.
  /// - Complexity: O(nodes · page size + runs · log frames).
  mutating func prepare(
    byteCount: UInt64, without pages: PreservedPagesSurvey?
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
    if let pages {
      var gaps = FrameGaps(in: all, geometry: geometry, nodes: pages.nodes)
      pages.forEachRun(in: file) { run in
        gaps.pass(FrameRange(covering: run.range(in: geometry), in: geometry)) {
          buddy.freeUnchecked($0)
        }
      }
      gaps.finish { buddy.freeUnchecked($0) }
    } else {
      buddy.freeUnchecked(all)
    }
    self.buddy = consume buddy
  }

  /// Makes the frames from the file's old size to its new one free.
  mutating func extend(from oldByteCount: UInt64, to byteCount: UInt64) {
    let new = PhysicalRange(
      start: PhysicalAddress(oldByteCount), byteCount: byteCount &- oldByteCount)
    buddy?.manageFree(FrameRange(within: new, in: geometry))
  }

  /// The number of frames that are free; nil before the books are made.
  var freeFrameCount: UInt64? {
    switch buddy {
    case .some(let buddy): buddy.freeFrameCount
    case .none: nil
    }
  }

  /// Gives the storage of free frames back to the file system.
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
    guard let block = buddy?.takeBlock(order) ?? nil else { return nil }
    guard hasStorage(block.range(in: geometry)) else {
      giveBack(block, in: geometry)
      return nil
    }
    return block
  }

  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? {
    storageFailure = nil
    guard let frames = buddy?.takeFrames(frameCount) ?? nil else { return nil }
    guard hasStorage(frames.range(in: geometry)) else {
      giveBack(frames)
      return nil
    }
    return frames
  }

  mutating func giveBack(_ frame: PhysicalAddress) {
    buddy?.giveBack(frame)
  }

  mutating func giveBack(_ frames: FrameRange) {
    buddy?.giveBack(frames)
  }

  /// Has the bytes stored in earnest, so that no store to them can fail.
  private mutating func hasStorage(_ range: PhysicalRange) -> Bool {
    do throws(MemoryFileError) {
      try file.backUnused(range)
      return true
    } catch {
      storageFailure = error
      return false
    }
  }
}

/// What is between ranges that come by address, and between nodes.
private struct FrameGaps {
  private let geometry: PageGeometry
  private let end: FrameNumber
  private let nodes: [PhysicalAddress]
  private var nodeIndex = 0
  private var next: FrameNumber

  init(in all: FrameRange, geometry: PageGeometry, nodes: [PhysicalAddress]) {
    self.geometry = geometry
    self.nodes = nodes
    next = all.start
    end = all.end
  }

  /// Calls `body` with the gaps before `used`.
  mutating func pass(_ used: FrameRange, _ body: (FrameRange) -> Void) {
    passNodes(before: used.start, body)
    tell(upTo: used.start, body)
    next = max(next, used.end)
  }

  /// Calls `body` with the gaps behind everything that was passed.
  mutating func finish(_ body: (FrameRange) -> Void) {
    passNodes(before: end, body)
    tell(upTo: end, body)
  }

  private mutating func passNodes(before frame: FrameNumber, _ body: (FrameRange) -> Void) {
    while nodeIndex < nodes.count {
      let node = FrameNumber(containing: nodes[nodeIndex], in: geometry)
      guard node < frame else { return }
      nodeIndex &+= 1
      tell(upTo: node, body)
      next = max(next, FrameNumber(node.rawValue &+ 1))
    }
  }

  private mutating func tell(upTo frame: FrameNumber, _ body: (FrameRange) -> Void) {
    let stop = min(frame, end)
    guard next < stop else { return }
    body(FrameRange(start: next, frameCount: stop.rawValue &- next.rawValue))
  }
}
