internal import MemoryAccess

/// Bits that are read from the end of a range of the input to its start: RFC 8878, section 4.1.
///
/// The last byte ends with a set bit, which marks where the bits begin.
struct ReverseBits {
  private let start: Int
  /// How many bits are left; negative once more were used than there are, which then count as 0.
  private(set) var left: Int

  init(_ input: RawSpan, _ range: Range<Int>) throws(DecompressionError) {
    guard !range.isEmpty, let last = input.byte(at: range.upperBound &- 1) else { throw .inputEnds }
    guard last != 0 else { throw .codeLengthsWrong }
    start = range.lowerBound
    left = range.count &* 8 &- last.leadingZeroBitCount &- 1
  }

  /// The next bits, the first in the highest bit; at least 57, of which those that do not exist are 0.
  @inline(__always)
  func next(of input: RawSpan) -> UInt64 {
    let place = start &+ (left &+ 7) &>> 3 &- 8
    if place >= start, let word = input.plainWord(atByte: place) {
      return UInt64(littleEndian: word) &<< UInt64((0 &- left) & 7)
    }
    return lastBits(of: input)
  }

  @inline(never)
  private func lastBits(of input: RawSpan) -> UInt64 {
    guard left > 0 else { return 0 }
    var bits: UInt64 = 0
    let end = start &+ (left &+ 7) &>> 3
    for place in max(start, end &- 8)..<end {
      bits = bits &>> 8 | UInt64(input.byte(at: place) ?? 0) &<< 56
    }
    return bits &<< UInt64((0 &- left) & 7)
  }

  /// Drops `used` bits, and reads again.
  @inline(__always)
  mutating func next(dropping used: inout Int, of input: RawSpan) -> UInt64 {
    drop(used)
    used = 0
    return next(of: input)
  }

  @inline(__always)
  mutating func drop(_ count: Int) { left &-= count }

  /// Takes `count` bits, at most 56, as a number.
  @inline(__always)
  mutating func take(_ count: Int, of input: RawSpan) -> Int {
    let bits = next(of: input)
    left &-= count
    return Int(truncatingIfNeeded: (bits &>> 1) &>> UInt64(63 &- count))
  }
}
