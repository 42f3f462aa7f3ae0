public import MemoryAccess

/// Builds a page allocator from what is in use, named in any order.
///
/// Freeing all memory first and taking out each run splits blocks over and over. Here a run costs the words
/// of its bits, and all orders together cost two passes over the map. Threads can share the work by parts of memory:
///
///     let marker = builder.marker(thread, of: threadCount)
///     tree.forEachRange(overlapping: …) { marker.use(…) }     // on each thread
///     let joined = marker.join()
///     var allocator = builder.finish(joining: [joined, …])    // when all have ended
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
      frames, words: 0..<FrameSet.wordCount(for: frames), in: allocator, joinedOrderCount: 0)
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

  /// What marks the frames in use of one of `partCount` parts that are about equally large; a part may be empty.
  ///
  /// - Precondition: `part` is in `0..<partCount`. All frames are managed already, and all markers are done before
  ///   ``finish()``; what each thread stored is visible to the thread that calls it.
  /// - Complexity: O(1).
  @inlinable
  public func marker(_ part: Int, of partCount: Int) -> UsedFrameMarker<Memory> {
    require(that: part >= 0 && part < partCount, "a part that does not exist")
    let frames = all.frames
    let wordCount = FrameSet.wordCount(for: frames)
    let (index, count) = (UInt64(part), UInt64(partCount))
    // A part consists of whole words of each order that it joins. With fewer frames, a part joins fewer orders.
    var joinedOrderCount = min(
      Int(allocator.maximumOrder.rawValue), frames.start.rawValue.trailingZeroBitCount)
    while joinedOrderCount > 0, wordCount &>> UInt64(joinedOrderCount) < 8 &* count {
      joinedOrderCount &-= 1
    }
    let unit: UInt64 = 1 &<< UInt64(joinedOrderCount)
    let unitCount = (wordCount &+ unit &- 1) &>> UInt64(joinedOrderCount)
    // Without a product that can be too large.
    func word(_ index: UInt64) -> UInt64 {
      min(unit &* (unitCount / count &* index &+ min(index, unitCount % count)), wordCount)
    }
    let words = word(index)..<word(index &+ 1)
    let start = min(frames.start.rawValue &+ words.lowerBound &* 64, frames.end.rawValue)
    let end = min(frames.start.rawValue &+ words.upperBound &* 64, frames.end.rawValue)
    return UsedFrameMarker(
      FrameRange(start: FrameNumber(start), frameCount: end &- start), words: words, in: allocator,
      joinedOrderCount: joinedOrderCount)
  }

  /// The allocator.
  ///
  /// - Complexity: O(map).
  @inlinable
  public consuming func finish() -> BuddyAllocator<Memory> {
    var allocator = allocator
    let maker = FreeBlockMaker(allocator)
    maker.invertUsed(words: 0..<FrameSet.wordCount(for: allocator.frames))
    allocator.summarize(joining: maker, from: 0)
    return allocator
  }

  /// The allocator, from parts whose free frames were joined by the threads that marked the others.
  ///
  /// - Parameter parts: what ``UsedFrameMarker/join()`` returned for all parts, in order.
  /// - Precondition: all parts are there, and since their markers were made, no frame was managed.
  /// - Complexity: O(map).
  @inlinable
  public consuming func finish(joining parts: [JoinedFrames]) -> BuddyAllocator<Memory> {
    var allocator = allocator
    var end = allocator.frames.start
    for part in parts {
      require(
        that: part.frames.start == end && part.orderCount == parts[0].orderCount
          && part.managedFrameCount == allocator.managedFrameCount,
        "parts that are not those of one allocator")
      end = part.frames.end
    }
    require(that: end == allocator.frames.end, "a part that was not joined")
    allocator.summarize(joining: FreeBlockMaker(allocator), from: parts[0].orderCount)
    return allocator
  }
}

extension BuddyAllocator {
  /// Joins the blocks of each order from `order` on, and counts the free blocks of all orders.
  @inlinable
  mutating func summarize(joining maker: FreeBlockMaker<Memory>, from order: Int) {
    for order in 0..<order { summarize(order: order) }
    for order in order...Int(maximumOrder.rawValue) {
      let hasPairs = order < Int(maximumOrder.rawValue) && maker.joinBuddies(order: order)
      summarize(order: order)
      if !hasPairs { break }
    }
  }
}
