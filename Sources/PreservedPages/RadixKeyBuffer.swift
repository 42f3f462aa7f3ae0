/// Keys on their way from a bitmap to whoever walks it.
///
/// Words that are neither empty nor full are taken apart in steps of eight bits without a branch, and
/// the keys told in bursts. One key after the other, the end of each word is a branch that nobody can
/// foresee: at one bit in ten, that took half of the time.
@frozen
@usableFromInline
struct RadixKeyBuffer {
  @usableFromInline
  var keys = InlineArray<192, UInt64>(repeating: 0)
  @usableFromInline
  var count = 0

  @inlinable
  init() {}

  /// Whether a word's keys still fit.
  @inlinable
  var isFull: Bool { count > 192 &- 64 }

  /// Adds the keys that `word` marks, of which the first would be `base`.
  ///
  /// - Precondition: the buffer is not full.
  @inlinable
  @inline(__always)
  mutating func append(_ word: UInt64, base: UInt64) {
    let end = count &+ word.nonzeroBitCount
    var rest = word
    var index = count
    repeat {
      for step in 0..<8 {
        // The bit at the top changes nothing where there is another one, and spares the search the
        // case of no bit at all.
        let bit = UInt64(truncatingIfNeeded: (rest | 1 &<< 63).trailingZeroBitCount)
        // SAFETY: `count` is at most 128 here, and a word has 64 bits in eight steps of eight.
        unsafe keys[unchecked: index &+ step] = base &+ bit
        rest &= rest &- 1
      }
      index &+= 8
    } while index < end
    count = end
  }

  @inlinable
  @inline(__always)
  subscript(index: Int) -> RadixKey {
    // SAFETY: only indices below `count` are asked for, and it is at most 192, the keys that there is
    // room for.
    unsafe RadixKey(rawValue: keys[unchecked: index])
  }

  /// Tells the keys, and forgets them.
  @inlinable
  @inline(__always)
  mutating func flush<Failure: Error>(
    _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    var index = 0
    // Four at a time, all loaded first: what the body changes need not be written back before each
    // load, as it would be for a compiler that cannot tell it from the buffer.
    while index &+ 4 <= count {
      let (a, b, c, d) = (self[index], self[index &+ 1], self[index &+ 2], self[index &+ 3])
      try body(a)
      try body(b)
      try body(c)
      try body(d)
      index &+= 4
    }
    while index < count {
      try body(self[index])
      index &+= 1
    }
    count = 0
  }
}
