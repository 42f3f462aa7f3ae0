/// Where a structure made of pages gets its pages from.
///
/// The only place in the core that may wait or fail: everything that needs memory takes a source as
/// an argument, so that a caller sees which calls those are.
public protocol FrameSource: ~Copyable {
  /// Takes one page frame, filled with zeros; nil if none exists.
  ///
  /// - Returns: the address of the frame's first byte, never 0, which means "none" in every format.
  mutating func takeFrame() -> PhysicalAddress?

  /// Takes one page frame that holds whatever was there; nil if none exists.
  ///
  /// For callers that fill the whole page before another thread can see it. The default takes one filled with
  /// zeros.
  ///
  /// - Returns: as ``takeFrame()``.
  mutating func takeUnclearedFrame() -> PhysicalAddress?

  /// Gives back a frame that was taken; its content does not matter any more.
  mutating func giveBack(_ frame: PhysicalAddress)
}

extension FrameSource where Self: ~Copyable {
  /// Takes one page frame, filled with zeros; nil if none exists.
  @inlinable
  public mutating func takeUnclearedFrame() -> PhysicalAddress? { takeFrame() }
}
