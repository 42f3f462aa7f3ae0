public import MemoryAccess

/// Bits somewhere in memory that each mark one block of an order: what radix leaves and `kho-v1`
/// bitmaps have in common.
@usableFromInline
struct BlockBitmap: Hashable, Sendable {
  @usableFromInline
  let order: PageOrder
  /// The block that the first bit marks.
  @usableFromInline
  let start: PhysicalAddress
  /// The page or half-kilobyte that holds the bits.
  @usableFromInline
  let bytes: PhysicalRange
  /// The first bit's place in there, and the number of bits.
  @usableFromInline
  let firstBit: Int
  @usableFromInline
  let bitCount: Int
}
