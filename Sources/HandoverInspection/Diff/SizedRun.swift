package import MemoryAccess
package import PreservedPages

/// Blocks of one size that follow each other, whatever the page size of the handover they are from.
public struct SizedRun: Hashable, Sendable {
  /// The address of the first block.
  public let address: UInt64
  /// log2 of a block's bytes, at most 63.
  public let log2ByteCount: Int
  /// The number of blocks.
  public let blockCount: UInt64

  package init(address: UInt64, log2ByteCount: Int, blockCount: UInt64) {
    self.address = address
    self.log2ByteCount = log2ByteCount
    self.blockCount = blockCount
  }

  package init(_ run: BlockRun, in geometry: PageGeometry) {
    self.init(
      address: run.address.rawValue, log2ByteCount: geometry.shift + Int(run.order.rawValue),
      blockCount: run.blockCount)
  }

  /// The size of a block in bytes.
  public var blockByteCount: UInt64 { 1 << UInt64(log2ByteCount) }

  /// The number of bytes, at most 2^64 − 1.
  public var byteCount: UInt64 {
    let (bytes, overflow) = blockCount.multipliedReportingOverflow(by: blockByteCount)
    return overflow ? .max : bytes
  }

  /// The address of the last byte.
  public var last: UInt64 { address &+ (blockCount &* blockByteCount &- 1) }

  /// Whether the first block sorts before that of `other`: by address, then by size.
  package func startsBefore(_ other: SizedRun) -> Bool {
    address == other.address ? log2ByteCount < other.log2ByteCount : address < other.address
  }

  /// How many of the blocks sort before the first one of `other`, which is not the first here.
  ///
  /// - Precondition: this one starts before `other`.
  package func blockCount(before other: SizedRun) -> UInt64 {
    let distance = other.address &- address
    var count = distance >> UInt64(log2ByteCount)
    if distance & (blockByteCount - 1) != 0 || log2ByteCount < other.log2ByteCount { count += 1 }
    return min(count, blockCount)
  }

  /// The first `count` blocks, and the rest; nil where nothing is left.
  ///
  /// - Precondition: `count` is in 1…`blockCount`.
  package func split(_ count: UInt64) -> (first: SizedRun, rest: SizedRun?) {
    let first = SizedRun(address: address, log2ByteCount: log2ByteCount, blockCount: count)
    guard count < blockCount else { return (first, nil) }
    let rest = SizedRun(
      address: address &+ count &* blockByteCount, log2ByteCount: log2ByteCount,
      blockCount: blockCount - count)
    return (first, rest)
  }

  /// This one and `next` as one; nil where `next` does not go on here.
  package func joined(with next: SizedRun) -> SizedRun? {
    guard log2ByteCount == next.log2ByteCount, next.address != 0, last == next.address &- 1 else {
      return nil
    }
    return SizedRun(
      address: address, log2ByteCount: log2ByteCount, blockCount: blockCount + next.blockCount)
  }
}
