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
    let first = frames.start.rawValue
    let run = managedRun
    for index in 0..<FrameSet.wordCount(for: frames) {
      // Which frames of the word are of the run, without a look at the map.
      let start = first &+ index &* 64
      let low = max(start, run.start.rawValue)
      let high = min(start &+ 64, run.end.rawValue)
      var mask: UInt64 = 0
      if low < high { mask = (UInt64.max &>> (64 &- (high &- low))) &<< (low &- start) }
      if mask != .max { mask |= map.load(managed.firstWord &+ index) }
      let word = map.load(used &+ index)
      let free = mask & ~word
      if free != word { map.store(free, at: used &+ index) }
    }
  }

  /// Makes of two free buddies of `order` one free block of the next.
  ///
  /// - Returns: whether one exists.
  @inlinable
  mutating func joinBuddies(order: Int) -> Bool {
    let lower = freeBlocks[order]
    let upper = freeBlocks[order &+ 1]
    let lowerWordCount = (lower.bitCount &+ 63) &>> 6
    // Where the first block of the map is the second of its pair, pairs begin one bit earlier.
    let shift = frames.start.rawValue &>> UInt64(order) & 1
    let first = map.start.rawValue &+ lower.firstWord &* 8
    return memory.withWords(
      at: PhysicalAddress(first), count: Int(truncatingIfNeeded: lowerWordCount)
    ) { words in
      var hasPairs = false
      for index in 0..<(upper.bitCount &+ 63) &>> 6 {
        let at = Int(truncatingIfNeeded: index &* 2)
        let before = shift == 0 || at == 0 ? 0 : words.load(at &- 1)
        let one = at < words.count ? words.load(at) : 0
        let two = at &+ 1 < words.count ? words.load(at &+ 1) : 0
        if one | two | before == 0 { continue }
        let low = shift == 0 ? one : one &<< 1 | before &>> 63
        let high = shift == 0 ? two : two &<< 1 | one &>> 63
        let lowPairs = low & low &>> 1 & 0x5555_5555_5555_5555
        let highPairs = high & high &>> 1 & 0x5555_5555_5555_5555
        if lowPairs | highPairs == 0 { continue }
        hasPairs = true
        let lowTaken = lowPairs | lowPairs &<< 1
        let highTaken = highPairs | highPairs &<< 1
        if shift == 0 {
          words.store(one & ~lowTaken, at: at)
          if at &+ 1 < words.count { words.store(two & ~highTaken, at: at &+ 1) }
        } else {
          if at > 0 { words.store(before & ~(lowTaken &<< 63), at: at &- 1) }
          if at < words.count {
            words.store(one & ~(lowTaken &>> 1 | highTaken &<< 63), at: at)
          }
          if at &+ 1 < words.count { words.store(two & ~(highTaken &>> 1), at: at &+ 1) }
        }
        map.store(
          Self.everyOther(lowPairs) | Self.everyOther(highPairs) &<< 32,
          at: upper.firstWord &+ index)
      }
      return hasPairs
    }
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

  /// Counts the free blocks of `order`, and makes the levels above their bits.
  @inlinable
  mutating func summarize(order: Int) {
    var start = freeBlocks[order].firstWord
    var wordCount = (freeBlocks[order].bitCount &+ 63) &>> 6
    var count: UInt64 = 0
    var isLowest = true
    while true {
      let above = start &+ wordCount
      var summary: UInt64 = 0
      for index in 0..<wordCount {
        let word = map.load(start &+ index)
        if isLowest { count &+= UInt64(truncatingIfNeeded: word.nonzeroBitCount) }
        summary |= (word == 0 ? 0 : 1) &<< (index & 63)
        if wordCount > 1, index & 63 == 63 || index &+ 1 == wordCount {
          if summary != 0 { map.store(summary, at: above &+ index &>> 6) }
          summary = 0
        }
      }
      isLowest = false
      if wordCount == 1 { break }
      start = above
      wordCount = (wordCount &+ 63) &>> 6
    }
    freeBlockCounts[order] = count
    freeCount &+= count &<< UInt64(order)
    if count > 0 { ordersWithFreeBlocks |= 1 &<< UInt64(order) }
  }
}
