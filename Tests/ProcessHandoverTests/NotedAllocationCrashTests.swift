import HandoverTestSupport
import KexecHandover
import Testing

@testable import ProcessHandover

/// A process that notes what it allocates, and is killed after any store: its successor frees by
/// the note, and nothing is left of it.
@Suite(.namesCombination)
struct NotedAllocationCrashTests {
  private static func note(_ run: FrameRange, in words: borrowing MemoryWords) {
    words.publish(run.frameCount, at: 0)
    words.publish(run.start.rawValue, at: 1)
  }

  @Test(arguments: [1, 4, 5, 13], [true, false])
  func allocation(frameCount: UInt64, zeroed: Bool) throws {
    try killAtEveryStore { bench, noteAddress in
      let memory = bench.memory
      _ = try bench.outgoing.allocatePreserved(
        frameCount: frameCount, zeroed: zeroed, from: &bench.frames
      ) { run in memory.withWords(at: noteAddress, count: 2) { Self.note(run, in: $0) } }
    }
  }

  @Test
  func freeing() throws {
    try killAtEveryStore { bench, noteAddress in
      let run = try bench.outgoing.allocatePreserved(frameCount: 11, from: &bench.frames)
      bench.memory.withWords(at: noteAddress, count: 2) { Self.note(run, in: $0) }
    } operation: { bench, noteAddress in
      let run = try #require(Self.noted(in: bench.memory, at: noteAddress))
      let isFreed = try bench.outgoing.unpreserveAndFreeIfPreserved(run, into: &bench.frames)
      #expect(isFreed)
    }
  }

  private func killAtEveryStore(
    operation: (inout MemoryFileBench, PhysicalAddress) throws -> Void
  ) throws {
    try killAtEveryStore(setUp: { _, _ in }, operation: operation)
  }

  private func killAtEveryStore(
    setUp: (inout MemoryFileBench, PhysicalAddress) throws -> Void,
    operation: (inout MemoryFileBench, PhysicalAddress) throws -> Void
  ) throws {
    var bench = try MemoryFileBench(byteCount: 96 * 4096)
    let without = try bench.state()
    // Memory of the owner's own.
    let noteAddress = bench.block.address
    bench.memory.withWords(at: noteAddress, count: 2) { $0.clear() }
    try setUp(&bench, noteAddress)
    let start = try bench.memory.copy()
    let events = try bench.memory.journal.recording { try operation(&bench, noteAddress) }
    var storeCount = 0
    var freedCount = 0
    for case .stores(let changes) in events {
      for change in changes {
        start.base.apply(CollectionOfOne(change))
        storeCount += 1
        try withCombination("store", storeCount) {
          if try isFreed(start, by: noteAddress, leaving: without) { freedCount += 1 }
        }
      }
    }
    // There were times before and after the instant that counts.
    #expect(freedCount > 0 && freedCount < storeCount)
  }

  /// Takes over, and frees what is noted; whether it was preserved.
  private func isFreed(
    _ memory: RecordingMemory, by noteAddress: PhysicalAddress, leaving without: HandoverState
  ) throws -> Bool {
    var isFreed = false
    let events = try memory.journal.recording {
      var adopted = try AdoptedHandover(MemoryContents(reading: memory), in: memory)
      if let run = Self.noted(in: memory, at: noteAddress) {
        var frames = ReturnedFrames()
        isFreed = try adopted.outgoing.unpreserveAndFreeIfPreserved(run, into: &frames)
        try #require(frames.returned == (isFreed ? [run] : []))
      }
      let left = try MemoryFileBench.state(of: memory)
      try #require(left.differences(from: without) == [])
    }
    memory.base.undo(events)
    return isFreed
  }

  private static func noted(
    in memory: RecordingMemory, at address: PhysicalAddress
  ) -> FrameRange? {
    memory.withWords(at: address, count: 2) { words in
      // The start is written last.
      guard words.load(1) != 0 else { return nil }
      return FrameRange(start: FrameNumber(words.load(1)), frameCount: words.load(0))
    }
  }
}

/// Remembers what comes back, and has nothing to give.
private struct ReturnedFrames: BlockSource {
  private(set) var returned: [FrameRange] = []

  mutating func takeFrame() -> PhysicalAddress? { nil }
  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? { nil }
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? { nil }
  mutating func giveBack(_ frame: PhysicalAddress) {
    returned.append(FrameRange(PhysicalBlock(address: frame, order: .zero), in: .pages4KiB))
  }
  mutating func giveBack(_ frames: FrameRange) { returned.append(frames) }
}
