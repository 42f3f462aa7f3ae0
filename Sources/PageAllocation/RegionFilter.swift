/// Which regions of memory a question is about.
@frozen
public struct RegionFilter: Hashable, Sendable {
  /// The node; nil means all, and memory of no node.
  public var nodeID: NodeID?
  /// The flags that must be there.
  public var required: RegionFlags
  /// The flags that must not be there.
  public var excluded: RegionFlags

  /// Memory of `nodeID` with all of `required` and none of `excluded`.
  @inlinable
  public init(
    nodeID: NodeID? = nil, required: RegionFlags = [], excluded: RegionFlags = .noMap
  ) {
    self.nodeID = nodeID
    self.required = required
    self.excluded = excluded
  }

  /// Whether `region` is meant.
  @inlinable
  public func includes(_ region: MemoryRegion) -> Bool {
    region.flags.isSuperset(of: required) && region.flags.isDisjoint(with: excluded)
      && (nodeID == nil || region.nodeID == nodeID)
  }
}
