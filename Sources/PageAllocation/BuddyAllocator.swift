public import MemoryAccess

/// The page allocator: blocks of 2^order frames, naturally aligned, split and joined with their
/// buddies.
///
///     order 2   │       ■       │               │      free blocks: one set of bits an order
///     order 1   │       │       │   ■   │       │
///     order 0   │   │   │   │   │   │   │   │ ■ │
///     managed   ■ ■ ■ ■ ■ ■ ■ ■ ■ ■ ■ ■ · · ■ ■        the frames that are the allocator's to give
///
/// A frame is managed or a hole; a managed frame is in exactly one free block, or is in use. Who
/// uses it, and in blocks of which order, is not recorded: a successor does not know it either when
/// it builds its allocator from the predecessor's tree, and frees what it restores in whatever
/// pieces were preserved.
///
/// All of that is in the map, some three bits a frame, in pages outside the frames it manages. The
/// free frames themselves are never touched, and nothing in the map is needed after a crash: it is
/// built anew from what is free, in one step for each range and each maximal block, besides
/// clearing the map.
///
/// The allocator is deterministic: of the smallest order that has a large enough block, the one with
/// the lowest address is taken.
@frozen
@safe
public struct BuddyAllocator<Memory: WritablePhysicalMemory>: ~Copyable {
  /// The page size.
  public let geometry: PageGeometry
  /// The frames that the map covers.
  public let frames: FrameRange
  /// The largest order of a block.
  public let maximumOrder: PageOrder
  /// Where the map is.
  public let mapRange: PhysicalRange
  /// The number of frames that are managed, in use or free.
  @inlinable
  public var managedFrameCount: UInt64 { managedCount }
  /// The number of frames that are free.
  @inlinable
  public var freeFrameCount: UInt64 { freeCount }

  @usableFromInline
  let map: FrameMap<Memory>
  @usableFromInline
  let managed: FrameSet
  /// Frames that are managed whether ``managed`` holds them or not: a run of any length is managed in one
  /// step, without touching the map.
  @usableFromInline
  var managedRun = FrameRange(start: FrameNumber(0), frameCount: 0)
  /// The free blocks of each order, and their number; a bit for each order that has one.
  @usableFromInline
  var freeBlocks: InlineArray<64, BitPyramid>
  @usableFromInline
  var freeBlockCounts = InlineArray<64, UInt64>(repeating: 0)
  @usableFromInline
  var ordersWithFreeBlocks: UInt64 = 0
  @usableFromInline
  var freeCount: UInt64 = 0
  @usableFromInline
  var managedCount: UInt64 = 0

  /// The largest order of Linux: blocks of 4 MiB with pages of 4 KiB.
  @inlinable
  public static var linuxMaximumOrder: PageOrder { PageOrder(10) }

  /// The length in bytes of the map for `frames`, a multiple of the page size.
  ///
  /// - Precondition: `frames` is not empty and ends below 2^64 bytes; `maximumOrder` is at most
  ///   that of `geometry`.
  /// - Complexity: O(orders).
  public static func mapByteCount(
    covering frames: FrameRange, maximumOrder: PageOrder, in geometry: PageGeometry
  ) -> UInt64 {
    let layout = layout(covering: frames, maximumOrder: maximumOrder, in: geometry)
    let mask = UInt64(geometry.pageByteCount) &- 1
    return (layout.wordCount &* 8 &+ mask) & ~mask
  }

  /// An allocator whose map is at `map` and which manages no frame yet.
  ///
  /// - Parameter memory: the memory.
  /// - Parameter map: the address of the map.
  /// - Parameter geometry: the page size, and what follows from it.
  /// - Parameter maximumOrder: the largest order of a block.
  /// - Parameter frames: every frame that can ever be managed. The map has bits for the holes
  ///   between them as well.
  /// - Parameter isMapZero: whether the bytes of the map are zeros already, as those of fresh memory
  ///   are; then none of it is touched before it is needed.
  /// - Precondition: ``mapByteCount(covering:maximumOrder:in:)`` bytes from `map`, which is the start
  ///   of a page, exist and have no other user; and what that asks for.
  /// - Complexity: O(map), which is cleared; O(orders) where it is zero.
  public init(
    in memory: Memory, geometry: PageGeometry, covering frames: FrameRange,
    maximumOrder: PageOrder = linuxMaximumOrder, mapAt map: PhysicalAddress,
    isMapZero: Bool = false
  ) {
    require(that: geometry.isPageAligned(map), "the map does not start at a page")
    self.geometry = geometry
    self.frames = frames
    self.maximumOrder = maximumOrder
    self.map = FrameMap(in: memory, at: map)
    let layout = Self.layout(covering: frames, maximumOrder: maximumOrder, in: geometry)
    self.freeBlocks = layout.freeBlocks
    self.managed = layout.managed
    self.mapRange = PhysicalRange(
      start: map,
      byteCount: Self.mapByteCount(covering: frames, maximumOrder: maximumOrder, in: geometry))
    if !isMapZero { memory.withWords(at: map, count: Int(layout.wordCount)) { $0.clear() } }
  }

  private static func layout(
    covering frames: FrameRange, maximumOrder: PageOrder, in geometry: PageGeometry
  ) -> (freeBlocks: InlineArray<64, BitPyramid>, managed: FrameSet, wordCount: UInt64) {
    require(that: frames.frameCount > 0, "an allocator of nothing")
    require(
      that: frames.end.rawValue &- 1 <= UInt64.max &>> UInt64(geometry.shift),
      "frame beyond 2^64 bytes")
    require(that: maximumOrder <= geometry.maximumOrder, "blocks of 2^64 bytes or more")
    let managed = FrameSet(firstWord: 0, frames: frames)
    var next = FrameSet.wordCount(for: frames)
    var freeBlocks = InlineArray<64, BitPyramid>(repeating: BitPyramid(firstWord: 0, bitCount: 0))
    for order in 0...Int(maximumOrder.rawValue) {
      let first = frames.start.rawValue &>> UInt64(order)
      let last = (frames.end.rawValue &- 1) &>> UInt64(order)
      let pyramid = BitPyramid(firstWord: next, bitCount: last &- first &+ 1)
      freeBlocks[order] = pyramid
      next &+= BitPyramid.wordCount(forBits: pyramid.bitCount)
    }
    return (freeBlocks, managed, next)
  }

  /// The memory the map is in.
  @inlinable
  public var memory: Memory { map.memory }
}
