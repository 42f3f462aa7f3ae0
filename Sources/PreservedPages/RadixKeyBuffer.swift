/// Keys on their way from a bitmap to the caller of the walk.
///
/// Words that are neither empty nor full are taken apart byte by byte, with a table of the bits that
/// each byte has: eight steps for a word, however many keys are in it, and no branch. The keys are
/// reported in bursts.
///
///     word     0010_0001  0000_0000  1000_0000 …      one byte, one line of the table
///     line     0 5 – …    – …        7 – …            and the byte's place is added to each
///     places   0 5 23 …                               kept: as many as the byte has bits
///
/// One key after the other, the end of each word is a branch that no processor can predict: at one bit in
/// ten, that took half of the time. Searched bit by bit without that branch, a key took 1.5 ns; this
/// takes 1.15 ns.
@frozen
@usableFromInline
struct RadixKeyBuffer {
  #if hasFeature(Embedded)
    /// A kernel's stack is small: the table takes 4 KiB, and a byte of a bitmap one more instruction.
    @usableFromInline
    typealias BitNumber = UInt8
  #else
    /// As wide as a place, to which it is added: the table takes 8 KiB.
    @usableFromInline
    typealias BitNumber = UInt16
  #endif

  /// What a byte of a bitmap marks: a power of two of bytes, so that a shift and a mask make the offset in
  /// the table.
  @frozen
  @usableFromInline
  struct Line {
    /// The numbers of the byte's bits, in order.
    @usableFromInline
    var bits = SIMD8<BitNumber>()
    @usableFromInline
    var count = 0

    @inlinable
    init() {}
  }

  @usableFromInline
  var lines = InlineArray<256, Line>(repeating: Line())

  /// How far the keys are from where the words began.
  @usableFromInline
  var places = InlineArray<1024, UInt16>(repeating: 0)

  @inlinable
  init() {
    // Each byte has the bits of one before, and its highest.
    for byte in 1..<256 {
      let top = 63 &- UInt64(byte).leadingZeroBitCount
      lines[byte] = lines[byte ^ 1 &<< top]
      lines[byte].bits[lines[byte].count] = BitNumber(truncatingIfNeeded: top)
      lines[byte].count &+= 1
    }
  }

  /// How many words can be distinguished: that many bits have numbers of 16 bits.
  @inlinable
  static var wordLimit: Int { 1024 }

  /// As many keys as leave room for another word: 64, and what the last step writes beyond them.
  @inlinable
  static var countLimit: Int { 1024 &- 72 }

  /// Adds the keys that `word` marks, which is the one of number `index`.
  ///
  /// - Parameter count: the number of keys before. It is the caller's, so that it stays in a
  ///   register.
  /// - Returns: how many there are then.
  /// - Precondition: `count` is not above ``countLimit``, and `index` is below ``wordLimit``.
  @inlinable
  @inline(__always)
  mutating func append(_ word: UInt64, at index: Int, behind count: Int) -> Int {
    var end = count
    // The byte's number times 32.
    var rest = word &<< 5 | word &>> 59
    var first = SIMD8<UInt16>(repeating: UInt16(truncatingIfNeeded: index &* 64))
    // SAFETY: any bits are a number.
    var span = places.mutableSpan
    var bytes = unsafe span.mutableBytes
    for _ in 0..<8 {
      let byte = Int(truncatingIfNeeded: rest & 0x1fe0) &>> 5
      // SAFETY: a byte is below 256. Each step adds eight places at most, and writes eight.
      let found = unsafe SIMD8<UInt16>(truncatingIfNeeded: lines[unchecked: byte].bits) &+ first
      unsafe bytes.storeBytes(
        of: found, toUncheckedByteOffset: end &* 2, as: SIMD8<UInt16>.self)
      end &+= unsafe lines[unchecked: byte].count
      first &+= 8
      rest = rest &>> 8 | rest &<< 56
    }
    return end
  }

  /// Visits `count` keys.
  ///
  /// - Parameter first: the first key of word 0.
  @inlinable
  @inline(__always)
  mutating func forEach<Failure: Error>(
    _ count: Int, from first: UInt64, _ body: (RadixKey) throws(Failure) -> Void
  ) throws(Failure) {
    var index = 0
    // Four at a time, all loaded first: what the body changes need not be written back before each
    // load, as it would be for a compiler that takes it for a part of the buffer.
    while index &+ 4 <= count {
      let (a, b) = (key(index, from: first), key(index &+ 1, from: first))
      let (c, d) = (key(index &+ 2, from: first), key(index &+ 3, from: first))
      try body(a)
      try body(b)
      try body(c)
      try body(d)
      index &+= 4
    }
    while index < count {
      try body(key(index, from: first))
      index &+= 1
    }
  }

  @inlinable
  @inline(__always)
  func key(_ index: Int, from first: UInt64) -> RadixKey {
    // SAFETY: only indices below the count are asked for, and it is at most 1024, the keys that there
    // is room for.
    unsafe RadixKey(rawValue: first &+ UInt64(places[unchecked: index]))
  }
}
