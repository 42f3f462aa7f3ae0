public import MemoryAccess

/// Builds a page allocator from what is in use, named in any order.
///
///     used      0110 0001 1000 …        1. a bit for each frame that is in use
///     order 0   1001 0000 0111 …        2. the managed frames that are not
///     order 1    0 0  1 1  0 1 …        3. two neighbours become one block of the next order, for 64
///     order 2     0    1    0  …           pairs in a few instructions
///
/// Threads can share the first step, which takes nearly all of the time: see ``marker(_:of:)``. Freeing all memory
/// first and taking out each run splits blocks over and over. Here a run costs the words
/// of its bits, and all orders together cost two passes over the map.
@frozen
@safe
public struct BuddyAllocatorBuilder<Memory: WritablePhysicalMemory>: ~Copyable {
  @usableFromInline
  var allocator: BuddyAllocator<Memory>
  /// What marks frames of all memory.
  @usableFromInline
  let all: UsedFrameMarker<Memory>

  /// A builder of an allocator that manages no frame yet.
  ///
  /// - Parameters and preconditions: those of
  ///   ``BuddyAllocator/init(in:geometry:covering:maximumOrder:mapAt:isMapZero:)``.
  /// - Complexity: as there.
  public init(
    in memory: Memory, geometry: PageGeometry, covering frames: FrameRange,
    maximumOrder: PageOrder = BuddyAllocator<Memory>.linuxMaximumOrder, mapAt map: PhysicalAddress,
    isMapZero: Bool = false
  ) {
    allocator = BuddyAllocator(
      in: memory, geometry: geometry, covering: frames, maximumOrder: maximumOrder, mapAt: map,
      isMapZero: isMapZero)
    all = UsedFrameMarker(
      frames, in: allocator.map, firstWord: allocator.freeBlocks[0].firstWord)
  }

  /// Makes frames the allocator's; those that are not marked as used will be free.
  ///
  /// - Complexity: as ``BuddyAllocator/manage(_:)``.
  @inlinable
  public mutating func manage(_ range: FrameRange) { allocator.manage(range) }

  /// Marks frames that are in use, managed or not; frames that the map does not cover are passed over.
  ///
  /// - Complexity: O(frames / 64).
  @inlinable
  public mutating func use(_ range: FrameRange) { all.use(range) }

  /// What marks the frames in use of one of `partCount` parts that are equally large, give or take 64 frames; a part
  /// may be empty.
  ///
  /// - Precondition: `part` is in `0..<partCount`. All markers are done before ``finish()``, and what each thread
  ///   stored is visible to the thread that calls it.
  /// - Complexity: O(1).
  @inlinable
  public func marker(_ part: Int, of partCount: Int) -> UsedFrameMarker<Memory> {
    require(that: part >= 0 && part < partCount, "a part that does not exist")
    let frames = all.frames
    let wordCount = FrameSet.wordCount(for: frames)
    let (index, count) = (UInt64(part), UInt64(partCount))
    // Without a product that can be too large.
    func word(_ index: UInt64) -> UInt64 {
      wordCount / count &* index &+ min(index, wordCount % count)
    }
    let first = word(index)
    let start = min(frames.start.rawValue &+ first &* 64, frames.end.rawValue)
    let end = min(frames.start.rawValue &+ word(index &+ 1) &* 64, frames.end.rawValue)
    return UsedFrameMarker(
      FrameRange(start: FrameNumber(start), frameCount: end &- start), in: all.map,
      firstWord: all.firstWord &+ first)
  }

  /// The allocator.
  ///
  /// - Complexity: O(map).
  @inlinable
  public consuming func finish() -> BuddyAllocator<Memory> {
    var allocator = allocator
    allocator.invertUsed()
    for order in 0...Int(allocator.maximumOrder.rawValue) {
      let hasPairs =
        order < Int(allocator.maximumOrder.rawValue) && allocator.joinBuddies(order: order)
      allocator.summarize(order: order)
      if !hasPairs { break }
    }
    return allocator
  }
}

extension BuddyAllocator {
  /// Makes of the bits of used frames, in the place of the free blocks of order 0, those of free frames.
  @inlinable
  mutating func invertUsed() {
    let used = freeBlocks[0].firstWord
    let wordCount = FrameSet.wordCount(for: frames)
    // All frames of the words between are of the run.
    var (low, high) = (wordCount, wordCount)
    if managedRun.frameCount > 0 {
      low = (managedRun.start.rawValue &- frames.start.rawValue &+ 63) &>> 6
      high = max(low, (managedRun.end.rawValue &- frames.start.rawValue) &>> 6)
    }
    for index in 0..<low { invertUsed(word: index) }
    map.withWords(from: used &+ low, count: high &- low) { words in
      for index in 0..<words.count { words.store(~words.load(index), at: index) }
    }
    for index in high..<wordCount { invertUsed(word: index) }
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
  mutating func joinBuddies(order: Int) -> Bool {
    let lower = freeBlocks[order]
    let upper = freeBlocks[order &+ 1]
    // The words of the upper order are behind those of the lower.
    let behind = upper.firstWord &- lower.firstWord
    let upperWordCount = (upper.bitCount &+ 63) &>> 6
    return map.withWords(from: lower.firstWord, count: behind &+ upperWordCount) { words in
      let count = Int(truncatingIfNeeded: (lower.bitCount &+ 63) &>> 6)
      let upperWords = Int(truncatingIfNeeded: behind)..<words.count
      // Where the first block of the map is the second of its pair, pairs begin one bit earlier.
      return frames.start.rawValue &>> UInt64(order) & 1 == 0
        ? Self.joinBuddies(words, count: count, into: upperWords, 0)
        : Self.joinBuddies(words, count: count, into: upperWords, 1)
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
      let one = at < count ? words.load(at) : 0
      let two = at &+ 1 < count ? words.load(at &+ 1) : 0
      let low = one &<< shift | before &>> 63 & shift
      let high = two &<< shift | one &>> 63 & shift
      let lowPairs = low & low &>> 1 & 0x5555_5555_5555_5555
      let highPairs = high & high &>> 1 & 0x5555_5555_5555_5555
      if lowPairs | highPairs != 0 {
        hasPairs = true
        let lowTaken = lowPairs | lowPairs &<< 1
        let highTaken = highPairs | highPairs &<< 1
        if lowTaken & shift != 0 { words.store(before & (.max &>> 1), at: at &- 1) }
        if at < count {
          words.store(one & ~(lowTaken &>> shift | (highTaken & shift) &<< 63), at: at)
        }
        before = two & ~(highTaken &>> shift)
        if at &+ 1 < count { words.store(before, at: at &+ 1) }
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
