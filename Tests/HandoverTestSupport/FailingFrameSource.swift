package import MemoryModel

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
    if let left = takesUntilFailure {
      if left == 1 {
        takesUntilFailure = nil
        failureCount += 1
        return nil
      }
      takesUntilFailure = left - 1
    }
    guard let frame = pool.takeFrame() else { return nil }
    takeCount += 1
    return frame
  }

  /// Gives a frame back to the pool.
  package mutating func giveBack(_ frame: PhysicalAddress) {
    giveBackCount += 1
    pool.giveBack(frame)
  }
}
