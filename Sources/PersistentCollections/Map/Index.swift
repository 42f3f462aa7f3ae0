/// Where entries are found: linear hashing, so that the index grows and shrinks by a bucket at a time.
///
///     directory ─► chunks of 4096 buckets ─► bucket of 64 bytes: 7 slots, and what overflows
///     slot: 23 bits of the hash │ large │ address / 16, 40 bits; 0 where it is free
///
/// With N buckets, 2^level ≤ N < 2^(level + 1), the bucket is the hash modulo 2^(level + 1), or modulo
/// 2^level if that bucket does not exist yet.
enum Index {
  static let bucketByteCount: UInt64 = 64
  static let slotCount = 7
  static let overflow: UInt64 = 56
  static let log2BucketsInChunk: UInt64 = 12
  static let bucketsInChunk: UInt64 = 1 << 12
  static let chunkByteCount: UInt64 = 1 << 18
  static let chunkLimit: UInt64 = 1 << 14
  static let directoryByteCount: UInt64 = 1 << 17
  static let smallestBucketCount: UInt64 = 8
  /// More entries for a bucket than this, and the index grows; fewer than the other, and it shrinks.
  static let entriesBeforeGrowth: UInt64 = 5
  static let entriesBeforeShrinking: UInt64 = 1
  /// No chain of overflow buckets is longer, unless another program made it.
  static let chainLimit = 1 << 20

  /// Where slot `index` of a bucket is.
  @inline(__always)
  static func slot(_ index: Int, of bucket: UInt64) -> UInt64 {
    bucket &+ UInt64(truncatingIfNeeded: index) &* 8
  }

  @inline(__always)
  static func tag(_ hash: UInt64) -> UInt64 { hash & ~ObjectReference.mask }

  @inline(__always)
  static func bucket(of hash: UInt64, bucketCount: UInt64) -> UInt64 {
    let half = highestBit(bucketCount)
    let wide = hash & (half &<< 1 &- 1)
    return wide < bucketCount ? wide : hash & (half &- 1)
  }

  /// How many low bits of their hashes the entries of a bucket share.
  static func depth(of bucket: UInt64, bucketCount: UInt64) -> Int {
    let half = highestBit(bucketCount)
    let level = half.trailingZeroBitCount
    return bucket >= half || bucket < bucketCount &- half ? level + 1 : level
  }

  /// Of 0, 1: no count of buckets is 0, unless another program wrote it.
  @inline(__always)
  static func highestBit(_ number: UInt64) -> UInt64 {
    (1 as UInt64) &<< UInt64(63 &- (number | 1).leadingZeroBitCount)
  }
}
