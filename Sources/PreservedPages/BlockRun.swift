public import MemoryAccess

/// Blocks of one order that follow each other without a gap.
@frozen
public struct BlockRun: Hashable, Sendable {
  /// The first block's first byte.
  public let address: PhysicalAddress
  /// The order of each block.
  public let order: PageOrder
  /// The number of blocks, 1 or more.
  public let blockCount: UInt64

  /// `blockCount` blocks of `order` from `address` on.
  @inlinable
  public init(address: PhysicalAddress, order: PageOrder, blockCount: UInt64) {
    self.address = address
    self.order = order
    self.blockCount = blockCount
  }

  /// The bytes of all the blocks.
  ///
  /// A run that comes from keys never ends beyond 2^64; its length saturates where it is all of it.
  @inlinable
  public func range(in geometry: PageGeometry) -> PhysicalRange {
    let (byteCount, overflow) = blockCount.multipliedReportingOverflow(
      by: geometry.blockByteCount(order))
    let room = 0 &- address.rawValue
    let limit = room == 0 ? UInt64.max : room
    return PhysicalRange(start: address, byteCount: overflow ? limit : min(byteCount, limit))
  }

  /// The last byte, also of a run of 2^64 bytes, for which ``range(in:)`` is one byte too short.
  @inlinable
  public func last(in geometry: PageGeometry) -> PhysicalAddress {
    PhysicalAddress(address.rawValue &+ (blockCount &* geometry.blockByteCount(order) &- 1))
  }

  /// The block of the run that holds `address`.
  ///
  /// - Precondition: the run covers the address.
  @inlinable
  public func block(at address: PhysicalAddress, in geometry: PageGeometry) -> PhysicalBlock {
    let size = geometry.blockByteCount(order)
    let index = (address.rawValue &- self.address.rawValue) / size
    return PhysicalBlock(
      address: PhysicalAddress(self.address.rawValue &+ index &* size), order: order)
  }

  /// Calls `body` with each of the blocks, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(blocks).
  @inlinable
  public func forEachBlock<Failure: Error>(
    in geometry: PageGeometry, _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    let size = geometry.blockByteCount(order)
    for index in 0..<blockCount {
      let address = PhysicalAddress(self.address.rawValue &+ index &* size)
      try body(PhysicalBlock(address: address, order: order))
    }
  }

  /// The run whose first block has the key `first`.
  @inlinable
  init(firstKey first: UInt64, keyCount: UInt64, in geometry: PageGeometry) {
    let top = 63 &- first.leadingZeroBitCount
    let order = PageOrder(64 &- geometry.shift &- top)
    self.init(
      address: PhysicalAddress(first &<< UInt64(64 &- top)), order: order, blockCount: keyCount)
  }
}
