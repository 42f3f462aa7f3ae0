public import MemoryAccess

/// A set of orders: which sizes of blocks there are.
@frozen
public struct PageOrderSet: Hashable, Sendable {
  /// A bit for each order.
  @usableFromInline
  var bits: UInt64 = 0

  /// No orders.
  @inlinable
  public init() {}

  /// Whether `order` is in the set.
  @inlinable
  public func contains(_ order: PageOrder) -> Bool { bits &>> UInt64(order.rawValue) & 1 != 0 }

  /// Adds `order`.
  @inlinable
  public mutating func insert(_ order: PageOrder) { bits |= 1 &<< UInt64(order.rawValue) }

  /// Calls `body` with each order, smallest first.
  ///
  /// - Complexity: O(orders).
  @inlinable
  public func forEach(_ body: (PageOrder) -> Void) {
    var rest = bits
    while rest != 0 {
      body(PageOrder(rest.trailingZeroBitCount))
      rest &= rest &- 1
    }
  }

  /// Calls `body` with each order, smallest first, until it gives a value.
  @inlinable
  func first<Value>(_ body: (PageOrder) -> Value?) -> Value? {
    var rest = bits
    while rest != 0 {
      if let value = body(PageOrder(rest.trailingZeroBitCount)) { return value }
      rest &= rest &- 1
    }
    return nil
  }
}
