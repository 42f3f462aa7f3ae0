import MemoryAccess

/// Reads the runs of one order, by address.
///
/// Keeps a copy of the bitmap it reads: the merge of many orders goes back and forth between them,
/// and a copy cannot change under it.
struct BlockRunCursor<Memory: PhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  private let bitmaps: ArraySlice<BlockBitmap>

  private var nextBitmap: Int
  private var current: BlockBitmap
  private var words: [UInt64] = []
  /// Where to look on in `words`, and where the current bitmap's bits end.
  private var bit = 0
  private var endBit = 0

  /// - Precondition: `bitmaps` is not empty, of one order, and sorted.
  init(_ bitmaps: ArraySlice<BlockBitmap>, in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    self.bitmaps = bitmaps
    nextBitmap = bitmaps.startIndex
    current = bitmaps[bitmaps.startIndex]
  }

  /// The next run; nil after the last.
  mutating func next() -> BlockRun? {
    while true {
      if let start = firstSetBit() {
        var count = endOfRun(from: start) &- start
        let address = current.start.rawValue &+ blockByteCount &* UInt64(start &- current.firstBit)
        var total = UInt64(count)
        // A run may go on at the start of the next bitmap.
        while bit == endBit, continues(), load() {
          // `endOfRun` moves `bit`, so where it starts is kept first.
          let first = bit
          count = endOfRun(from: first) &- first
          if count == 0 { break }
          total &+= UInt64(count)
        }
        return BlockRun(
          address: PhysicalAddress(address), order: current.order, blockCount: total)
      }
      if !load() { return nil }
    }
  }

  private var blockByteCount: UInt64 { geometry.blockByteCount(current.order) }

  /// Whether the next bitmap begins where the current one ends.
  private func continues() -> Bool {
    guard nextBitmap < bitmaps.endIndex else { return false }
    let end = current.start.rawValue &+ blockByteCount &* UInt64(current.bitCount)
    return bitmaps[nextBitmap].start.rawValue == end
  }

  private mutating func load() -> Bool {
    guard nextBitmap < bitmaps.endIndex else { return false }
    current = bitmaps[nextBitmap]
    nextBitmap += 1
    let wordCount = Int(current.bytes.byteCount / 8)
    if words.count != wordCount { words = [UInt64](repeating: 0, count: wordCount) }
    let isRead: Void? = memory.withBytes(in: current.bytes) { bytes in
      for index in 0..<wordCount { words[index] = bytes.word(atByte: index &* 8) ?? 0 }
    }
    memory.finishedReading(current.bytes)
    bit = current.firstBit
    // Bytes that were there for the survey and are gone now mark nothing.
    endBit = isRead == nil ? bit : bit &+ current.bitCount
    return true
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
