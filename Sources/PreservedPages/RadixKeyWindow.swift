/// Keys that have all but their low bits in common, as a bitmap that only one thread sees.
///
/// 8 KiB: as much as fits on a small stack, and into a core's first cache beside the leaves that it is
/// carried to.
@frozen
@usableFromInline
struct RadixKeyWindow {
  /// The key of bit 0.
  @usableFromInline
  let first: UInt64
  @usableFromInline
  var words = InlineArray<1024, UInt64>(repeating: 0)

  /// How many low bits tell the keys of a window apart.
  @inlinable
  static var bitCount: Int { 16 }

  @inlinable
  static var wordCount: Int { 1024 }

  /// The window of the keys at `range`.
  ///
  /// - Precondition: `range` is not empty, and the keys differ only in their low ``bitCount`` bits.
  @inlinable
  init(_ keys: Span<RadixKey>, _ range: Range<Int>) {
    first = keys[range.lowerBound].rawValue & ~0xffff
    for index in range {
      let key = keys[index].rawValue
      // SAFETY: ten bits are left, a number below 1024.
      unsafe words[unchecked: Int(truncatingIfNeeded: (key & 0xffff) &>> 6)] |= 1 &<< key
    }
  }
}
