public import MemoryAccess

extension BuddyAllocator {
  /// Makes frames the allocator's, in use at first: they are free once they are freed.
  ///
  /// Frames managed already stay as they are. Frame 0, whose address means "none", and the pages of
  /// the map are left out, and so is what the map does not cover.
  ///
  /// - Complexity: O(1) of the first run that an allocator manages, otherwise O(frames / 64).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  @inlinable
  public mutating func manage(_ range: FrameRange) {
    for side in 0..<2 {
      let part = manageablePart(of: range, side)
      if part.frameCount == 0 { continue }
      if managedCount == 0 {
        managedRun = part
        managedCount = part.frameCount
        continue
      }
      for side in 0..<2 {
        let new = partOutsideRun(of: part, side)
        if new.frameCount > 0 { managedCount &+= managed.set(new, isMember: true, in: map) }
      }
    }
  }

  /// Makes frames the allocator's, and frees those that were not managed before.
  ///
  /// - Complexity: O(frames / 64 + maximal blocks · orders · log frames).
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  @inlinable
  public mutating func manageFree(_ range: FrameRange) {
    for side in 0..<2 {
      let part = manageablePart(of: range, side)
      for side in 0..<2 {
        let new = partOutsideRun(of: part, side)
        if new.frameCount > 0 { manageFreeInMap(new) }
      }
    }
  }

  /// Frees frames that are managed and in use, without a look at whether they are.
  ///
  /// For a builder that goes through what is in use by address and frees what is between.
  ///
  /// - Precondition: all frames of `range` are managed, and none is free.
  /// - Complexity: O(maximal blocks).
  @inlinable
  package mutating func freeUnchecked(_ range: FrameRange) {
    releaseRun(range.start.rawValue, range.frameCount)
  }

  /// Manages and frees those frames of `part` that the map does not hold as managed.
  @inlinable
  mutating func manageFreeInMap(_ part: FrameRange) {
    var rest = part
    while let start = managed.first(in: rest, isMember: false, in: map) {
      let tail = FrameRange(start: start, frameCount: rest.end.rawValue &- start.rawValue)
      let end = managed.first(in: tail, isMember: true, in: map) ?? tail.end
      let new = FrameRange(start: start, frameCount: end.rawValue &- start.rawValue)
      managedCount &+= managed.set(new, isMember: true, in: map)
      releaseRun(new.start.rawValue, new.frameCount)
      rest = FrameRange(start: end, frameCount: rest.end.rawValue &- end.rawValue)
    }
  }

  /// The part of `range` before ``managedRun`` (`side` 0) or after it (1); it may be empty.
  @inlinable
  func partOutsideRun(of range: FrameRange, _ side: Int) -> FrameRange {
    if managedRun.frameCount == 0 {
      return side == 0 ? range : FrameRange(start: range.end, frameCount: 0)
    }
    return part(of: range, outside: managedRun, side)
  }

  /// The part of `range` that can be managed, before the map (`side` 0) or after it (1); it may be empty.
  @inlinable
  func manageablePart(of range: FrameRange, _ side: Int) -> FrameRange {
    let first = max(range.start.rawValue, frames.start.rawValue, 1)
    let end = min(range.end.rawValue, frames.end.rawValue)
    guard first < end else { return FrameRange(start: range.start, frameCount: 0) }
    return part(
      of: FrameRange(start: FrameNumber(first), frameCount: end &- first),
      outside: FrameRange(within: mapRange, in: geometry), side)
  }

  @inlinable
  func part(of range: FrameRange, outside hole: FrameRange, _ side: Int) -> FrameRange {
    let first = side == 0 ? range.start.rawValue : max(range.start.rawValue, hole.end.rawValue)
    let end = side == 0 ? min(range.end.rawValue, hole.start.rawValue) : range.end.rawValue
    return FrameRange(start: FrameNumber(first), frameCount: first < end ? end &- first : 0)
  }

  /// An allocator of what is free, as a successor builds it from the predecessor's tree.
  ///
  /// Everything outside `ranges` is a hole; ``manage(_:)`` adds what is in use and may be freed
  /// later, within ``frames``. The map takes the first pages of the lowest range that has room.
  ///
  /// - Parameter memory: the memory.
  /// - Parameter geometry: the page size, and what follows from it.
  /// - Parameter maximumOrder: the largest order of a block.
  /// - Parameter ranges: what is free. Frames named twice count once.
  /// - Throws: ``BuddyAllocatorError/noRoomForMap(byteCount:)`` when no range has room for the map.
  /// - Precondition: the frames exist below 2^64 bytes, and the first pages of the lowest range that
  ///   is large enough can be written.
  /// - Complexity: O(ranges + maximal blocks), and the map is cleared.
  public init(
    free ranges: some Collection<FrameRange>, in memory: Memory, geometry: PageGeometry,
    maximumOrder: PageOrder = linuxMaximumOrder
  ) throws(BuddyAllocatorError) {
    var first = UInt64.max
    var end: UInt64 = 0
    for range in ranges where range.frameCount > 0 {
      first = min(first, max(range.start.rawValue, 1))
      end = max(end, range.end.rawValue)
    }
    guard first < end else { throw .noRoomForMap(byteCount: 0) }
    let covered = FrameRange(start: FrameNumber(first), frameCount: end &- first)
    let byteCount = Self.mapByteCount(
      covering: covered, maximumOrder: maximumOrder, in: geometry)
    let frameCount = byteCount &>> UInt64(geometry.shift)
    var place: UInt64?
    for range in ranges {
      let start = max(range.start.rawValue, 1)
      if start < range.end.rawValue, range.end.rawValue &- start >= frameCount {
        place = min(place ?? start, start)
      }
    }
    guard let place else { throw .noRoomForMap(byteCount: byteCount) }
    self.init(
      in: memory, geometry: geometry, covering: covered, maximumOrder: maximumOrder,
      mapAt: FrameNumber(place).address(in: geometry))
    for range in ranges { manageFree(range) }
  }

  /// The allocator that takes over from the early one.
  ///
  /// It manages all whole frames of the memory that `filter` includes; those that are not reserved
  /// are free, and what is reserved now may be freed later. The map is reserved in `memblock`, which
  /// must hand nothing out from here on.
  ///
  /// - Parameter memblock: the early allocator.
  /// - Parameter maximumOrder: the largest order of a block.
  /// - Parameter filter: without one, all memory but what must not be mapped and scratch memory, in which
  ///   nothing may be preserved. The map is never in scratch memory.
  /// - Throws: ``BuddyAllocatorError/noRoomForMap(byteCount:)`` when the early allocator has no
  ///   memory for the map.
  /// - Complexity: O(regions · log regions + maximal blocks), and the map is cleared.
  public init(
    from memblock: inout Memblock<Memory>, maximumOrder: PageOrder = linuxMaximumOrder,
    _ filter: RegionFilter = RegionFilter(excluded: [.noMap, .scratch])
  ) throws(BuddyAllocatorError) {
    let geometry = memblock.geometry
    let bounds = memblock.memoryBounds.map { FrameRange(within: $0, in: geometry) }
    guard let bounds, bounds.end.rawValue > 1, bounds.frameCount > 0 else {
      throw .noRoomForMap(byteCount: 0)
    }
    let byteCount = Self.mapByteCount(
      covering: bounds, maximumOrder: maximumOrder, in: geometry)
    let map: PhysicalRange
    do throws(MemblockError) {
      map = try memblock.allocate(MemblockRequest(byteCount: byteCount))
    } catch {
      throw .noRoomForMap(byteCount: byteCount)
    }
    self.init(
      in: memblock.memory, geometry: geometry, covering: bounds, maximumOrder: maximumOrder,
      mapAt: map.start)
    // What is free comes first: frames are freed when they become managed.
    memblock.forEachFreeRange(filter) { manageFree(FrameRange(within: $0.range, in: geometry)) }
    memblock.forEachMemoryRegion {
      if filter.includes($0) { manage(FrameRange(within: $0.range, in: geometry)) }
    }
  }
}
