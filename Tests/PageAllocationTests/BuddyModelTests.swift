import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Random steps, put to the page allocator and to a set of frames.
@Suite(.namesCombination)
struct BuddyModelTests {
  struct Effort: Sendable, CustomTestStringConvertible {
    let shift: Int
    let maximumOrder: Int
    /// The first frame covered; the map is elsewhere.
    let start: UInt64
    let frameCount: UInt64
    var testDescription: String { "shift \(shift), order \(maximumOrder), from \(start)" }
  }

  static let efforts = [
    Effort(shift: 4, maximumOrder: 4, start: 0, frameCount: 100),
    Effort(shift: 5, maximumOrder: 10, start: 77, frameCount: 200),
    Effort(shift: 6, maximumOrder: 2, start: 63, frameCount: 130),
    Effort(shift: 12, maximumOrder: 10, start: 1000, frameCount: 300),
    Effort(shift: 14, maximumOrder: 5, start: 64, frameCount: 128),
    Effort(shift: 16, maximumOrder: 47, start: 31, frameCount: 97),
    // Up to the very last frame of 2^64 bytes, with blocks that reach beyond the map below.
    Effort(shift: 12, maximumOrder: 51, start: (1 << 52) - 150, frameCount: 150),
    Effort(shift: 4, maximumOrder: 59, start: (1 << 60) - 33, frameCount: 33),
  ]

  @Test("random steps leave what a set says", arguments: efforts)
  func randomSteps(_ effort: Effort) throws {
    // The map's memory has addresses that no frame below has, and claims those it lacks.
    let map = PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 1 << 20)
    let memory = ClaimingMemory(try AnonymousMemory(map), claiming: nil)
    try withEvery("seed", in: 1...6 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(effort.shift))
      var allocator = BuddyAllocator(
        in: memory, geometry: PageGeometry(shift: effort.shift),
        covering: FrameRange(effort.start..<effort.start + effort.frameCount),
        maximumOrder: PageOrder(effort.maximumOrder), mapAt: map.start)
      var model = BuddyModel(maximumOrder: effort.maximumOrder)
      try withEvery("step", in: 0..<80) { number in
        let step = number < 4 ? manageMost(effort, number) : step(effort, model, using: &generator)
        try step.take(&allocator, &model)
        try model.check(allocator)
      }
      // Everything back: maximal blocks again, in whatever pieces it went.
      for frame in model.managed.subtracting(model.free).shuffled(using: &generator) {
        try BuddyStep.free(FrameRange(frame..<frame + 1)).take(&allocator, &model)
      }
      try model.check(allocator)
      try #require(allocator.usedFrameCount == 0)
    }
  }

  /// Three stretches with holes between them, the middle one in use.
  private func manageMost(_ effort: Effort, _ number: Int) -> BuddyStep {
    let third = effort.frameCount / 3
    let start = effort.start + UInt64(number % 3) * third
    let range = FrameRange(start..<start + third - 2)
    return number == 1 ? .manage(range) : .manageFree(range)
  }

  private func step(
    _ effort: Effort, _ model: BuddyModel, using generator: inout SeededGenerator
  ) -> BuddyStep {
    let start = effort.start + UInt64(generator.index(below: Int(effort.frameCount)))
    let length = UInt64(1 + generator.index(below: generator.isOne(in: 5) ? 40 : 5))
    // FrameRange ends at or below the last frame of all, which the map's end is in one case.
    let range = FrameRange(start..<min(start + length, effort.start + effort.frameCount))
    switch generator.index(below: 20) {
    case 0..<5: return .allocate(order: generator.index(below: min(effort.maximumOrder, 6) + 1))
    case 5..<8: return .allocateRun(UInt64(1 + generator.index(below: 40)))
    case 8..<10: return .claim(range)
    case 10..<16:
      // A run in use, most often: random ranges are seldom used throughout.
      let used = model.managed.subtracting(model.free).sorted()
      guard !used.isEmpty, !generator.isOne(in: 5) else { return .free(range) }
      let first = generator.pick(used)
      var end = first + 1
      while used.contains(end), !generator.isOne(in: 6) { end += 1 }
      return .free(FrameRange(first..<end))
    case 16..<18: return .freeBlock(frame: start, order: generator.index(below: 4))
    case 18: return .manage(range)
    default: return .manageFree(range)
    }
  }

  @Test("sparse frames among half a million: sets of several levels")
  func manyFrames() throws {
    let frameCount: UInt64 = 600_000
    let map = PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 1 << 20)
    let memory = ClaimingMemory(try AnonymousMemory(map), claiming: nil)
    try withEvery("order", in: [0, 10]) { order in
      var allocator = BuddyAllocator(
        in: memory, geometry: .pages4KiB, covering: FrameRange(1..<frameCount),
        maximumOrder: PageOrder(order), mapAt: map.start)
      allocator.manage(FrameRange(1..<frameCount))
      var generator = SeededGenerator(seed: 7)
      var free: Set<UInt64> = [1, 4095, 4096, 262_143, 262_144, 262_145, frameCount - 1]
      for _ in 0..<500 { free.insert(UInt64(1 + generator.index(below: Int(frameCount) - 1))) }
      for frame in free { try allocator.free(FrameRange(frame..<frame + 1)) }
      var found: [UInt64] = []
      allocator.forEachFreeRange { found += Array($0.all) }
      try #require(found == free.sorted())
      try allocator.validate()
      // Smallest order first, and by address within it.
      let orderZero = allocator.freeBlockCount(.zero)
      var last: UInt64 = 0
      for _ in 0..<orderZero {
        let frame = try allocator.allocate(.zero).address.rawValue >> 12
        try #require(frame > last)
        try #require(free.remove(frame) != nil)
        last = frame
      }
      try allocator.validate()
      try #require(allocator.freeFrameCount == UInt64(free.count))
    }
  }
}
