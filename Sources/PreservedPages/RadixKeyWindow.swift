/// Keys that have all but their low bits in common, as a bitmap that only one thread sees.
///
/// 8 KiB: as much as fits on a small stack, and into a core's first cache beside the leaves that it is
/// carried to.
@frozen
@usableFromInline
struct RadixKeyWindow {
  /// The key of bit 0.
  @usableFromInline
  var first: UInt64 = 0
  @usableFromInline
  var words = InlineArray<1024, UInt64>(repeating: 0)
  /// A bit for each word that is not zero. Of the words themselves, each would be a branch that no processor can
  /// foresee.
  @usableFromInline
  var occupied = InlineArray<16, UInt64>(repeating: 0)

  @inlinable
  init() {}

  /// The number of low bits in which the keys of a window differ.
  @inlinable
  static var bitCount: Int { 16 }

  @inlinable
  static var wordCount: Int { 1024 }

  /// Takes in the keys at `range`: in place, since an initializer's result would be copied.
  ///
  /// - Precondition: `range` is not empty, and the keys differ only in their low ``bitCount`` bits; the
  ///   window is empty.
  @inlinable
  @inline(__always)
  mutating func fill(_ keys: Span<RadixKey>, _ range: Range<Int>) {
    first = keys[range.lowerBound].rawValue & ~0xffff
    for index in range {
      let key = keys[index].rawValue
      let word = Int(truncatingIfNeeded: (key & 0xffff) &>> 6)
      // SAFETY: ten bits are left, a number below 1024.
      unsafe words[unchecked: word] |= 1 &<< key
    }
    for group in occupied.indices {
      var bits: UInt64 = 0
      for bit in 0..<64 {
        // SAFETY: 16 times 64 is the number of words.
        let isOccupied = unsafe words[unchecked: group &* 64 &+ bit] != 0
        bits |= (isOccupied ? 1 : 0) &<< UInt64(truncatingIfNeeded: bit)
      }
      occupied[group] = bits
    }
  }
}
