package import Handover
package import MemoryAccess
import MemoryImages
package import PageAllocation
import Testing

/// An outgoing handover, the allocator it takes frames from, and the memory of both.
///
///     0x100_0000
///     │ the allocator's map │ frames it hands out                     │ scratch, where asked for │
package struct HandoverBench: ~Copyable {
  package typealias Frames = TrackedFrames<BuddyAllocator<RecordingMemory>, RecordingMemory>

  /// Where all benches' memory starts.
  package static var start: UInt64 { 0x100_0000 }

  package let geometry: PageGeometry
  package let memory: RecordingMemory
  package let anchor: RecordingAnchor.State
  package var frames: Frames
  package var handover: OutgoingHandover<RecordingMemory, RecordingAnchor>

  // What a scenario sets up for the operation that it is about.
  /// The numbers of the frames that are the test's own, preserved or not.
  package var owned: Set<UInt64> = []
  package var blocks: [PhysicalBlock] = []
  package var run = FrameRange(start: FrameNumber(0), frameCount: 0)
  package var area = VmallocArea(firstChunk: .zero, pageCount: 0)
  package var records: SerializedRecordWriter<RecordingMemory>?

  /// A handover of nothing in `frameCount` frames, the last `scratchFrameCount` of them scratch.
  package init(
    shift: Int, version: ABIVersion = .v4, frameCount: UInt64? = nil, scratchFrameCount: UInt64 = 0,
    nodeStarts: [UInt64] = []
  ) throws {
    let geometry = PageGeometry(shift: shift)
    let count = frameCount ?? Self.frameCount(shift: shift)
    let (memory, map) = try Self.memory(geometry, frameCount: count)
    let all = memory.base.range
    let free = FrameRange(
      start: FrameNumber(containing: all.start, in: geometry),
      frameCount: count - scratchFrameCount)
    let allocator = try BuddyAllocator(
      free: [free], in: memory, geometry: geometry, maximumOrder: PageOrder(10))
    precondition(map.contains(allocator.mapRange), "the map is elsewhere")
    var frames = TrackedFrames(allocator, in: memory, geometry: geometry)
    let anchor = RecordingAnchor.State()
    let scratch = FrameRange(start: free.end, frameCount: scratchFrameCount)
    let handover = try OutgoingHandover(
      in: memory, geometry: geometry, version: version,
      anchor: RecordingAnchor(anchor, journal: memory.journal),
      scratchAreas: scratchFrameCount == 0 ? [] : [ScratchArea(scratch.range(in: geometry))],
      nodeStarts: nodeStarts.map { FrameNumber(free.start.rawValue + $0) }, from: &frames)
    self.geometry = geometry
    self.memory = memory
    self.anchor = anchor
    self.frames = frames
    self.handover = handover
  }

  /// Memory of `frameCount` frames, and where an allocator's map may be in it, which is not
  /// recorded.
  package static func memory(
    _ geometry: PageGeometry, frameCount: UInt64
  ) throws -> (memory: RecordingMemory, map: PhysicalRange) {
    let range = PhysicalRange(
      start: PhysicalAddress(start), byteCount: frameCount << UInt64(geometry.shift))
    let covered = FrameRange(within: range, in: geometry)
    let map = PhysicalRange(
      start: range.start,
      byteCount: BuddyAllocator<RecordingMemory>.mapByteCount(
        covering: covered, maximumOrder: PageOrder(10), in: geometry))
    return (RecordingMemory(try AnonymousMemory(range), ignoring: map), map)
  }

  /// Enough for every scenario.
  package static func frameCount(shift: Int) -> UInt64 { shift < 8 ? 4096 : 512 }

  /// What a successor would find now.
  package func survey() throws -> SurveyedHandover {
    try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
  }

  /// Takes a block that is the test's own.
  package mutating func take(_ order: Int) throws -> PhysicalBlock {
    let block = frames.takeBlock(PageOrder(order))
    let taken = try #require(block)
    owned.formUnion(FrameRange(taken, in: geometry).numbers)
    return taken
  }

  /// Checks that every frame that is out is an entry's, a node's, the test's own, or names the blocks
  /// of ``records``.
  package mutating func checkFrames() throws {
    let found = try survey()
    let known = found.entryFrames(in: geometry).union(found.nodes)
    try #require(frames.out.isSuperset(of: known))
    let unknown = frames.out.subtracting(known).subtracting(owned)
    var listFrameCount = 0
    if records != nil {
      let perPage = geometry.pageWordCount - 1
      listFrameCount = (Self.recordBlockCount + perPage - 1) / perPage
    }
    try #require(unknown.count == listFrameCount)
    try frames.base.validate()
  }

  /// How many blocks ``records`` has.
  package static var recordBlockCount: Int { 9 }

  /// Runs `operation` with its first take failing, then its second, and so on, until it succeeds;
  /// after each failure nothing may have changed but that empty nodes were freed.
  ///
  /// - Returns: how often it failed.
  package mutating func failEveryTake(
    _ operation: (inout HandoverBench) throws(OutgoingHandoverError) -> Void
  ) throws -> Int {
    var take = 1
    while true {
      let before = try survey()
      let outBefore = frames.out
      frames.takesUntilFailure = take
      var failure: OutgoingHandoverError?
      do throws(OutgoingHandoverError) { try operation(&self) } catch { failure = error }
      let wasReached = frames.takesUntilFailure == nil
      frames.takesUntilFailure = nil
      guard let failure else {
        try #require(!wasReached, "an operation that succeeds without a frame it asked for")
        return take - 1
      }
      guard wasReached, case .outOfFrames = failure else { throw failure }
      let after = try survey()
      try #require(after.state == before.state)
      try #require(anchor.pending == nil)
      try #require(handover.deviceTree == before.deviceTreeBlock)
      let pruned = before.nodes.subtracting(after.nodes)
      try #require(frames.out == outBefore.subtracting(pruned))
      take += 1
    }
  }
}

extension FrameRange {
  /// The numbers of the frames.
  package var numbers: Range<UInt64> { start.rawValue..<end.rawValue }
}
