public import MemoryAccess

extension BuddyAllocator {
  /// Counts the free blocks of `order`, and makes the levels above their bits.
  @inlinable
  mutating func summarize(order: Int) {
    var start = freeBlocks[order].firstWord
    var wordCount = (freeBlocks[order].bitCount &+ 63) &>> 6
    var blockCount: UInt64 = 0
    var isLowest = true
    while true {
      let aboveCount = wordCount == 1 ? 0 : (wordCount &+ 63) &>> 6
      // Of the lowest level alone, a bit is a block.
      let count = map.withWords(from: start, count: wordCount &+ aboveCount) {
        Self.summarize($0, levelCount: Int(truncatingIfNeeded: wordCount), countsBits: isLowest)
      }
      if isLowest { blockCount = count }
      isLowest = false
      if aboveCount == 0 { break }
      start &+= wordCount
      wordCount = aboveCount
    }
    freeBlockCounts[order] = blockCount
    freeCount &+= blockCount &<< UInt64(order)
    if blockCount > 0 { ordersWithFreeBlocks |= 1 &<< UInt64(order) }
  }

  /// Makes of a level of `levelCount` words the one behind it, unless a level of one word is all.
  ///
  /// - Returns: the number of bits that are set, if they are counted.
  @inlinable
  static func summarize(
    _ words: borrowing MemoryWords, levelCount: Int, countsBits: Bool
  ) -> UInt64 {
    var counter = BitCounter()
    var start = 0
    while start < levelCount {
      let end = min(start &+ 64, levelCount)
      var summary: UInt64 = 0
      var bit: UInt64 = 1
      for index in start..<end {
        summary |= words.load(index) == 0 ? 0 : bit
        bit &<<= 1
      }
      if summary != 0 {
        if countsBits { counter.add(words, start..<end) }
        let above = levelCount &+ start &>> 6
        if above < words.count { words.store(summary, at: above) }
      }
      start = end
    }
    return counter.count
  }
}

/// Counts the bits of words.
///
/// A processor without an instruction that counts bits takes twelve others for a word. So bits of equal weight are
/// added first, three words to two, as in a multiplier: of eight words, one has to be counted.
@usableFromInline
struct BitCounter {
  @usableFromInline
  var count: UInt64 = 0

  @inlinable
  init() {}

  @inlinable
  @inline(__always)
  mutating func add(_ words: borrowing MemoryWords, _ range: Range<Int>) {
    var (ones, twos, fours, eights): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var index = range.lowerBound
    while index &+ 8 <= range.upperBound {
      let two0 = Self.add(&ones, words.load(index), words.load(index &+ 1))
      let two1 = Self.add(&ones, words.load(index &+ 2), words.load(index &+ 3))
      let four0 = Self.add(&twos, two0, two1)
      let two2 = Self.add(&ones, words.load(index &+ 4), words.load(index &+ 5))
      let two3 = Self.add(&ones, words.load(index &+ 6), words.load(index &+ 7))
      let four1 = Self.add(&twos, two2, two3)
      eights &+= Self.bits(of: Self.add(&fours, four0, four1))
      index &+= 8
    }
    count &+= eights &* 8 &+ Self.bits(of: fours) &* 4
    count &+= Self.bits(of: twos) &* 2 &+ Self.bits(of: ones)
    while index < range.upperBound {
      count &+= Self.bits(of: words.load(index))
      index &+= 1
    }
  }

  @inlinable
  @inline(__always)
  static func bits(of word: UInt64) -> UInt64 { UInt64(truncatingIfNeeded: word.nonzeroBitCount) }

  /// Adds three words bit by bit: the sum's lower bits replace `one`, the upper ones are returned.
  @inlinable
  @inline(__always)
  static func add(_ one: inout UInt64, _ two: UInt64, _ three: UInt64) -> UInt64 {
    let half = one ^ two
    let carry = one & two | half & three
    one = half ^ three
    return carry
  }
}
