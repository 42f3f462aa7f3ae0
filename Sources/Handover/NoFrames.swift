import MemoryModel

/// A source of no frames, for marking what was prepared.
struct NoFrames: FrameSource {
  mutating func takeFrame() -> PhysicalAddress? { nil }
  mutating func giveBack(_ frame: PhysicalAddress) {}
}
