import HandoverTestSupport
import KexecHandover

@testable import ProcessHandover

/// A memory file whose every store is recorded, and what can be done with it.
struct MemoryFileBench: ~Copyable {
  typealias Outgoing = OutgoingHandover<RecordingMemory, Superblock<RecordingMemory>>

  let memory: RecordingMemory
  var frames: ZeroingFrames
  var outgoing: Outgoing
  /// Memory without a name that is preserved: an area, a run, a block.
  let area: VmallocArea
  let run: FrameRange
  let block: PhysicalBlock

  static let geometry = PageGeometry.pages4KiB

  /// A file that holds a little of everything.
  init(byteCount: UInt64) throws {
    let memory = RecordingMemory(
      try AnonymousMemory(PhysicalRange(start: .zero, byteCount: byteCount)))
    var frames = ZeroingFrames(buddy: try Self.frames(byteCount), memory: memory)
    let superblock = Superblock(
      formatting: memory, geometry: Self.geometry, byteCount: byteCount,
      identity: MemoryFileIdentity(high: 1, low: 2))
    var outgoing = try Outgoing(
      in: memory, geometry: Self.geometry, anchor: superblock, from: &frames)
    try outgoing.createSubtree(named: "text", byteCount: 6000, from: &frames) {
      $0.storeBytes(of: 77, toByteOffset: 5999, as: UInt8.self)
    }
    _ = try outgoing.createAreaSubtree(named: "area", blockCount: 5, from: &frames)
    let area = try outgoing.allocatePreservedArea(blockCount: 3, order: PageOrder(1), from: &frames)
    let run = try outgoing.allocatePreserved(frameCount: 7, from: &frames)
    let block = try outgoing.allocatePreserved(PageOrder(2), from: &frames)
    self.memory = memory
    self.area = area
    self.run = run
    self.block = block
    self.frames = frames
    self.outgoing = outgoing
  }

  private static func frames(_ byteCount: UInt64) throws -> BuddyAllocator<AnonymousMemory> {
    let all = FrameRange(start: FrameNumber(1), frameCount: byteCount / 4096 - 1)
    let map = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    var buddy = BuddyAllocator(
      in: try AnonymousMemory(map), geometry: geometry, covering: all, mapAt: map.start)
    buddy.manageFree(all)
    return buddy
  }

  /// What a successor would find.
  func state() throws -> HandoverState { try Self.state(of: memory) }

  static func state(of memory: RecordingMemory) throws -> HandoverState {
    let contents = try SuperblockContents(reading: memory)
    return try SurveyedHandover(
      at: contents.state.deviceTree, in: memory, geometry: geometry
    ).state
  }
}

/// Frames of a bench, filled with zeros as a memory file's are.
struct ZeroingFrames: BlockSource, ~Copyable {
  private var buddy: BuddyAllocator<AnonymousMemory>
  private let memory: RecordingMemory

  init(buddy: consuming BuddyAllocator<AnonymousMemory>, memory: RecordingMemory) {
    self.buddy = buddy
    self.memory = memory
  }

  mutating func takeFrame() -> PhysicalAddress? {
    guard let block = buddy.takeBlock(.zero) else { return nil }
    memory.withWords(at: block.address, count: 512) { $0.clear() }
    return block.address
  }
  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? { buddy.takeBlock(order) }
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? { buddy.takeFrames(frameCount) }
  mutating func giveBack(_ frame: PhysicalAddress) { buddy.giveBack(frame) }
  mutating func giveBack(_ frames: FrameRange) { buddy.giveBack(frames) }
}
