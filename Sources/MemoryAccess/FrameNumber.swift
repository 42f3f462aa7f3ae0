/// The number of a page frame: its address divided by the page size (Linux: pfn).
@frozen
public struct FrameNumber: Hashable, Comparable, Sendable {
  /// Frames from the start of physical memory.
  public let rawValue: UInt64

  /// The frame with that number.
  @inlinable
  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// The frame that holds the byte at `address`.
  @inlinable
  public init(containing address: PhysicalAddress, in geometry: PageGeometry) {
    self.rawValue = address.rawValue &>> UInt64(geometry.shift)
  }

  /// The address of the frame's first byte.
  ///
  /// - Precondition: the address fits in 64 bits.
  @inlinable
  public func address(in geometry: PageGeometry) -> PhysicalAddress {
    require(that: rawValue <= UInt64.max &>> UInt64(geometry.shift), "frame beyond 2^64 bytes")
    return PhysicalAddress(rawValue &<< UInt64(geometry.shift))
  }

  /// Whether one frame is below another.
  @inlinable
  public static func < (lhs: FrameNumber, rhs: FrameNumber) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A run of page frames.
@frozen
public struct FrameRange: Hashable, Sendable {
  /// The first frame.
  public let start: FrameNumber
  /// The number of frames; may be 0.
  public let frameCount: UInt64

  /// The run of `frameCount` frames from `start`.
  ///
  /// - Precondition: the sum stays below 2^64.
  @inlinable
  public init(start: FrameNumber, frameCount: UInt64) {
    require(that: !start.rawValue.addingReportingOverflow(frameCount).overflow, "frame beyond 2^64")
    self.start = start
    self.frameCount = frameCount
  }

  /// The whole frames inside `range`; bytes at its edges that fill no frame are left out.
  @inlinable
  public init(within range: PhysicalRange, in geometry: PageGeometry) {
    let mask = UInt64(geometry.pageByteCount) &- 1
    let skipped = (0 &- range.start.rawValue) & mask
    let whole =
      range.byteCount > skipped ? (range.byteCount &- skipped) &>> UInt64(geometry.shift) : 0
    let first = (range.start.rawValue &>> UInt64(geometry.shift)) &+ (skipped == 0 ? 0 : 1)
    self.init(start: FrameNumber(first), frameCount: whole)
  }

  /// The frame after the last.
  @inlinable
  public var end: FrameNumber { FrameNumber(start.rawValue &+ frameCount) }

  /// Whether `frame` is inside.
  @inlinable
  public func contains(_ frame: FrameNumber) -> Bool {
    frame >= start && frame.rawValue &- start.rawValue < frameCount
  }
}
