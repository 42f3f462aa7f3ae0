import MemoryAccess

/// A set of numbers below `bitCount` that knows its smallest members.
///
///     level 2   1                                       one word
///     level 1   01                …                     a bit for each word below: is it not 0?
///     level 0   0000 0110  0000 0000  0010 0000  …      a bit for each number
///
/// Each level has 64 times fewer bits, so that the next member is found in as many steps as there
/// are levels, and a change that does not empty or begin a word stops at the first.
@frozen
@usableFromInline
struct BitPyramid: Sendable {
  /// Where level 0 begins in the map; the next levels follow.
  @usableFromInline
  let firstWord: UInt64
  @usableFromInline
  let bitCount: UInt64

  @inlinable
  init(firstWord: UInt64, bitCount: UInt64) {
    self.firstWord = firstWord
    self.bitCount = bitCount
  }

  /// The number of words in all levels.
  @inlinable
  static func wordCount(forBits bitCount: UInt64) -> UInt64 {
    var bits = bitCount
    var total: UInt64 = 0
    repeat {
      bits = (bits &+ 63) &>> 6
      total &+= bits
    } while bits > 1
    return total
  }

  @inlinable
  func contains<Memory>(_ bit: UInt64, in map: FrameMap<Memory>) -> Bool {
    bit < bitCount && map.load(firstWord &+ bit &>> 6) &>> (bit & 63) & 1 != 0
  }

  /// - Precondition: `bit` is not a member.
  @inlinable
  func insert<Memory>(_ bit: UInt64, in map: FrameMap<Memory>) {
    var start = firstWord
    var wordCount = (bitCount &+ 63) &>> 6
    var index = bit
    while true {
      let word = start &+ index &>> 6
      let old = map.load(word)
      map.store(old | 1 &<< (index & 63), at: word)
      if old != 0 || wordCount == 1 { return }
      start &+= wordCount
      wordCount = (wordCount &+ 63) &>> 6
      index &>>= 6
    }
  }

  /// - Precondition: `bit` is a member.
  @inlinable
  func remove<Memory>(_ bit: UInt64, in map: FrameMap<Memory>) {
    var start = firstWord
    var wordCount = (bitCount &+ 63) &>> 6
    var index = bit
    while true {
      let word = start &+ index &>> 6
      let new = map.load(word) & ~(1 &<< (index & 63))
      map.store(new, at: word)
      if new != 0 || wordCount == 1 { return }
      start &+= wordCount
      wordCount = (wordCount &+ 63) &>> 6
      index &>>= 6
    }
  }

  /// The smallest member of at least `bit`; nil if none exists.
  @inlinable
  func first<Memory>(atOrAfter bit: UInt64, in map: FrameMap<Memory>) -> UInt64? {
    guard bit < bitCount else { return nil }
    // 64^11 bits are more than can be counted.
    var starts = InlineArray<11, UInt64>(repeating: 0)
    var level = 0
    var start = firstWord
    var wordCount = (bitCount &+ 63) &>> 6
    var index = bit
    while true {
      starts[level] = start
      let word = index &>> 6
      if word < wordCount {
        let bits = map.load(start &+ word) &>> (index & 63)
        if bits != 0 {
          index &+= UInt64(bits.trailingZeroBitCount)
          break
        }
      }
      if wordCount == 1 { return nil }
      // Nothing more in this word: ask the level above about those after it.
      start &+= wordCount
      wordCount = (wordCount &+ 63) &>> 6
      index = word &+ 1
      level &+= 1
    }
    while level > 0 {
      level &-= 1
      let bits = map.load(starts[level] &+ index)
      index = index &<< 6 | UInt64(bits.trailingZeroBitCount)
    }
    return index
  }

  /// Whether every level says of the one below what is there.
  func isSound<Memory>(in map: FrameMap<Memory>) -> Bool {
    var start = firstWord
    var bitCount = bitCount
    while true {
      let wordCount = (bitCount &+ 63) &>> 6
      let unused = bitCount & 63
      if unused != 0, map.load(start &+ wordCount &- 1) &>> unused != 0 { return false }
      if wordCount == 1 { return true }
      let above = start &+ wordCount
      for word in 0..<wordCount {
        let isSet = map.load(above &+ word &>> 6) &>> (word & 63) & 1 != 0
        if isSet != (map.load(start &+ word) != 0) { return false }
      }
      start = above
      bitCount = wordCount
    }
  }
}
