import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// The page allocator done the obvious way: a set of frames.
///
/// Everything else follows from what is free: an aligned block whose frames are all free is one block.
struct BuddyModel: Equatable {
  let maximumOrder: Int
  var managed: Set<UInt64> = []
  var free: Set<UInt64> = []

  /// The free blocks, by address.
  var blocks: [(frame: UInt64, order: Int)] {
    var blocks: [(UInt64, Int)] = []
    var end: UInt64 = 0
    for frame in free.sorted() where frame >= end {
      var order = 0
      while order < maximumOrder, frame % (2 << UInt64(order)) == 0,
        (frame..<frame + 2 << UInt64(order)).allSatisfy(free.contains)
      {
        order += 1
      }
      blocks.append((frame, order))
      end = frame + 1 << UInt64(order)
    }
    return blocks
  }

  /// The start of the lowest run of largest blocks, all free, that hold `count` frames together.
  func firstRun(_ count: UInt64) -> UInt64? {
    let size: UInt64 = 1 << UInt64(maximumOrder)
    let whole = (count + size - 1) / size * size
    return free.sorted().first { start in
      start % size == 0 && (start..<start + whole).allSatisfy { free.contains($0) }
    }
  }

  /// The frame of the block that is taken or split for `order`.
  func firstFit(_ order: Int) -> UInt64? {
    blocks.filter { $0.order >= order }.min { ($0.order, $0.frame) < ($1.order, $1.frame) }?.frame
  }

  /// Compares everything `allocator` says with the model.
  func check<Memory>(_ allocator: borrowing BuddyAllocator<Memory>) throws {
    let shift = UInt64(allocator.geometry.shift)
    var found: [PhysicalBlock] = []
    allocator.forEachFreeBlock { found.append($0) }
    let blocks = blocks
    let expected = blocks.map {
      PhysicalBlock(address: PhysicalAddress($0.frame << shift), order: PageOrder($0.order))
    }
    try #require(found == expected)
    try #require(allocator.freeFrameCount == UInt64(free.count))
    try #require(allocator.managedFrameCount == UInt64(managed.count))
    try #require(allocator.usedFrameCount == UInt64(managed.count - free.count))
    for order in 0...maximumOrder {
      let count = blocks.filter { $0.order == order }.count
      try #require(allocator.freeBlockCount(PageOrder(order)) == UInt64(count))
      let smaller = blocks.filter { $0.order < order }.reduce(0) { $0 + 1 << $1.order }
      let fragmentation = free.isEmpty ? 0 : smaller * 1000 / free.count
      try #require(allocator.fragmentation(PageOrder(order)) == fragmentation)
    }
    try #require(allocator.largestFreeOrder.map { Int($0.rawValue) } == blocks.map(\.order).max())
    for frame in allocator.frames.start.rawValue..<allocator.frames.end.rawValue {
      try #require(allocator.isFree(FrameNumber(frame)) == free.contains(frame))
      try #require(allocator.isManaged(FrameNumber(frame)) == managed.contains(frame))
    }
    var runs: Set<UInt64> = []
    var lastEnd: UInt64?
    allocator.forEachFreeRange { run in
      #expect(lastEnd.map { $0 < run.start.rawValue } ?? true)
      lastEnd = run.end.rawValue
      runs.formUnion(run.start.rawValue..<run.end.rawValue)
    }
    try #require(runs == free)
    try allocator.validate()
  }
}

/// One step of a test, put to allocator and model.
enum BuddyStep: Hashable, Sendable {
  case allocate(order: Int)
  case allocateRun(UInt64)
  case claim(FrameRange)
  case free(FrameRange)
  case freeBlock(frame: UInt64, order: Int)
  case manage(FrameRange)
  case manageFree(FrameRange)

  /// Takes the step in both, and compares what comes of it.
  func take<Memory>(
    _ allocator: inout BuddyAllocator<Memory>, _ model: inout BuddyModel
  ) throws {
    var result: FrameRange?
    var failure: BuddyAllocatorError?
    do throws(BuddyAllocatorError) {
      result = try take(&allocator)
    } catch {
      failure = error
    }
    let (expected, refusal) = take(&model, shift: allocator.geometry.shift, allocator.frames)
    try #require(failure == refusal, "\(self)")
    try #require(result == expected, "\(self)")
  }

  private func take<Memory>(
    _ allocator: inout BuddyAllocator<Memory>
  ) throws(BuddyAllocatorError) -> FrameRange? {
    let geometry = allocator.geometry
    switch self {
    case .allocate(let order):
      let block = try allocator.allocate(PageOrder(order))
      return FrameRange(within: block.range(in: geometry), in: geometry)
    case .allocateRun(let count): return try allocator.allocate(frameCount: count)
    case .claim(let range): try allocator.allocate(range)
    case .free(let range): try allocator.free(range)
    case .freeBlock(let frame, let order):
      try allocator.free(
        PhysicalBlock(address: FrameNumber(frame).address(in: geometry), order: PageOrder(order)))
    case .manage(let range): allocator.manage(range)
    case .manageFree(let range): allocator.manageFree(range)
    }
    return nil
  }

  private func take(
    _ model: inout BuddyModel, shift: Int, _ covered: FrameRange
  ) -> (FrameRange?, BuddyAllocatorError?) {
    switch self {
    case .allocate(let order): return allocate(1 << UInt64(order), order: order, &model)
    case .allocateRun(let count):
      var order = 0
      while 1 << UInt64(order) < count { order += 1 }
      return allocate(count, order: order, &model)
    case .claim(let range):
      if let stranger = firstUnmanaged(range, model) { return (nil, .notManaged(stranger)) }
      let used = range.all.first { !model.free.contains($0) }
      if let used { return (nil, .notFree(FrameNumber(used))) }
      model.free.subtract(range.all)
    case .free(let range): return (nil, free(range, &model))
    case .freeBlock(let frame, let order):
      if frame % (1 << UInt64(order)) != 0 {
        let address = PhysicalAddress(frame << UInt64(shift))
        return (nil, .misaligned(PhysicalBlock(address: address, order: PageOrder(order))))
      }
      let range = FrameRange(start: FrameNumber(frame), frameCount: 1 << UInt64(order))
      return (nil, free(range, &model))
    case .manage(let range):
      model.managed.formUnion(range.all.filter { $0 != 0 && covered.contains(FrameNumber($0)) })
    case .manageFree(let range):
      let new = range.all.filter {
        $0 != 0 && covered.contains(FrameNumber($0)) && !model.managed.contains($0)
      }
      model.managed.formUnion(new)
      model.free.formUnion(new)
    }
    return (nil, nil)
  }

  private func allocate(
    _ count: UInt64, order: Int, _ model: inout BuddyModel
  ) -> (FrameRange?, BuddyAllocatorError?) {
    let found = order > model.maximumOrder ? model.firstRun(count) : model.firstFit(order)
    guard let frame = found else { return (nil, .outOfFrames(frameCount: count)) }
    let range = FrameRange(start: FrameNumber(frame), frameCount: count)
    model.free.subtract(range.all)
    return (range, nil)
  }

  private func free(_ range: FrameRange, _ model: inout BuddyModel) -> BuddyAllocatorError? {
    if let stranger = firstUnmanaged(range, model) { return .notManaged(stranger) }
    let free = range.all.first { model.free.contains($0) }
    if let free { return .alreadyFree(FrameNumber(free)) }
    model.free.formUnion(range.all)
    return nil
  }

  private func firstUnmanaged(_ range: FrameRange, _ model: BuddyModel) -> FrameNumber? {
    range.all.first { !model.managed.contains($0) }.map { FrameNumber($0) }
  }
}

extension FrameRange {
  /// The numbers of all frames.
  var all: Range<UInt64> { start.rawValue..<end.rawValue }

  init(_ frames: Range<UInt64>) {
    self.init(start: FrameNumber(frames.lowerBound), frameCount: UInt64(frames.count))
  }
}
