internal import MemoryAccess

/// The next bits of the input, the first in bit 0.
struct BitBuffer {
  /// The bits; of those above ``count``, each is 0 or what the input will bring there.
  private(set) var bits: UInt64 = 0
  /// How many of them were taken from the input.
  private(set) var count = 0
  /// The next byte of the input.
  private(set) var next: Int

  init(startingAt byte: Int) { next = byte }

  /// Takes bytes from the input until there are at least 56 bits, or no bytes left.
  @inline(__always)
  mutating func refill(from input: RawSpan) {
    if let word = input.plainWord(atByte: next) {
      bits |= UInt64(littleEndian: word) &<< UInt64(count)
      let byteCount = (63 &- count) &>> 3
      next &+= byteCount
      count &+= byteCount &* 8
    } else {
      while count <= 56, let byte = input.byte(at: next) {
        bits |= UInt64(byte) &<< UInt64(count)
        next &+= 1
        count &+= 8
      }
    }
  }

  /// Drops `wanted` bits, at most 48.
  @inline(__always)
  mutating func drop(_ wanted: Int) throws(DecompressionError) {
    guard wanted <= count else { throw .inputEnds }
    bits &>>= UInt64(wanted)
    count &-= wanted
  }

  /// Takes `wanted` bits, at most 48, as a number.
  @inline(__always)
  mutating func take(_ wanted: Int) throws(DecompressionError) -> Int {
    let value = bits & (1 &<< UInt64(wanted) &- 1)
    try drop(wanted)
    return Int(truncatingIfNeeded: value)
  }

  /// Drops the rest of the byte that was begun, and gives back whole bytes.
  mutating func alignToByte() {
    next &-= count &>> 3
    bits = 0
    count = 0
  }

  /// Goes on at `byte` of the input.
  ///
  /// - Precondition: aligned to a byte.
  mutating func skip(to byte: Int) { next = byte }
}
