public import MemoryAccess

/// From which end free memory is looked for.
public enum SearchDirection: Hashable, Sendable {
  /// The highest place that fits, which keeps low memory for those who need it.
  case topDown
  /// The lowest place that fits.
  case bottomUp
}

/// On which NUMA node memory is wanted.
public enum NodeChoice: Hashable, Sendable {
  /// Wherever there is some.
  case any
  /// There, or else anywhere.
  case preferred(NodeID)
  /// There and nowhere else.
  case only(NodeID)
}

/// What is asked of the early allocator.
public struct MemblockRequest: Hashable, Sendable {
  /// The length in bytes.
  public var byteCount: UInt64
  /// The start is a multiple of `2^log2Alignment` bytes; nil means of the page size.
  public var log2Alignment: Int?
  /// Where all bytes must be; nil means ``Memblock/accessible``.
  public var range: PhysicalRange?
  /// The node.
  public var node: NodeChoice
  /// From which end.
  public var direction: SearchDirection
  /// The flags the memory must have.
  public var required: RegionFlags
  /// The flags the memory must not have.
  public var excluded: RegionFlags

  /// A request for `byteCount` bytes.
  ///
  /// - Precondition: `byteCount` is not 0, and `log2Alignment` is in 0…63.
  public init(
    byteCount: UInt64, log2Alignment: Int? = nil, in range: PhysicalRange? = nil,
    node: NodeChoice = .any, direction: SearchDirection = .topDown, required: RegionFlags = [],
    excluded: RegionFlags = [.noMap, .hotplug]
  ) {
    require(that: byteCount > 0, "a request for nothing")
    if let log2Alignment {
      require(that: log2Alignment >= 0 && log2Alignment < 64, "alignment outside 2^0…2^63")
    }
    self.byteCount = byteCount
    self.log2Alignment = log2Alignment
    self.range = range
    self.node = node
    self.direction = direction
    self.required = required
    self.excluded = excluded
  }
}
