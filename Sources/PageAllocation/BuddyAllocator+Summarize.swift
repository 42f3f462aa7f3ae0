public import MemoryAccess

extension BuddyAllocator {
  /// Counts the free blocks of `order`, and makes the levels above their bits.
  @inlinable
  mutating func summarize(order: Int) {
    var start = freeBlocks[order].firstWord
    var wordCount = (freeBlocks[order].bitCount &+ 63) &>> 6
    let blockCount = map.countOfBits(from: start, wordCount: wordCount)
    freeBlockCounts[order] = blockCount
    if blockCount == 0 { return }
    freeCount &+= blockCount &<< UInt64(order)
    ordersWithFreeBlocks |= 1 &<< UInt64(order)
    while wordCount > 1 {
      let aboveCount = (wordCount &+ 63) &>> 6
      map.withWords(from: start, count: wordCount &+ aboveCount) {
        Self.summarize($0, levelCount: Int(truncatingIfNeeded: wordCount))
      }
      start &+= wordCount
      wordCount = aboveCount
    }
  }

  /// Makes of a level of `levelCount` words the one behind it.
  @inlinable
  static func summarize(_ words: borrowing MemoryWords, levelCount: Int) {
    var start = 0
    while start < levelCount {
      let end = min(start &+ 64, levelCount)
      var summary: UInt64 = 0
      var bit: UInt64 = 1
      for index in start..<end {
        summary |= words.load(index) == 0 ? 0 : bit
        bit &<<= 1
      }
      if summary != 0 { words.store(summary, at: levelCount &+ start &>> 6) }
      start = end
    }
  }
}
