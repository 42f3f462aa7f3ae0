import MemoryAccess

/// Bits somewhere in memory that each mark one block of an order: what radix leaves and `kho-v1`
/// bitmaps have in common.
struct BlockBitmap: Hashable, Sendable {
  let order: PageOrder
  /// The block that the first bit marks.
  let start: PhysicalAddress
  /// The page or half-kilobyte that holds the bits.
  let bytes: PhysicalRange
  /// The first bit's place in there, and the number of bits.
  let firstBit: Int
  let bitCount: Int
}
