extension RawSpan {
  /// How many of `count` bits from bit `first` on are set; bits outside the span are not.
  ///
  /// Bit i is bit i mod 64 of word i / 64.
  package func countOfBits(from first: Int, count: Int) -> UInt64 {
    var sum: UInt64 = 0
    var bit = first
    let end = first &+ count
    while bit < end {
      let inWord = bit & 63
      if inWord == 0, end &- bit >= Self.bitsInGroup, bit >= 0 {
        let groupCount = min(end &- bit, byteCount &* 8 &- bit) / Self.bitsInGroup
        if groupCount > 0 {
          sum &+= countOfBits(inGroups: groupCount, fromByte: bit &>> 3)
          bit &+= groupCount &* Self.bitsInGroup
          continue
        }
      }
      let taken = min(64 &- inWord, end &- bit)
      let word = word(atByte: (bit &>> 6) &* 8) ?? 0
      let mask = (UInt64.max &>> UInt64(64 &- taken)) &<< UInt64(inWord)
      sum &+= UInt64((word & mask).nonzeroBitCount)
      bit &+= taken
    }
    return sum
  }

  #if hasFeature(Embedded)
    /// As many words as a vector register of a kernel's processor holds: wider ones take four times as much code.
    private typealias WideWords = SIMD2<UInt64>
  #else
    private typealias WideWords = SIMD8<UInt64>
  #endif

  /// The bits of eight wide words.
  private static var bitsInGroup: Int { 512 &* WideWords.scalarCount }

  /// How many bits are set in `groupCount` times eight wide words.
  ///
  /// A processor without an instruction that counts bits takes twelve others for a word. So bits of equal
  /// weight are added first, three words to two, as in a multiplier: of eight words, one has to be counted.
  ///
  /// - Precondition: the words are in the span.
  private func countOfBits(inGroups groupCount: Int, fromByte start: Int) -> UInt64 {
    typealias Words = WideWords

    @inline(__always)
    func load(_ offset: Int) -> Words {
      // SAFETY: the caller promises that the bytes are in the span; any bit pattern is one of words.
      unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Words.self)
    }

    /// Adds three words bit by bit: the sum's lower bits replace `one`, the upper ones are returned.
    @inline(__always)
    func add(_ one: inout Words, _ two: Words, _ three: Words) -> Words {
      let half = one ^ two
      let carry = one & two | half & three
      one = half ^ three
      return carry
    }

    var ones = Words.zero
    var twos = Words.zero
    var fours = Words.zero
    var eights = Words.zero
    let step = 8 &* Words.scalarCount
    var offset = start
    for _ in 0..<groupCount {
      let two0 = add(&ones, load(offset), load(offset &+ step))
      let two1 = add(&ones, load(offset &+ 2 &* step), load(offset &+ 3 &* step))
      let four0 = add(&twos, two0, two1)
      let two2 = add(&ones, load(offset &+ 4 &* step), load(offset &+ 5 &* step))
      let two3 = add(&ones, load(offset &+ 6 &* step), load(offset &+ 7 &* step))
      let four1 = add(&twos, two2, two3)
      eights &+= Self.counts(add(&fours, four0, four1))
      offset &+= 8 &* step
    }
    let all =
      eights &<< 3 &+ Self.counts(fours) &<< 2 &+ Self.counts(twos) &<< 1 &+ Self.counts(ones)
    return all.wrappedSum()
  }

  /// The number of bits of each word.
  @inline(__always)
  private static func counts(_ words: WideWords) -> WideWords {
    let pairs = words &- (words &>> 1 & 0x5555_5555_5555_5555)
    let nibbles = (pairs & 0x3333_3333_3333_3333) &+ (pairs &>> 2 & 0x3333_3333_3333_3333)
    let bytes = (nibbles &+ nibbles &>> 4) & 0x0f0f_0f0f_0f0f_0f0f
    let halves = bytes &+ bytes &>> 8
    let quarters = halves &+ halves &>> 16
    return (quarters &+ quarters &>> 32) & 0x7f
  }
}
