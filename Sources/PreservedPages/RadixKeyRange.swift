public import MemoryAccess

/// Keys that follow each other, one or more, of one order.
@frozen
@usableFromInline
struct RadixKeyRange {
  @usableFromInline
  let first: RadixKey
  @usableFromInline
  let last: RadixKey

  @inlinable
  init(first: UInt64, last: UInt64) {
    self.first = RadixKey(rawValue: first)
    self.last = RadixKey(rawValue: last)
  }

  /// The keys of `run`; nil when it holds no block.
  ///
  /// - Precondition: the blocks are aligned to their size and end at 2^64 bytes at the latest.
  @inlinable
  init?(_ run: BlockRun, in geometry: RadixGeometry) {
    if run.blockCount == 0 { return nil }
    let first = RadixKey(run.address, order: run.order, in: geometry.page)
    // The highest bit shows the order; the bits below it have room for as many blocks as fill 2^64 bytes.
    let orderEnd = (2 as UInt64) &<< UInt64(63 &- first.rawValue.leadingZeroBitCount)
    require(
      that: run.blockCount <= orderEnd &- first.rawValue, "a run of blocks beyond 2^64 bytes")
    self.init(first: first.rawValue, last: first.rawValue &+ (run.blockCount &- 1))
  }

  /// The part within the keys whose bits from `shift` on are `prefix`.
  @inlinable
  func part(below prefix: UInt64, shift: Int) -> RadixKeyRange {
    let from = prefix &<< UInt64(shift)
    let to = from | ((1 as UInt64) &<< UInt64(shift) &- 1)
    return RadixKeyRange(first: max(first.rawValue, from), last: min(last.rawValue, to))
  }

  /// How many keys differ in the bits from `shift` on, which is how many nodes that hold so many keys
  /// the range is in.
  @inlinable
  func count(shift: Int) -> UInt64 {
    (last.rawValue &>> UInt64(shift)) &- (first.rawValue &>> UInt64(shift)) &+ 1
  }
}
