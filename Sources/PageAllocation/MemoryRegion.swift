public import MemoryAccess

/// A run of bytes that have node and flags in common.
@frozen
public struct MemoryRegion: Hashable, Sendable {
  /// The bytes.
  public let range: PhysicalRange
  /// The node, or `UInt32.max` for none.
  @usableFromInline
  let node: UInt32
  /// What is special about them.
  public let flags: RegionFlags

  /// The region of `range`.
  @inlinable
  public init(_ range: PhysicalRange, nodeID: NodeID? = nil, flags: RegionFlags = []) {
    self.range = range
    self.node = nodeID?.rawValue ?? .max
    self.flags = flags
  }

  /// The node the memory belongs to; nil where that is not known.
  @inlinable
  public var nodeID: NodeID? { node == .max ? nil : NodeID(node) }

  /// The same node and flags for other bytes.
  func with(_ range: PhysicalRange) -> MemoryRegion {
    MemoryRegion(range, nodeID: nodeID, flags: flags)
  }

  /// This region and `next` as one; nil where they do not touch, differ, or would be 2^64 bytes.
  func joined(with next: MemoryRegion) -> MemoryRegion? {
    guard let last = range.last, last.rawValue != .max,
      last.rawValue &+ 1 == next.range.start.rawValue,
      node == next.node, flags == next.flags
    else { return nil }
    let (sum, overflow) = range.byteCount.addingReportingOverflow(next.range.byteCount)
    if overflow { return nil }
    return with(PhysicalRange(start: range.start, byteCount: sum))
  }
}

extension PhysicalRange {
  /// The bytes from `start` to `last`, both included, of which there are less than 2^64.
  init(from start: PhysicalAddress, through last: PhysicalAddress) {
    self.init(start: start, byteCount: last.rawValue &- start.rawValue &+ 1)
  }

  /// The bytes below `other`'s first.
  func part(below other: PhysicalRange) -> PhysicalRange? {
    guard !isEmpty, start < other.start, let last else { return nil }
    let end = min(last.rawValue, other.start.rawValue &- 1)
    return PhysicalRange(from: start, through: PhysicalAddress(end))
  }

  /// The bytes above `other`'s last, `other` not being empty.
  func part(above other: PhysicalRange) -> PhysicalRange? {
    guard let last, let otherLast = other.last, otherLast < last else { return nil }
    let from = max(start.rawValue, otherLast.rawValue &+ 1)
    return PhysicalRange(from: PhysicalAddress(from), through: last)
  }
}
