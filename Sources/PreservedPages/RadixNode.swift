public import MemoryAccess

/// Where a node of a radix tree is and which keys it represents.
@frozen
public struct RadixNode: Hashable, Sendable {
  /// The node's page.
  public let address: PhysicalAddress
  /// The level; 0 is a leaf.
  public let level: Int
  /// The smallest number whose key would be found below the node.
  public let firstKey: RadixKey

  /// The node of `level` at `address` whose keys begin with `firstKey`.
  @inlinable
  public init(address: PhysicalAddress, level: Int, firstKey: RadixKey) {
    self.address = address
    self.level = level
    self.firstKey = firstKey
  }
}

/// A place in a table that holds a pointer.
@frozen
public struct RadixSlot: Hashable, Sendable {
  /// The table's page.
  public let table: PhysicalAddress
  /// The table's level, 1 or more.
  public let level: Int
  /// The slot's number, from 0.
  public let index: Int

  /// Slot `index` of the table of `level` at `table`.
  @inlinable
  public init(table: PhysicalAddress, level: Int, index: Int) {
    self.table = table
    self.level = level
    self.index = index
  }

  /// The address of the pointer itself.
  @inlinable
  public var address: PhysicalAddress {
    PhysicalAddress(table.rawValue &+ UInt64(truncatingIfNeeded: index) &* 8)
  }
}
