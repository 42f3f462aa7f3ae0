public import MemoryAccess

/// Makes free blocks of the bits of used frames, in the map of a page allocator.
///
///     used      0110 0001 1000 …        1. a bit for each frame that is in use
///     order 0   1001 0000 0111 …        2. the managed frames that are not
///     order 1    0 0  1 1  0 1 …        3. two neighbours become one block of the next order, for 64
///     order 2     0    1    0  …           pairs in a few instructions
///
/// Threads can share the work by parts of memory. Two parts have no word in common in any order that is joined by parts.
@frozen
@usableFromInline
struct FreeBlockMaker<Memory: WritablePhysicalMemory> {
  @usableFromInline
  let map: FrameMap<Memory>
  @usableFromInline
  let frames: FrameRange
  @usableFromInline
  let managed: FrameSet
  @usableFromInline
  let managedRun: FrameRange
  @usableFromInline
  let freeBlocks: InlineArray<64, BitPyramid>

  /// For the map of `allocator`, which manages all of its frames already.
  @inlinable
  init(_ allocator: borrowing BuddyAllocator<Memory>) {
    map = allocator.map
    frames = allocator.frames
    managed = allocator.managed
    managedRun = allocator.managedRun
    freeBlocks = allocator.freeBlocks
  }

  /// Makes of the bits of used frames, in the place of the free blocks of order 0, those of free frames.
  @inlinable
  func invertUsed(words: Range<UInt64>) {
    let used = freeBlocks[0].firstWord
    // All frames of the words between are of the run.
    var (low, high) = (words.upperBound, words.upperBound)
    if managedRun.frameCount > 0 {
      let first = (managedRun.start.rawValue &- frames.start.rawValue &+ 63) &>> 6
      let end = (managedRun.end.rawValue &- frames.start.rawValue) &>> 6
      low = min(max(first, words.lowerBound), words.upperBound)
      high = min(max(end, low), words.upperBound)
    }
    for index in words.lowerBound..<low { invertUsed(word: index) }
    map.withWords(from: used &+ low, count: high &- low) { words in
      for index in 0..<words.count { words.store(~words.load(index), at: index) }
    }
    for index in high..<words.upperBound { invertUsed(word: index) }
  }

  /// The same for one word, of whose frames some may be outside the run.
  @inlinable
  func invertUsed(word index: UInt64) {
    let used = freeBlocks[0].firstWord &+ index
    let start = frames.start.rawValue &+ index &* 64
    let low = max(start, managedRun.start.rawValue)
    let high = min(start &+ 64, managedRun.end.rawValue)
    var mask = map.load(managed.firstWord &+ index)
    if low < high { mask |= (UInt64.max &>> (64 &- (high &- low))) &<< (low &- start) }
    let word = map.load(used)
    let free = mask & ~word
    if free != word { map.store(free, at: used) }
  }

  /// Makes of two free buddies of `order` one free block of the next.
  ///
  /// - Returns: whether one exists.
  @inlinable
  func joinBuddies(order: Int) -> Bool {
    let upperWordCount = (freeBlocks[order &+ 1].bitCount &+ 63) &>> 6
    let lowerWordCount = (freeBlocks[order].bitCount &+ 63) &>> 6
    // Where the first block of the map is the second of its pair, pairs begin one bit earlier.
    return frames.start.rawValue &>> UInt64(order) & 1 == 0
      ? joinBuddies(order: order, 0..<lowerWordCount, into: 0..<upperWordCount, 0)
      : joinBuddies(order: order, 0..<lowerWordCount, into: 0..<upperWordCount, 1)
  }

  /// Joins buddies of each order below `order`, in the words that contain the blocks of the frames in `words` of order 0.
  ///
  /// - Precondition: the first frame of the map, and that of `words`, is the first of a word of `order`; the last is the
  ///   last of one or of the map.
  @inlinable
  func joinBuddies(below order: Int, words: Range<UInt64>) {
    for lower in 0..<order {
      // A bound inside a word is the end of the map.
      func place(_ bound: UInt64, _ order: Int) -> UInt64 {
        (bound &+ (1 &<< UInt64(order)) &- 1) &>> UInt64(order)
      }
      let lowerWords = place(words.lowerBound, lower)..<place(words.upperBound, lower)
      let upperWords = place(words.lowerBound, lower &+ 1)..<place(words.upperBound, lower &+ 1)
      if !joinBuddies(order: lower, lowerWords, into: upperWords, 0) { return }
    }
  }

  /// Makes blocks in `upperWords` of the order behind `order`, of those in `lowerWords`.
  @inlinable
  @inline(__always)
  func joinBuddies(
    order: Int, _ lowerWords: Range<UInt64>, into upperWords: Range<UInt64>, _ shift: UInt64
  ) -> Bool {
    // The words of the upper order are behind those of the lower.
    let lower = freeBlocks[order].firstWord &+ lowerWords.lowerBound
    let upper = freeBlocks[order &+ 1].firstWord &+ upperWords.lowerBound
    let behind = Int(truncatingIfNeeded: upper &- lower)
    let count = Int(truncatingIfNeeded: lowerWords.upperBound &- lowerWords.lowerBound)
    let upperCount = Int(truncatingIfNeeded: upperWords.upperBound &- upperWords.lowerBound)
    return map.withWords(from: lower, count: UInt64(behind &+ upperCount)) { words in
      Self.joinBuddies(words, count: count, into: behind..<behind &+ upperCount, shift)
    }
  }

  /// Joins the buddies in the first `count` words, where pairs begin `shift` bits before a word.
  @inlinable
  @inline(__always)
  static func joinBuddies(
    _ words: borrowing MemoryWords, count: Int, into upperWords: Range<Int>, _ shift: UInt64
  ) -> Bool {
    var hasPairs = false
    // The word before each two.
    var before: UInt64 = 0
    var at = 0
    for place in upperWords {
      // At the end of the map, the second word may be missing, or both.
      let isWhole = at &+ 1 < count
      let one = isWhole || at < count ? words.load(at) : 0
      let two = isWhole ? words.load(at &+ 1) : 0
      let low = one &<< shift | before &>> 63 & shift
      let high = two &<< shift | one &>> 63 & shift
      let lowPairs = low & low &>> 1 & 0x5555_5555_5555_5555
      let highPairs = high & high &>> 1 & 0x5555_5555_5555_5555
      if lowPairs | highPairs != 0 {
        hasPairs = true
        let lowTaken = lowPairs | lowPairs &<< 1
        let highTaken = highPairs | highPairs &<< 1
        if lowTaken & shift != 0 { words.store(before & (.max &>> 1), at: at &- 1) }
        before = two & ~(highTaken &>> shift)
        let rest = one & ~(lowTaken &>> shift | (highTaken & shift) &<< 63)
        if isWhole {
          words.store(rest, at: at)
          words.store(before, at: at &+ 1)
        } else if at < count {
          words.store(rest, at: at)
        }
        words.store(everyOther(lowPairs) | everyOther(highPairs) &<< 32, at: place)
      } else {
        before = two
      }
      at &+= 2
    }
    return hasPairs
  }

  /// The even bits of `word`, side by side in the lower half; its odd bits are 0.
  @inlinable
  @inline(__always)
  static func everyOther(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word | word &>> 1) & 0x3333_3333_3333_3333
    word = (word | word &>> 2) & 0x0f0f_0f0f_0f0f_0f0f
    word = (word | word &>> 4) & 0x00ff_00ff_00ff_00ff
    word = (word | word &>> 8) & 0x0000_ffff_0000_ffff
    return (word | word &>> 16) & 0x0000_0000_ffff_ffff
  }
}

extension FreeBlockMaker: Sendable where Memory: Sendable {}
