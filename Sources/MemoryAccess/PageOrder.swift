/// How many pages a block holds, as a power of two: order `n` is 2^n pages.
@frozen
public struct PageOrder: Hashable, Comparable, Sendable {
  /// The exponent, 0…63.
  public let rawValue: UInt8

  /// The order with that exponent.
  ///
  /// - Precondition: `rawValue` is in 0…63.
  @inlinable
  public init(_ rawValue: Int) {
    require(that: rawValue >= 0 && rawValue < 64, "page order outside 0…63")
    self.rawValue = UInt8(truncatingIfNeeded: rawValue)
  }

  /// One page.
  @inlinable
  public static var zero: PageOrder { PageOrder(0) }

  /// The number of pages, 2^order.
  @inlinable
  public var frameCount: UInt64 { (1 as UInt64) << UInt64(rawValue) }

  /// Whether one order is smaller than another.
  @inlinable
  public static func < (lhs: PageOrder, rhs: PageOrder) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension PageOrder: CustomStringConvertible {
  /// The exponent in decimal.
  public var description: String { String(rawValue) }
}
