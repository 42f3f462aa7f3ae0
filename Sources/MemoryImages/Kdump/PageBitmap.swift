internal import MemoryAccess
internal import Synchronization

/// A bitmap of a dump, a bit for each page, read where it is in the file.
///
/// Counting set bits is what finds a page's descriptor, and how much of a range is there. So that
/// neither depends on the size of the machine, the counts of whole stretches of the bitmap are kept,
/// from the start as far as callers have asked; for 1 TiB in pages of 4 KiB, 8192 of them.
final class PageBitmap: Sendable {
  /// The number of bits.
  let pageCount: UInt64

  private let file: DumpFile
  private let offset: UInt64
  /// log2 of the pages of a stretch.
  private let stretchShift: UInt64
  /// For each stretch, how many bits are set before it; the last one is for the first stretch that
  /// was not asked for.
  private let counts = Mutex<[UInt64]>([0])

  /// The most stretches of a bitmap.
  private static let largestStretchCount: UInt64 = 1 << 16

  /// The bitmap of `pageCount` bits at `offset` of the file, which holds it.
  init(of file: DumpFile, at offset: UInt64, pageCount: UInt64) {
    self.file = file
    self.offset = offset
    self.pageCount = pageCount
    var shift: UInt64 = 15
    while pageCount &>> shift > Self.largestStretchCount { shift &+= 1 }
    stretchShift = shift
  }

  /// Whether the bit of `page` is set.
  func isSet(_ page: UInt64) -> Bool {
    page < pageCount && word(at: page &>> 6) & (1 &<< (page & 63)) != 0
  }

  /// How many of the bits below `page` are set.
  ///
  /// - Complexity: O(1), once the stretches up to the page are counted.
  func count(below page: UInt64) -> UInt64 {
    let page = min(page, pageCount)
    let stretch = page &>> stretchShift
    let before = counts.withLock { counts in
      while UInt64(counts.count) <= stretch {
        let start = UInt64(counts.count &- 1) &<< stretchShift
        let known = counts[counts.count &- 1]
        counts.append(known &+ countBits(in: start..<start &+ (1 &<< stretchShift)))
      }
      return counts[Int(stretch)]
    }
    return before &+ countBits(in: (stretch &<< stretchShift)..<page)
  }

  /// Whether the bits of all `pages` are set.
  func areSet(_ pages: Range<UInt64>) -> Bool {
    guard pages.upperBound <= pageCount else { return pages.isEmpty }
    guard isSet(pages.lowerBound), isSet(pages.upperBound &- 1) else { return pages.isEmpty }
    if pages.count <= 2 { return true }
    let setCount = count(below: pages.upperBound) &- count(below: pages.lowerBound)
    return setCount == UInt64(pages.count)
  }

  /// The first set bits at or after `page` that follow each other, no more than `limit` of them.
  ///
  /// - Complexity: O(words passed), holes of the file left out.
  func run(atOrAfter page: UInt64, limit: UInt64) -> Range<UInt64>? {
    guard let start = firstSet(atOrAfter: page) else { return nil }
    let furthest = min(pageCount, start &+ min(limit, pageCount &- start))
    var end = start
    while end < furthest {
      let clear = ~word(at: end &>> 6) & (.max &<< (end & 63))
      end = end & ~63 &+ UInt64(clear.trailingZeroBitCount)
      if clear != 0 { break }
    }
    return start..<min(end, furthest)
  }

  private func firstSet(atOrAfter page: UInt64) -> UInt64? {
    var page = page
    while page < pageCount {
      let set = word(at: page &>> 6) & (.max &<< (page & 63))
      if set != 0 {
        let found = page & ~63 &+ UInt64(set.trailingZeroBitCount)
        return found < pageCount ? found : nil
      }
      page = (page | 63) &+ 1
      // At the start of a stretch of 4 KiB, ask whether it is in a hole.
      if page & 0x7fff == 0 {
        guard let stored = file.storedBytes(atOrAfter: offset &+ page / 8) else { return nil }
        let first = stored.lowerBound &- offset
        page = max(page, first > UInt64.max / 8 ? .max : (first &* 8) & ~63)
      }
    }
    return nil
  }

  /// 64 bits, of which those behind the last page are 0.
  private func word(at index: UInt64) -> UInt64 {
    let start = index &* 8
    let bytes = file.withBytes(at: offset &+ start, count: 8) { $0.word(atByte: 0) ?? 0 } ?? 0
    return UInt64(littleEndian: bytes) & mask(index)
  }

  /// The bits of the word that are pages.
  private func mask(_ index: UInt64) -> UInt64 {
    let first = index &<< 6
    guard first < pageCount else { return 0 }
    let count = pageCount &- first
    return count >= 64 ? .max : (1 &<< count) &- 1
  }

  /// How many bits of `pages` are set; the first is the first of a word.
  private func countBits(in pages: Range<UInt64>) -> UInt64 {
    let end = min(pages.upperBound, pageCount)
    var page = pages.lowerBound
    var count: UInt64 = 0
    while page < end {
      guard let stored = file.storedBytes(atOrAfter: offset &+ page / 8) else { break }
      page = max(page, min(end, (stored.lowerBound &- offset) &* 8) & ~63)
      // Whole words in pieces of 64 KiB, as far as bytes are stored.
      let storedEnd = min(end, (stored.upperBound &- offset &+ 7) / 8 &* 64)
      let stop = min(storedEnd, page &+ 1 &<< 19)
      let wordCount = (stop &- page &+ 63) / 64
      guard wordCount > 0 else { break }
      count &+= countBits(words: page / 64, wordCount, end: end)
      page &+= wordCount &* 64
    }
    return count
  }

  private func countBits(words first: UInt64, _ wordCount: UInt64, end: UInt64) -> UInt64 {
    file.withBytes(at: offset &+ first &* 8, count: wordCount &* 8) { bytes in
      var count = 0
      for index in 0..<Int(wordCount) {
        var word = UInt64(littleEndian: bytes.word(atByte: index &* 8) ?? 0)
        let left = end &- (first &+ UInt64(index)) &* 64
        if left < 64 { word &= (1 &<< left) &- 1 }
        count &+= word.nonzeroBitCount
      }
      return UInt64(count)
    } ?? 0
  }
}
