import MemoryAccess

/// A source of no frames, for marking what was prepared.
struct NoFrames: FrameSource {
  /// How often it was asked. The thread sanitizer of Swift 6.3.1 follows the address of whatever is
  /// passed `inout`, and what takes no bytes has none.
  private var requestCount = 0

  mutating func takeFrame() -> PhysicalAddress? {
    requestCount &+= 1
    return nil
  }

  mutating func giveBack(_ frame: PhysicalAddress) {}
}
