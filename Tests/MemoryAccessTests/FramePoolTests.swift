import HandoverTestSupport
import MemoryAccess
import MemoryImages
import Testing

/// The pool that frames of nodes come from.
@Suite(.namesCombination)
struct FramePoolTests {
  private static func memory(_ start: UInt64, _ byteCount: UInt64) throws -> AnonymousMemory {
    try AnonymousMemory(PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount))
  }

  @Test("every frame once, in order, and none twice", arguments: [4, 6, 12, 14])
  func takeAll(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    let size = UInt64(page.pageByteCount)
    let memory = try Self.memory(1 << 20, 16 * size)
    // Bytes at the edges that fill no frame are left alone.
    let range = PhysicalRange(
      start: PhysicalAddress(1 << 20 + size / 2), byteCount: 15 * size)
    var pool = FramePool(of: range, in: memory, geometry: page)
    #expect(pool.frames.frameCount == 14)
    #expect(pool.availableCount == 14)
    var taken: [UInt64] = []
    while let frame = pool.takeFrame() { taken.append(frame.rawValue) }
    #expect(taken == (1...14).map { 1 << 20 + $0 * size })
    #expect(pool.takenCount == 14)
    #expect(pool.availableCount == 0)
    #expect(pool.takeFrame() == nil, "still none")
    for frame in taken { pool.giveBack(PhysicalAddress(frame)) }
    #expect(pool.takenCount == 0)
    #expect(pool.availableCount == 14)
    var again: [UInt64] = []
    while let frame = pool.takeFrame() { again.append(frame.rawValue) }
    #expect(again.sorted() == taken)
  }

  @Test("a frame taken as it is keeps what it holds, and counts as any other")
  func uncleared() throws {
    let memory = try Self.memory(1 << 20, 3 * 4096)
    let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 3 * 4096)
    for address in stride(from: 1 << 20, to: UInt64(1 << 20 + 3 * 4096), by: 8) {
      memory.setWord(7, at: address)
    }
    var pool = FramePool(of: range, in: memory, geometry: .pages4KiB)
    let taken = (pool.takeUnclearedFrame(), pool.takeFrame())
    let first = try #require(taken.0)
    let second = try #require(taken.1)
    let page = PageGeometry.pages4KiB
    #expect(memory.snapshot(of: page.page(at: first)).allSatisfy { $0 == 7 })
    #expect(memory.snapshot(of: page.page(at: second)).allSatisfy { $0 == 0 })
    #expect(pool.takenCount == 2)
    pool.giveBack(first)
    let again = (0..<3).map { _ in pool.takeUnclearedFrame() }
    #expect(again[0] == first && again[1] != nil && again[2] == nil)
    #expect(pool.takenCount == 3 && pool.availableCount == 0)
  }

  @Test("random takes and returns; frames come zeroed", arguments: [4, 5, 12])
  func random(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    try withEvery("seed", in: 1...10 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      let memory = try Self.memory(1 << 20, UInt64(24 * page.pageByteCount))
      for address in stride(
        from: memory.range.start.rawValue, to: 1 << 20 + memory.byteCount, by: 8)
      {
        memory.setWord(.max, at: address)
      }
      var pool = FramePool(of: memory.range, in: memory, geometry: page)
      var held: [PhysicalAddress] = []
      for _ in 0..<300 {
        if generator.index(below: 5) < 3 {
          guard let frame = pool.takeFrame() else {
            try #require(held.count == 24)
            continue
          }
          try #require(!held.contains(frame))
          try #require(pool.frames.contains(FrameNumber(containing: frame, in: page)))
          try #require(memory.snapshot(of: page.page(at: frame)).allSatisfy { $0 == 0 })
          memory.withWords(at: frame, count: page.pageWordCount) { words in
            for index in 0..<words.count { words.publish(generator.next(), at: index) }
          }
          held.append(frame)
        } else if !held.isEmpty {
          pool.giveBack(held.remove(at: generator.index(below: held.count)))
        }
        try #require(pool.takenCount == UInt64(held.count))
        try #require(pool.availableCount == UInt64(24 - held.count))
      }
    }
  }

  @Test("frame 0, whose address means none, is never handed out")
  func frameZero() throws {
    let memory = try Self.memory(0, 4 * 4096)
    var pool = FramePool(of: memory.range, in: memory, geometry: .pages4KiB)
    #expect(pool.frames == FrameRange(start: FrameNumber(1), frameCount: 3))
    var taken: [UInt64] = []
    while let frame = pool.takeFrame() { taken.append(frame.rawValue) }
    #expect(taken == [0x1000, 0x2000, 0x3000])
    let first = PhysicalRange(start: .zero, byteCount: 4096)
    var none = FramePool(of: first, in: memory, geometry: .pages4KiB)
    #expect(none.takeFrame() == nil)
  }

  @Test("too little for a frame")
  func empty() throws {
    let memory = try Self.memory(1 << 20, 3 * 4096)
    for (start, byteCount) in [(0, 0), (0, 4095), (1, 4096), (2048, 6143)] as [(UInt64, UInt64)] {
      let range = PhysicalRange(start: PhysicalAddress(1 << 20 + start), byteCount: byteCount)
      var pool = FramePool(of: range, in: memory, geometry: .pages4KiB)
      #expect(pool.availableCount == 0)
      #expect(pool.takeFrame() == nil)
    }
  }

  @Test("a frame that is not the pool's is not taken back")
  func foreignFrame() async {
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory(1 << 20, 4 * 4096)
      let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 2 * 4096)
      var pool = FramePool(of: range, in: memory, geometry: .pages4KiB)
      _ = pool.takeFrame()
      pool.giveBack(PhysicalAddress(1 << 20 + 2 * 4096))
    }
  }

  @Test("the failing source fails once, at the chosen call, and counts")
  func failingSource() throws {
    let memory = try TreeBench.memory(.pages4KiB, nodeCount: 8)
    var frames = TreeBench.frames(of: memory, .pages4KiB)
    frames.takesUntilFailure = 3
    let taken = (0..<5).map { _ in frames.takeFrame() }
    #expect(taken.map { $0 != nil } == [true, true, false, true, true])
    #expect(frames.failureCount == 1)
    #expect(frames.takeCount == 4)
    for frame in taken { if let frame { frames.giveBack(frame) } }
    #expect(frames.giveBackCount == 4)
    #expect(frames.pool.takenCount == 0)
  }
}
