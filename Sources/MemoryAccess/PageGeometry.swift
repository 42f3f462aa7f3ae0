/// The page size of a machine, and what follows from it for blocks.
///
/// Chosen at run time, since a memory image brings its own. Linux uses a ``shift`` of 12 (4 KiB;
/// x86-64 and arm64), 14 or 16 (arm64). Shifts from ``smallestShift`` on are toys for tests: pages
/// of 16 or 64 bytes give deep trees with few keys.
///
/// Source: `FormatTree.md`.
@frozen
public struct PageGeometry: Hashable, Sendable {
  /// log2 of the page size in bytes.
  public let shift: Int

  /// The smallest page: 16 bytes, two table entries.
  @inlinable
  public static var smallestShift: Int { 4 }

  /// The largest page: 1 MiB, far beyond any machine's base page.
  @inlinable
  public static var largestShift: Int { 20 }

  /// Pages of `2^shift` bytes.
  ///
  /// - Precondition: `shift` is in ``smallestShift``…``largestShift``.
  @inlinable
  public init(shift: Int) {
    require(
      that: shift >= Self.smallestShift && shift <= Self.largestShift, "page shift outside 4…20")
    self.shift = shift
  }

  /// Pages of 4 KiB.
  @inlinable
  public static var pages4KiB: PageGeometry { PageGeometry(shift: 12) }
  /// Pages of 16 KiB.
  @inlinable
  public static var pages16KiB: PageGeometry { PageGeometry(shift: 14) }
  /// Pages of 64 KiB.
  @inlinable
  public static var pages64KiB: PageGeometry { PageGeometry(shift: 16) }

  /// The page size in bytes.
  @inlinable
  public var pageByteCount: Int { 1 &<< shift }

  /// The number of 64-bit words in a page.
  @inlinable
  public var pageWordCount: Int { 1 &<< (shift &- 3) }

  /// The largest order whose block still has a length below 2^64 bytes.
  @inlinable
  public var maximumOrder: PageOrder { PageOrder(63 &- shift) }

  /// The length in bytes of a block of `order`, computed in 64 bits.
  ///
  /// - Precondition: `order` is at most ``maximumOrder``.
  @inlinable
  public func blockByteCount(_ order: PageOrder) -> UInt64 {
    require(that: order <= maximumOrder, "block of 2^64 bytes or more")
    return (1 as UInt64) << UInt64(shift &+ Int(order.rawValue))
  }

  /// Whether `address` is the start of a page.
  @inlinable
  public func isPageAligned(_ address: PhysicalAddress) -> Bool {
    address.isAligned(log2ByteCount: shift)
  }

  /// The page at `address`, as a range of bytes.
  ///
  /// - Precondition: `address` is the start of a page.
  @inlinable
  public func page(at address: PhysicalAddress) -> PhysicalRange {
    require(that: isPageAligned(address), "not the start of a page")
    return PhysicalRange(start: address, byteCount: UInt64(pageByteCount))
  }
}
