/// A run of frames cut into naturally aligned blocks, the largest that fits first.
///
///     frames   3 │ 4  5  6  7 │ 8  9 │
///     blocks   1 │     4      │  2   │
///
/// Preserving a run marks these blocks, and restoring or unpreserving it finds the same
/// ones again, as long as start, length and nodes are the same.
///
/// Source: `TheLifecycle.md`.
@frozen
public struct NaturalBlocks: Sequence, IteratorProtocol, Sendable {
  /// The page size.
  public let geometry: PageGeometry
  @usableFromInline
  var frame: UInt64
  @usableFromInline
  let end: UInt64
  @usableFromInline
  let nodeStarts: [FrameNumber]

  /// The blocks of `frames`, lowest first.
  ///
  /// - Parameter geometry: the page size, and what follows from it.
  /// - Parameter frames: the run of frames.
  /// - Parameter nodeStarts: where a NUMA node begins, in any order: no block crosses such a frame.
  /// - Precondition: the run ends below 2^64 bytes.
  @inlinable
  public init(_ frames: FrameRange, in geometry: PageGeometry, nodeStarts: [FrameNumber] = []) {
    require(
      that: frames.frameCount == 0
        || frames.end.rawValue &- 1 <= UInt64.max &>> UInt64(geometry.shift),
      "frame beyond 2^64 bytes")
    self.geometry = geometry
    self.frame = frames.start.rawValue
    self.end = frames.end.rawValue
    self.nodeStarts = nodeStarts
  }

  /// The next block; nil after the last.
  ///
  /// - Complexity: O(nodes).
  @inlinable
  public mutating func next() -> PhysicalBlock? {
    guard frame < end else { return nil }
    var left = end &- frame
    for node in nodeStarts where node.rawValue > frame {
      left = Swift.min(left, node.rawValue &- frame)
    }
    let largest = 63 &- left.leadingZeroBitCount
    // Frame 0 is aligned to everything: it has 64 trailing zeros.
    let order = Swift.min(
      frame.trailingZeroBitCount, largest, Int(geometry.maximumOrder.rawValue))
    let block = PhysicalBlock(
      address: PhysicalAddress(frame &<< UInt64(geometry.shift)), order: PageOrder(order))
    frame = frame &+ 1 &<< UInt64(order)
    return block
  }
}

extension FrameRange {
  /// The frames of `block`.
  ///
  /// - Precondition: the block starts at the start of a page.
  @inlinable
  public init(_ block: PhysicalBlock, in geometry: PageGeometry) {
    require(that: geometry.isPageAligned(block.address), "not the start of a page")
    self.init(
      start: FrameNumber(containing: block.address, in: geometry),
      frameCount: block.order.frameCount)
  }

  /// The frames that hold a byte of `range`.
  @inlinable
  public init(covering range: PhysicalRange, in geometry: PageGeometry) {
    let first = FrameNumber(containing: range.start, in: geometry)
    guard let last = range.last else {
      self.init(start: first, frameCount: 0)
      return
    }
    let end = FrameNumber(containing: last, in: geometry)
    self.init(start: first, frameCount: end.rawValue &- first.rawValue &+ 1)
  }

  /// The bytes of the frames.
  ///
  /// - Precondition: they end below 2^64.
  @inlinable
  public func range(in geometry: PageGeometry) -> PhysicalRange {
    require(
      that: frameCount <= UInt64.max &>> UInt64(geometry.shift), "frame beyond 2^64 bytes")
    return PhysicalRange(
      start: start.address(in: geometry), byteCount: frameCount &<< UInt64(geometry.shift))
  }
}
