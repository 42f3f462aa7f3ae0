package import MemoryAccess

/// A source whose N-th take fails, that knows which frames are out, and that fills frames with
/// garbage: those that come back, and those that go out with no promise about what they hold.
package struct TrackedFrames<Base: BlockSource, Memory: WritablePhysicalMemory>: BlockSource,
  ~Copyable
where Base: ~Copyable {
  /// The source behind it.
  package var base: Base
  /// The numbers of the frames that are out.
  package private(set) var out: Set<UInt64> = []
  /// Which take from now on fails, the next being 1; nil when none does.
  package var takesUntilFailure: Int?
  /// How many takes failed on purpose.
  package private(set) var failureCount = 0

  private let memory: Memory
  private let geometry: PageGeometry

  /// Frames of `base`, which are in `memory`.
  package init(_ base: consuming Base, in memory: Memory, geometry: PageGeometry) {
    self.base = base
    self.memory = memory
    self.geometry = geometry
  }

  private mutating func mayTake() -> Bool {
    guard let left = takesUntilFailure else { return true }
    takesUntilFailure = left == 1 ? nil : left - 1
    if left == 1 { failureCount += 1 }
    return left != 1
  }

  private mutating func goOut(_ range: FrameRange) {
    for frame in range.start.rawValue..<range.end.rawValue {
      precondition(out.insert(frame).inserted, "a frame handed out twice")
    }
  }

  private mutating func comeBack(_ range: FrameRange) {
    for frame in range.start.rawValue..<range.end.rawValue {
      precondition(out.remove(frame) != nil, "a frame given back that is not out")
      spoil(frame)
    }
  }

  /// Of large pages only some words, which costs less.
  private func spoil(_ frame: UInt64) {
    memory.withWords(
      at: FrameNumber(frame).address(in: geometry), count: geometry.pageWordCount
    ) { words in
      for index in 0..<words.count where index < 64 || index % 61 == 0 {
        words.publish(0xa5a5_a5a5_a5a5_a5a5 ^ UInt64(index), at: index)
      }
    }
  }

  package mutating func takeFrame() -> PhysicalAddress? {
    guard mayTake(), let frame = base.takeFrame() else { return nil }
    goOut(FrameRange(PhysicalBlock(address: frame, order: .zero), in: geometry))
    return frame
  }

  package mutating func takeUnclearedFrame() -> PhysicalAddress? {
    guard mayTake(), let frame = base.takeUnclearedFrame() else { return nil }
    let range = FrameRange(PhysicalBlock(address: frame, order: .zero), in: geometry)
    goOut(range)
    spoil(range.start.rawValue)
    return frame
  }

  package mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? {
    guard mayTake(), let block = base.takeBlock(order) else { return nil }
    let range = FrameRange(block, in: geometry)
    goOut(range)
    for frame in range.start.rawValue..<range.end.rawValue { spoil(frame) }
    return block
  }

  package mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? {
    guard mayTake(), let range = base.takeFrames(frameCount) else { return nil }
    goOut(range)
    for frame in range.start.rawValue..<range.end.rawValue { spoil(frame) }
    return range
  }

  package mutating func giveBack(_ frame: PhysicalAddress) {
    comeBack(FrameRange(PhysicalBlock(address: frame, order: .zero), in: geometry))
    base.giveBack(frame)
  }

  package mutating func giveBack(_ frames: FrameRange) {
    comeBack(frames)
    base.giveBack(frames)
  }

  /// Takes note of frames that are out already, as after a handover.
  package mutating func noteOut(_ range: FrameRange) { goOut(range) }
}
