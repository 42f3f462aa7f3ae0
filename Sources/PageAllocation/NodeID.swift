public import MemoryAccess

/// The number of a NUMA node: a part of the machine whose processors reach its memory fastest.
@frozen
public struct NodeID: Hashable, Comparable, Sendable {
  /// Nodes from 0.
  public let rawValue: UInt32

  /// The node of that number.
  ///
  /// - Precondition: `rawValue` is less than 2^32 − 1, which means "no node" in memory.
  @inlinable
  public init(_ rawValue: UInt32) {
    require(that: rawValue != .max, "node number 2^32 - 1")
    self.rawValue = rawValue
  }

  /// Whether one number is smaller than another.
  @inlinable
  public static func < (lhs: NodeID, rhs: NodeID) -> Bool { lhs.rawValue < rhs.rawValue }
}
