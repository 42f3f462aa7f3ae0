/// A frame source over a range of memory that has no other user.
///
/// Frames are handed out in order of address; those given back form a list in their own first
/// words and are handed out again first. Needs no memory beyond that, so it serves where there is
/// no heap: early boot, a freestanding program, a test.
@frozen
public struct FramePool<Memory: WritablePhysicalMemory>: FrameSource, ~Copyable {
  /// The memory the frames are in.
  public let memory: Memory
  /// The page size.
  public let geometry: PageGeometry
  /// All frames, in use or not.
  public let frames: FrameRange
  /// How many frames are taken and not given back.
  @inlinable
  public var takenCount: UInt64 { taken }

  @usableFromInline
  var taken: UInt64 = 0
  @usableFromInline
  var untouched: FrameNumber
  @usableFromInline
  var firstGivenBack: PhysicalAddress

  /// A pool of the whole frames of `range`.
  ///
  /// Frame 0, whose address means "none", is never handed out.
  ///
  /// - Precondition: `range` exists in `memory`.
  @inlinable
  public init(of range: PhysicalRange, in memory: Memory, geometry: PageGeometry) {
    require(that: memory.contains(range), "pool outside its memory")
    self.memory = memory
    self.geometry = geometry
    let whole = FrameRange(within: range, in: geometry)
    let skipsZero = whole.start.rawValue == 0 && whole.frameCount > 0
    self.frames =
      skipsZero
      ? FrameRange(start: FrameNumber(1), frameCount: whole.frameCount &- 1) : whole
    self.untouched = self.frames.start
    self.firstGivenBack = .zero
  }

  /// How many frames can still be taken.
  @inlinable
  public var availableCount: UInt64 { frames.frameCount &- takenCount }

  /// Takes one frame, filled with zeros; nil when all are taken.
  ///
  /// - Complexity: O(page size), for the zeros.
  @inlinable
  public mutating func takeFrame() -> PhysicalAddress? {
    guard let frame = takeUnclearedFrame() else { return nil }
    memory.withWords(at: frame, count: geometry.pageWordCount) { $0.clear() }
    return frame
  }

  /// Takes one frame, with whatever it holds; nil when all are taken.
  ///
  /// - Complexity: O(1).
  @inlinable
  public mutating func takeUnclearedFrame() -> PhysicalAddress? {
    let frame: PhysicalAddress
    if firstGivenBack != .zero {
      frame = firstGivenBack
      firstGivenBack = memory.withWords(at: frame, count: 1) { PhysicalAddress($0.load(0)) }
    } else if untouched < frames.end {
      frame = untouched.address(in: geometry)
      untouched = FrameNumber(untouched.rawValue &+ 1)
    } else {
      return nil
    }
    taken &+= 1
    return frame
  }

  /// Gives back a frame.
  ///
  /// - Precondition: the frame belongs to the pool and is taken. A frame given back twice is not
  ///   always noticed.
  @inlinable
  public mutating func giveBack(_ frame: PhysicalAddress) {
    require(
      that: geometry.isPageAligned(frame)
        && frames.contains(FrameNumber(containing: frame, in: geometry)) && takenCount > 0,
      "frame given back to a pool that did not hand it out")
    let next = firstGivenBack
    memory.withWords(at: frame, count: 1) { $0.publish(next.rawValue, at: 0) }
    firstGivenBack = frame
    taken &-= 1
  }
}
