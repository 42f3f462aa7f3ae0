import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Allocators built from what is in use, against those that free everything else run by run.
@Suite(.namesCombination)
struct BuilderTests {
  private static let map = PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 1 << 21)

  private func state<Memory>(_ allocator: borrowing BuddyAllocator<Memory>) -> [PhysicalBlock] {
    var blocks: [PhysicalBlock] = []
    allocator.forEachFreeBlock { blocks.append($0) }
    return blocks
  }

  @Test("random runs in random order", arguments: [0, 1, 2, 3, 6, 10])
  func equalsFreeing(maximumOrder: Int) throws {
    var generator = SeededGenerator(seed: UInt64(maximumOrder))
    let memory = try AnonymousMemory(Self.map)
    let other = try AnonymousMemory(Self.map)
    try withEvery("effort", in: 0..<60) { effort in
      // Where memory begins decides up to which order each part is joined by itself.
      let alignment = UInt64(1) << UInt64(generator.index(below: 10))
      let start = UInt64(1 + generator.index(below: 300)) * alignment
      let count = UInt64(1 + generator.index(below: effort < 30 ? 70 : effort < 50 ? 3000 : 20_000))
      let covered = FrameRange(start: FrameNumber(start), frameCount: count)
      func run(_ longest: Int) -> FrameRange {
        let first = start - 1 + UInt64(generator.index(below: Int(count) + 2))
        return FrameRange(
          start: FrameNumber(first), frameCount: UInt64(generator.index(below: longest)))
      }
      let managed = generator.isOne(in: 2) ? [covered] : (0..<4).map { _ in run(Int(count)) }
      let used = (0..<generator.index(below: 40)).map { _ in run(generator.isOne(in: 4) ? 200 : 4) }
      var builder = BuddyAllocatorBuilder(
        in: memory, geometry: .pages4KiB, covering: covered,
        maximumOrder: PageOrder(maximumOrder), mapAt: Self.map.start)
      for range in managed { builder.manage(range) }
      // As several threads do it, each of which meets the runs of its neighbours as well.
      let partCount = 1 + generator.index(below: 5)
      let markers = (0..<partCount).map { builder.marker($0, of: partCount) }
      try #require(markers.map(\.frames.frameCount).reduce(0, +) == count)
      try #require(
        zip(markers, markers.dropFirst()).allSatisfy { $0.frames.end == $1.frames.start })
      let joinsParts = generator.isOne(in: 2)
      var joined: [JoinedFrames] = []
      for marker in markers.shuffled(using: &generator) {
        for range in used { marker.use(range) }
        if joinsParts { joined.append(marker.join()) }
      }
      joined.sort { ($0.frames.start, $0.frames.end) < ($1.frames.start, $1.frames.end) }
      var built = joinsParts ? builder.finish(joining: joined) : builder.finish()
      try built.validate()

      var expected = BuddyAllocator(
        in: other, geometry: .pages4KiB, covering: covered,
        maximumOrder: PageOrder(maximumOrder), mapAt: Self.map.start)
      let usedFrames = Set(used.flatMap { Array($0.start.rawValue..<$0.end.rawValue) })
      for range in managed {
        for frame in range.start.rawValue..<range.end.rawValue where !usedFrames.contains(frame) {
          expected.manageFree(FrameRange(start: FrameNumber(frame), frameCount: 1))
        }
        expected.manage(range)
      }
      try expected.validate()
      try #require(state(built) == state(expected))
      try #require(built.freeFrameCount == expected.freeFrameCount)
      try #require(built.managedFrameCount == expected.managedFrameCount)
      // Both go on alike.
      for _ in 0..<30 {
        let order = PageOrder(generator.index(below: maximumOrder + 1))
        let taken = try? built.allocate(order)
        try #require(taken == (try? expected.allocate(order)))
        if let taken, generator.isOne(in: 2) {
          try built.free(taken)
          try expected.free(taken)
        }
      }
      try built.validate()
      try #require(state(built) == state(expected))
    }
  }

  @Test("threads that mark and join parts of memory at the same time", arguments: [13, 1 << 12])
  func threads(start: UInt64) async throws {
    let memory = try AnonymousMemory(Self.map)
    let other = try AnonymousMemory(Self.map)
    let covered = FrameRange(start: FrameNumber(start), frameCount: 20_000)
    var generator = SeededGenerator(seed: 11)
    let used = (0..<4000).map { _ in
      FrameRange(
        start: FrameNumber(start - 13 + UInt64(generator.index(below: 20_100))),
        frameCount: UInt64(generator.index(below: 3)))
    }
    // SAFETY: `memory` lives to the end of the test.
    let map = unsafe memory.unsafeDirectMap
    var builder = BuddyAllocatorBuilder(
      in: map, geometry: .pages4KiB, covering: covered, mapAt: Self.map.start)
    builder.manage(covered)
    let joined = await withTaskGroup { group in
      for part in 0..<4 {
        let marker = builder.marker(part, of: 4)
        group.addTask {
          for range in used { marker.use(range) }
          return (part, marker.join())
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
    var expected = BuddyAllocatorBuilder(
      in: other, geometry: .pages4KiB, covering: covered, mapAt: Self.map.start)
    expected.manage(covered)
    for range in used { expected.use(range) }
    let built = builder.finish(joining: joined)
    let alone = expected.finish()
    try built.validate()
    #expect(state(built) == state(alone))
    withExtendedLifetime(memory) {}
  }

  @Test("parts that are missing, or were made before all frames were managed, end the process")
  func wrongParts() async {
    await #expect(processExitsWith: .failure) {
      let memory = try AnonymousMemory(Self.map)
      let covered = FrameRange(start: FrameNumber(64), frameCount: 20_000)
      var builder = BuddyAllocatorBuilder(
        in: memory, geometry: .pages4KiB, covering: covered, mapAt: Self.map.start)
      builder.manage(covered)
      let first = builder.marker(0, of: 2).join()
      _ = builder.marker(1, of: 2).join()
      _ = builder.finish(joining: [first])
    }
    await #expect(processExitsWith: .failure) {
      let memory = try AnonymousMemory(Self.map)
      let covered = FrameRange(start: FrameNumber(64), frameCount: 20_000)
      var builder = BuddyAllocatorBuilder(
        in: memory, geometry: .pages4KiB, covering: covered, mapAt: Self.map.start)
      let joined = builder.marker(0, of: 1).join()
      builder.manage(covered)
      _ = builder.finish(joining: [joined])
    }
    // No parts at all.
    await #expect(processExitsWith: .failure) {
      let memory = try AnonymousMemory(Self.map)
      let builder = BuddyAllocatorBuilder(
        in: memory, geometry: .pages4KiB,
        covering: FrameRange(start: FrameNumber(64), frameCount: 20_000), mapAt: Self.map.start)
      _ = builder.finish(joining: [])
    }
  }

  @Test("a run that is managed in one step is asked, freed and counted as any other")
  func managedRun() throws {
    let memory = try AnonymousMemory(Self.map)
    var allocator = BuddyAllocator(
      in: memory, geometry: .pages4KiB,
      covering: FrameRange(start: FrameNumber(10), frameCount: 1000), mapAt: Self.map.start)
    allocator.manage(FrameRange(start: FrameNumber(100), frameCount: 300))
    allocator.manage(FrameRange(start: FrameNumber(50), frameCount: 100))
    allocator.manageFree(FrameRange(start: FrameNumber(350), frameCount: 100))
    #expect(allocator.managedFrameCount == 400)
    #expect(allocator.freeFrameCount == 50)
    try allocator.validate()
    for (frame, isManaged) in [(49, false), (50, true), (399, true), (449, true), (450, false)] {
      #expect(allocator.isManaged(FrameNumber(UInt64(frame))) == isManaged)
    }
    func refusal(_ start: UInt64, _ count: UInt64) -> BuddyAllocatorError? {
      do throws(BuddyAllocatorError) {
        try allocator.free(FrameRange(start: FrameNumber(start), frameCount: count))
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal(40, 30) == .notManaged(FrameNumber(40)))
    #expect(refusal(300, 200) == .notManaged(FrameNumber(450)))
    #expect(refusal(300, 101) == .alreadyFree(FrameNumber(400)))
    #expect(refusal(60, 340) == nil)
    #expect(allocator.freeFrameCount == 390)
    try allocator.validate()
  }
}
