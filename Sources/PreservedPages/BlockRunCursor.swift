package import MemoryAccess

/// Copies the words of a bitmap; false where its bytes cannot be read.
///
/// The walks over entries call it once for each bitmap and are not generic otherwise, so that what is done for
/// each run is compiled for its types.
typealias BitmapReading = (_ bytes: PhysicalRange, _ words: inout [UInt64]) -> Bool

/// Entries of one order that a walk may pass over together: what the bits of one leaf or bitmap mark, up to
/// the last run of it.
package struct BlockStretch: Hashable, Sendable {
  /// The bytes in which all of the entries are. No other entry begins there.
  package let range: PhysicalRange
  /// The order of each entry.
  package let order: PageOrder
  /// The number of entries, 1 or more.
  package let blockCount: UInt64
}

/// Reads the runs of one order, by address.
///
/// Keeps a copy of the bitmap it reads: the merge of many orders goes back and forth between them,
/// and a copy cannot change under it.
struct BlockRunCursor {
  private let geometry: PageGeometry
  private let bitmaps: ArraySlice<BlockBitmap>

  private var nextBitmap: Int
  private var current: BlockBitmap
  private var words: [UInt64] = []
  /// Where to look on in `words`, and where the current bitmap's bits end.
  private var bit = 0
  private var endBit = 0
  /// Whether the rest of the current bitmap can be passed over was asked.
  private var isAsked = false

  /// - Precondition: `bitmaps` is not empty, of one order, and sorted.
  init(_ bitmaps: ArraySlice<BlockBitmap>, geometry: PageGeometry) {
    self.geometry = geometry
    self.bitmaps = bitmaps
    nextBitmap = bitmaps.startIndex
    current = bitmaps[bitmaps.startIndex]
  }

  /// The next run; nil after the last.
  ///
  /// - Parameters:
  ///   - limit: the first entry of the other orders; nil where they have none.
  ///   - passes: whether a stretch is to be passed over.
  mutating func next(
    before limit: PhysicalAddress?, _ read: BitmapReading,
    passingOver passes: (BlockStretch) -> Bool
  ) -> BlockRun? {
    while true {
      if !isAsked, bit < endBit {
        isAsked = true
        passOver(before: limit, passes)
      }
      if let start = firstSetBit() {
        var count = endOfRun(from: start) &- start
        let address = current.start.rawValue &+ blockByteCount &* UInt64(start &- current.firstBit)
        var total = UInt64(count)
        // A run may go on at the start of the next bitmap.
        while bit == endBit, continues(), load(read) {
          // `endOfRun` moves `bit`, so where it starts is kept first.
          let first = bit
          count = endOfRun(from: first) &- first
          if count == 0 { break }
          total &+= UInt64(count)
        }
        return BlockRun(
          address: PhysicalAddress(address), order: current.order, blockCount: total)
      }
      if !load(read) { return nil }
    }
  }

  private var blockByteCount: UInt64 { geometry.blockByteCount(current.order) }

  /// Whether the next bitmap begins where the current one ends.
  private func continues() -> Bool {
    guard nextBitmap < bitmaps.endIndex else { return false }
    let end = current.start.rawValue &+ blockByteCount &* UInt64(current.bitCount)
    return bitmaps[nextBitmap].start.rawValue == end
  }

  private mutating func load(_ read: BitmapReading) -> Bool {
    guard nextBitmap < bitmaps.endIndex else { return false }
    current = bitmaps[nextBitmap]
    nextBitmap += 1
    let wordCount = Int(current.bytes.byteCount / 8)
    if words.count != wordCount { words = [UInt64](repeating: 0, count: wordCount) }
    bit = current.firstBit
    isAsked = false
    // Bytes that were there for the survey and are gone now mark nothing.
    endBit = read(current.bytes, &words) ? bit &+ current.bitCount : bit
    return true
  }

  /// The next run, where nothing is passed over.
  mutating func next(_ read: BitmapReading) -> BlockRun? {
    isAsked = true
    let run = next(before: nil, read) { _ in false }
    isAsked = false
    return run
  }

  /// Moves to the last run of the current bitmap, if what is before it is to be passed over.
  private mutating func passOver(
    before limit: PhysicalAddress?, _ passes: (BlockStretch) -> Bool
  ) {
    guard let lastRun = startOfLastRun(), lastRun > bit else { return }
    let start = current.start.rawValue &+ blockByteCount &* UInt64(bit &- current.firstBit)
    let (byteCount, overflow) = blockByteCount.multipliedReportingOverflow(
      by: UInt64(lastRun &- bit))
    guard !overflow,
      let range = PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount),
      let last = range.last
    else { return }
    // Of a damaged structure, bitmaps overlap each other.
    if let limit, limit <= last { return }
    if nextBitmap < bitmaps.endIndex, bitmaps[nextBitmap].start <= last { return }
    let blockCount = words.countOfBits(bit..<lastRun)
    guard blockCount > 0 else { return }
    if passes(BlockStretch(range: range, order: current.order, blockCount: blockCount)) {
      bit = lastRun
    }
  }

  /// Where the last run of set bits from `bit` on begins; nil where no bit is set.
  private func startOfLastRun() -> Int? {
    guard var end = words.lastBit(in: bit..<endBit, isSet: true) else { return nil }
    end = words.lastBit(in: bit..<end, isSet: false) ?? (bit &- 1)
    return end &+ 1
  }

  /// Moves to the first set bit at or after `bit`.
  private mutating func firstSetBit() -> Int? {
    while bit < endBit {
      let word = words[bit &>> 6] &>> UInt64(bit & 63)
      if word != 0 {
        let found = bit &+ word.trailingZeroBitCount
        if found >= endBit { break }
        bit = found
        return found
      }
      bit = (bit | 63) &+ 1
    }
    bit = endBit
    return nil
  }

  /// Moves behind the run of set bits that begins at `start`.
  private mutating func endOfRun(from start: Int) -> Int {
    bit = start
    while bit < endBit {
      let rest = ~(words[bit &>> 6] &>> UInt64(bit & 63))
      // Zeros were shifted in from above, so a full rest of the word ends exactly at its end.
      let length = rest.trailingZeroBitCount
      let inWord = bit & 63
      bit &+= length
      if length < 64 &- inWord { break }
    }
    bit = min(bit, endBit)
    return bit
  }
}

extension PhysicalMemory {
  /// Copies the words of `bytes`; see ``BitmapReading``.
  func copyWords(of bytes: PhysicalRange, to words: inout [UInt64]) -> Bool {
    let isRead: Void? = withBytes(in: bytes) { bytes in
      for index in words.indices { words[index] = bytes.word(atByte: index &* 8) ?? 0 }
    }
    finishedReading(bytes)
    return isRead != nil
  }
}

extension [UInt64] {
  /// How many of the bits in `range` are set.
  fileprivate func countOfBits(_ range: Range<Int>) -> UInt64 {
    var count = 0
    var bit = range.lowerBound
    while bit < range.upperBound {
      let taken = Swift.min(64 &- bit & 63, range.upperBound &- bit)
      let mask = (UInt64.max &>> UInt64(64 &- taken)) &<< UInt64(bit & 63)
      count &+= (self[bit &>> 6] & mask).nonzeroBitCount
      bit &+= taken
    }
    return UInt64(count)
  }

  /// The last bit in `range` that is set, or that is not; nil where there is none.
  fileprivate func lastBit(in range: Range<Int>, isSet: Bool) -> Int? {
    var end = range.upperBound
    while end > range.lowerBound {
      // The bits of one word, below `end`.
      let first = Swift.max((end &- 1) & ~63, range.lowerBound)
      let word = isSet ? self[first &>> 6] : ~self[first &>> 6]
      let mask = (UInt64.max &>> UInt64(64 &- (end &- first))) &<< UInt64(first & 63)
      let found = word & mask
      if found != 0 { return (first & ~63) &+ 63 &- found.leadingZeroBitCount }
      end = first
    }
    return nil
  }
}
