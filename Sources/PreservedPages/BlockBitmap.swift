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
  /// From the first bit that is set to the last, counted from the first bit; empty where the survey did not look.
  var markedBits: Range<UInt32> = 0..<0

  /// From the first to the last of the bits that is set in `bytes`, which are those of the bitmap; nil where none is.
  func markedBits(of bytes: RawSpan) -> Range<UInt32>? {
    let bits = firstBit..<firstBit &+ bitCount
    guard let first = bytes.firstBit(in: bits), let last = bytes.lastBit(in: bits, isSet: true)
    else { return nil }
    // A page has fewer than 2^32 bits.
    return UInt32(
      truncatingIfNeeded: first &- firstBit)..<UInt32(truncatingIfNeeded: last &- firstBit &+ 1)
  }
}
