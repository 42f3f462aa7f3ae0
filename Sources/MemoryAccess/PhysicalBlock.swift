/// A physically contiguous, naturally aligned run of 2^order pages: what one entry of a handover
/// preserves. Linux calls it a folio.
@frozen
public struct PhysicalBlock: Hashable, Sendable {
  /// The first byte of the block.
  public let address: PhysicalAddress
  /// The block's size, as a power of two of pages.
  public let order: PageOrder

  /// The block of `order` that starts at `address`.
  @inlinable
  public init(address: PhysicalAddress, order: PageOrder) {
    self.address = address
    self.order = order
  }

  /// The bytes of the block.
  ///
  /// - Precondition: the order is at most `geometry.maximumOrder`, and the block ends below 2^64.
  @inlinable
  public func range(in geometry: PageGeometry) -> PhysicalRange {
    PhysicalRange(start: address, byteCount: geometry.blockByteCount(order))
  }

  /// Whether the address is a multiple of the block's size, as every entry's must be.
  @inlinable
  public func isNaturallyAligned(in geometry: PageGeometry) -> Bool {
    order <= geometry.maximumOrder
      && address.isAligned(log2ByteCount: geometry.shift &+ Int(order.rawValue))
  }
}

/// Sorted by address, then by order.
extension PhysicalBlock: Comparable {
  /// Whether one block is before another: by address, then by order.
  @inlinable
  public static func < (lhs: PhysicalBlock, rhs: PhysicalBlock) -> Bool {
    lhs.address == rhs.address ? lhs.order < rhs.order : lhs.address < rhs.address
  }
}
