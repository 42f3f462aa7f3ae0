import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// Few frames: every set of free ones, and steps from there.
@Suite(.namesCombination)
struct BuddyToyTests {
  struct Toy: Sendable, CustomTestStringConvertible {
    let frames: Range<UInt64>
    let holes: Set<UInt64>
    let maximumOrder: Int
    var testDescription: String { "\(frames), holes \(holes.sorted()), order \(maximumOrder)" }
  }

  static let toys = [
    Toy(frames: 0..<8, holes: [], maximumOrder: 3),
    Toy(frames: 1..<9, holes: [], maximumOrder: 2),
    Toy(frames: 5..<13, holes: [9], maximumOrder: 4),
    Toy(frames: 3..<12, holes: [4, 5], maximumOrder: 1),
    Toy(frames: 6..<13, holes: [], maximumOrder: 0),
    Toy(frames: 8..<16, holes: [], maximumOrder: 6),
  ]

  @Test("a share of all steps, from every set of free frames", arguments: toys)
  func everyStep(_ toy: Toy) throws {
    let memory = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 4096))
    let all = MemblockToyTests.ranges(toy.frames.count + 2).map {
      // One frame more on either side, as far as there is one.
      let first = max(toy.frames.lowerBound, 1) - 1
      return FrameRange(first + UInt64($0.lowerBound)..<first + UInt64($0.upperBound))
    }
    let steps =
      (0...toy.maximumOrder).map { BuddyStep.allocate(order: $0) }
      + (1...9).map { BuddyStep.allocateRun($0) }
      + all.flatMap { [BuddyStep.claim($0), .free($0), .manage($0), .manageFree($0)] }
      + (toy.frames.lowerBound...toy.frames.upperBound).flatMap { frame in
        (0...4).map { BuddyStep.freeBlock(frame: frame, order: $0) }
      }
    let managed = toy.frames.filter { !toy.holes.contains($0) && $0 != 0 }
    try withEvery("free", in: 0..<1 << managed.count) { subset in
      let free = managed.enumerated().filter { subset >> $0.offset & 1 != 0 }.map(\.element)
      // Every step comes with one set in nine; most fail from most sets.
      try withEvery("step", in: steps.enumerated().filter { ($0.offset + subset) % 9 == 0 }) {
        var allocator = BuddyAllocator(
          in: memory, geometry: PageGeometry(shift: 4), covering: FrameRange(toy.frames),
          maximumOrder: PageOrder(toy.maximumOrder), mapAt: memory.range.start)
        var model = BuddyModel(maximumOrder: toy.maximumOrder)
        for frame in managed { allocator.manage(FrameRange(frame..<frame + 1)) }
        for frame in free { try allocator.free(FrameRange(frame..<frame + 1)) }
        model.managed = Set(managed)
        model.free = Set(free)
        if $0.offset < 5 { try model.check(allocator) }
        try $0.element.take(&allocator, &model)
        try model.check(allocator)
      }
    }
  }
}
