package import MemoryAccess

/// A frame pool whose N-th take fails, and which counts what goes out and comes back.
package struct FailingFrameSource<Memory: WritablePhysicalMemory>: FrameSource, ~Copyable {
  /// The frames.
  package var pool: FramePool<Memory>
  /// Which take from now on fails, the next being 1; nil when none does.
  package var takesUntilFailure: Int?
  /// How many frames were handed out.
  package private(set) var takeCount = 0
  /// How many came back.
  package private(set) var giveBackCount = 0
  /// How many takes failed on purpose.
  package private(set) var failureCount = 0

  /// Frames of `pool`, of which none is refused at first.
  package init(_ pool: consuming FramePool<Memory>) {
    self.pool = pool
  }

  /// Takes a frame, unless it is this one's turn to fail.
  package mutating func takeFrame() -> PhysicalAddress? {
    guard mayTake(), let frame = pool.takeFrame() else { return nil }
    takeCount += 1
    return frame
  }

  /// Takes a frame of garbage, unless it is this one's turn to fail.
  package mutating func takeUnclearedFrame() -> PhysicalAddress? {
    guard mayTake(), let frame = pool.takeUnclearedFrame() else { return nil }
    pool.memory.withWords(at: frame, count: pool.geometry.pageWordCount) { words in
      for index in 0..<words.count { words.publish(0xa5a5_a5a5_a5a5_a5a5, at: index) }
    }
    takeCount += 1
    return frame
  }

  private mutating func mayTake() -> Bool {
    guard let left = takesUntilFailure else { return true }
    takesUntilFailure = left == 1 ? nil : left - 1
    if left == 1 { failureCount += 1 }
    return left != 1
  }

  /// Gives a frame back to the pool.
  package mutating func giveBack(_ frame: PhysicalAddress) {
    giveBackCount += 1
    pool.giveBack(frame)
  }
}
