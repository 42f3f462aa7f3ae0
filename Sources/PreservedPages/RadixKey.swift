public import MemoryAccess

/// One preserved block as a number: the order's bit, and under it the block's number.
///
///     1 << (64 − shift − order)  |  address >> (shift + order)
///
/// The highest set bit shows the order, so blocks of every order live in one tree, each order in a
/// stretch of its own; within an order, keys sort as addresses do, and larger orders come first.
///
/// Source: `FormatTree.md`.
@frozen
public struct RadixKey: Hashable, Comparable, Sendable {
  /// The number.
  public let rawValue: UInt64

  /// The key with that number, which need not name a block.
  @inlinable
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// The key of the block of `order` at `address`.
  ///
  /// - Precondition: the order is at most `geometry.maximumOrder`, and the address a multiple of the
  ///   block's size.
  @inlinable
  public init(_ address: PhysicalAddress, order: PageOrder, in geometry: PageGeometry) {
    self.init(PhysicalBlock(address: address, order: order), in: geometry)
  }

  /// The key of `block`.
  ///
  /// - Precondition: the block is naturally aligned and its order at most `geometry.maximumOrder`.
  @inlinable
  public init(_ block: PhysicalBlock, in geometry: PageGeometry) {
    require(that: block.isNaturallyAligned(in: geometry), "block not aligned to its size")
    let blockShift = UInt64(geometry.shift &+ Int(block.order.rawValue))
    self.rawValue =
      (1 as UInt64) &<< (64 &- blockShift) | block.address.rawValue &>> blockShift
  }

  /// The order that the highest set bit shows; nil of a key that names no block.
  @inlinable
  public func order(in geometry: PageGeometry) -> PageOrder? {
    let top = 63 &- rawValue.leadingZeroBitCount
    let order = 64 &- geometry.shift &- top
    guard top >= 1, order >= 0 else { return nil }
    return PageOrder(order)
  }

  /// The block that the key names; nil if its highest bit does not belong to an order, or no bit is set.
  @inlinable
  public func decoded(in geometry: PageGeometry) -> PhysicalBlock? {
    guard let order = order(in: geometry) else { return nil }
    // The order's bit leaves at the top.
    let address = rawValue &<< UInt64(geometry.shift &+ Int(order.rawValue))
    return PhysicalBlock(address: PhysicalAddress(address), order: order)
  }

  /// Whether one number is smaller than another.
  @inlinable
  public static func < (lhs: RadixKey, rhs: RadixKey) -> Bool { lhs.rawValue < rhs.rawValue }

  /// The key's bit in the word that contains it.
  ///
  /// Written as a rotation: of a shift, the compiler makes an instruction that sets a bit of the word itself, and keys that
  /// share a word wait for each other a cycle longer.
  @inlinable
  @inline(__always)
  var mask: UInt64 { 1 &<< rawValue | 1 &>> (0 &- rawValue) }
}
