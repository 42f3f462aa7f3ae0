package import KexecHandover
import Testing

/// A successor in the memory of a ``HandoverBench``: it has read the handover and started its
/// allocators around it.
package struct Successor: ~Copyable {
  package typealias Frames = TrackedFrames<BuddyAllocator<RecordingMemory>, RecordingMemory>

  package let geometry: PageGeometry
  package let memory: RecordingMemory
  package var incoming: IncomingHandover<RecordingMemory>
  package var frames: Frames
  /// The numbers of the frames of the allocator's own map.
  package let mapFrames: Range<UInt64>

  /// Takes over the handover at `deviceTree`.
  package init(
    at deviceTree: PhysicalAddress, in memory: RecordingMemory, geometry: PageGeometry
  ) throws {
    let incoming = try IncomingHandover(at: deviceTree, in: memory, geometry: geometry)
    var memblock = Memblock(in: memory, geometry: geometry, capacity: 4)
    try memblock.add(memory.base.range)
    try incoming.reserve(in: &memblock)
    let allocator = try BuddyAllocator(from: &memblock, maximumOrder: PageOrder(10))
    let list = memblock.reservedListStorage
    mapFrames = FrameRange(within: allocator.mapRange, in: geometry).numbers
    var frames = TrackedFrames(allocator, in: memory, geometry: geometry)
    // The early allocator is not used any more, so its list is free memory too.
    if let list {
      let range = FrameRange(within: list, in: geometry)
      frames.noteOut(range)
      frames.giveBack(range)
    }
    var used: Set<UInt64> = []
    incoming.forEachRange { range, _ in
      used.formUnion(FrameRange(covering: range, in: geometry).numbers)
    }
    for frame in used { frames.noteOut(FrameRange(start: FrameNumber(frame), frameCount: 1)) }
    self.geometry = geometry
    self.memory = memory
    self.incoming = incoming
    self.frames = frames
  }

  /// Takes over the handover of `bench` in a copy of its memory, so that the bench goes on.
  package init(copying bench: borrowing HandoverBench) throws {
    try self.init(
      at: bench.anchor.deviceTree, in: bench.memory.copy(), geometry: bench.geometry)
  }

  /// The blocks that are not restored yet.
  package var unrestored: [PhysicalBlock] {
    var blocks: [PhysicalBlock] = []
    incoming.forEachUnrestored { blocks.append($0) }
    return blocks
  }

  /// Restores a block.
  package mutating func restore(_ block: PhysicalBlock) throws(IncomingHandoverError) {
    try incoming.restore(block, from: &frames)
  }

  /// Restores a run of frames.
  package mutating func restore(_ run: FrameRange) throws(IncomingHandoverError) {
    try incoming.restore(run, from: &frames)
  }

  /// Restores an area.
  package mutating func restore(_ area: VmallocArea) throws(IncomingHandoverError) {
    try incoming.restore(area, from: &frames)
  }

  /// Checks that every frame of memory is free, in use or the map's.
  package func checkFrames() throws {
    var free: Set<UInt64> = []
    frames.base.forEachFreeRange { free.formUnion($0.numbers) }
    let all = FrameRange(within: memory.base.range, in: geometry).numbers
    // Frame 0 is never handed out.
    let expected = Set(all).subtracting(frames.out).subtracting(mapFrames).subtracting([0])
    let isEqual = free == expected
    try #require(isEqual, "\(free.symmetricDifference(expected).sorted().prefix(9))")
    try frames.base.validate()
  }

  /// Runs `operation` with its first take failing, then its second, and so on, until it succeeds;
  /// after each failure nothing may have changed but that empty nodes of the books were freed.
  ///
  /// - Returns: how often it failed.
  package mutating func failEveryTake(
    _ operation: (inout Successor) throws(IncomingHandoverError) -> Void
  ) throws -> Int {
    var take = 1
    while true {
      let outBefore = frames.out
      let before = unrestored
      frames.takesUntilFailure = take
      var failure: IncomingHandoverError?
      do throws(IncomingHandoverError) { try operation(&self) } catch { failure = error }
      let wasReached = frames.takesUntilFailure == nil
      frames.takesUntilFailure = nil
      guard let failure else {
        try #require(!wasReached, "an operation that succeeds without a frame it asked for")
        return take - 1
      }
      guard wasReached, failure == .outOfFrames else { throw failure }
      try #require(unrestored == before)
      try #require(frames.out == outBefore)
      take += 1
    }
  }
}
