package import MemoryAccess

/// Copies the words of a bitmap; false if its bytes cannot be read.
///
/// The walks over entries take this closure, and call it once for each bitmap, instead of being generic over the
/// memory: so the compiler has all types of the code that runs for each run of entries.
typealias BitmapReading = (_ bytes: PhysicalRange, _ words: inout [UInt64]) -> Bool

/// Entries of one order that a walk may pass over together: all that one leaf or bitmap marks, except for its last
/// run.
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
  /// Whether the caller was asked if it passes over the rest of the current bitmap.
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
  ///   - limit: where the next entry of another order begins; `nil` if none follows.
  ///   - passes: whether a stretch is to be passed over.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
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

  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func load(_ read: BitmapReading) -> Bool {
    guard nextBitmap < bitmaps.endIndex else { return false }
    current = bitmaps[nextBitmap]
    nextBitmap += 1
    bit = current.firstBit
    isAsked = false
    // Bytes that were there for the survey and are gone now mark nothing.
    endBit = read(current.bytes, &words) ? bit &+ current.bitCount : bit
    return true
  }

  /// The next run, with nothing passed over.
  mutating func next(_ read: BitmapReading) -> BlockRun? {
    isAsked = true
    let run = next(before: nil, read) { _ in false }
    isAsked = false
    return run
  }

  /// Moves to the last run of the current bitmap, if what is before it is to be passed over.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
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
    // The bitmaps of a damaged structure can overlap each other.
    if let limit, limit <= last { return }
    if nextBitmap < bitmaps.endIndex, bitmaps[nextBitmap].start <= last { return }
    let blockCount = countOfBits(bit..<lastRun)
    guard blockCount > 0 else { return }
    if passes(BlockStretch(range: range, order: current.order, blockCount: blockCount)) {
      bit = lastRun
    }
  }

  private func countOfBits(_ range: Range<Int>) -> UInt64 {
    // SAFETY: words have no padding.
    let bytes = unsafe words.span.bytes
    return bytes.countOfBits(from: range.lowerBound, count: range.count)
  }

  /// Where the last run of set bits from `bit` on begins; `nil` if no bit is set.
  private func startOfLastRun() -> Int? {
    // SAFETY: words have no padding.
    let bytes = unsafe words.span.bytes
    guard let last = bytes.lastBit(in: bit..<endBit, isSet: true) else { return nil }
    return (bytes.lastBit(in: bit..<last, isSet: false) ?? (bit &- 1)) &+ 1
  }

  /// Moves to the first set bit at or after `bit`.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
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
  #if hasFeature(Embedded)
    @inline(never)
  #endif
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
  /// Copies the words of `bytes`, as many as those have; see ``BitmapReading``.
  func copyWords(of bytes: PhysicalRange, to words: inout [UInt64]) -> Bool {
    let wordCount = Int(bytes.byteCount / 8)
    if words.count != wordCount { words = [UInt64](repeating: 0, count: wordCount) }
    let isRead: Void? = withBytes(in: bytes) { bytes in
      for index in words.indices { words[index] = bytes.word(atByte: index &* 8) ?? 0 }
    }
    finishedReading(bytes)
    return isRead != nil
  }
}
