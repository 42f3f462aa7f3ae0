import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages
import Testing

/// A successor builds its allocators from the predecessor's tree, and keeps what is preserved.
@Suite(.namesCombination)
struct RebuildTests {
  @Test("from the tree, after everything free was overwritten", arguments: [4, 6, 12, 14])
  func rebuild(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let frameCount: UInt64 = shift == 4 ? 2000 : 1000
    let start: UInt64 = 1 << 20
    let range = PhysicalRange(
      start: PhysicalAddress(start), byteCount: frameCount << UInt64(shift))
    let memory = try AnonymousMemory(range)
    let scratch = PhysicalRange(
      start: PhysicalAddress(start + range.byteCount / 2), byteCount: range.byteCount / 4)
    try withEvery("seed", in: 1...5 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      let root = try runPredecessor(memory, geometry, scratch, using: &generator)
      let tree = RadixTree(adopting: root, in: memory, geometry: RadixGeometry(geometry))
      try tree.validate()
      var busy: Set<UInt64> = []
      var blocks: [PhysicalBlock] = []
      tree.forEachNode { busy.insert($0.address.rawValue >> UInt64(shift)) }
      let nodeCount = busy.count
      tree.forEachKey { blocks.append($0.decoded(in: geometry)!) }
      for block in blocks {
        busy.formUnion(FrameRange(within: block.range(in: geometry), in: geometry).all)
      }
      // Nothing in a free frame is needed, the predecessor's map included.
      for frame in FrameRange(within: range, in: geometry).all where !busy.contains(frame) {
        for byte in stride(from: 0, to: geometry.pageByteCount, by: 8) {
          memory.setWord(generator.next(), at: frame << UInt64(shift) + UInt64(byte))
        }
      }

      var memblock = Memblock(in: memory, geometry: geometry, capacity: 4)
      try memblock.add(range)
      try memblock.mark(scratch, .scratch)
      memblock.isScratchOnly = true
      try reserve(tree, blocks, in: &memblock)
      memblock.isScratchOnly = false
      for storage in [memblock.memoryListStorage, memblock.reservedListStorage] {
        if let storage { try #require(scratch.contains(storage)) }
      }
      var frames = try BuddyAllocator(
        from: &memblock, maximumOrder: PageOrder(5), RegionFilter())
      try frames.validate()
      let mapFrames = frames.mapRange.byteCount >> UInt64(shift)
      try #require(!scratch.overlaps(frames.mapRange))
      try #require(frames.managedFrameCount == frameCount - mapFrames)

      var taken: Set<UInt64> = []
      while let frame = frames.takeFrame() { taken.insert(frame.rawValue >> UInt64(shift)) }
      try #require(taken.isDisjoint(with: busy))
      try tree.validate()
      try #require(tree.count == UInt64(blocks.count))
      try restoreAll(blocks, into: &frames)
      // The walked tree is ordinary memory, and comes back frame by frame.
      try #require(tree.destroyCopy(into: &frames) == UInt64(nodeCount))
      for frame in taken { try frames.free(FrameRange(frame..<frame + 1)) }
      let lists = [memblock.memoryListStorage, memblock.reservedListStorage].compactMap(\.self)
      for list in lists { try frames.free(FrameRange(within: list, in: geometry)) }
      try #require(frames.usedFrameCount == 0)
      try frames.validate()
    }
  }

  /// Allocates outside scratch, preserves some of it, and leaves only the root behind.
  private func runPredecessor(
    _ memory: AnonymousMemory, _ geometry: PageGeometry, _ scratch: PhysicalRange,
    using generator: inout SeededGenerator
  ) throws -> PhysicalAddress {
    let all = memory.range
    let scratchEnd = scratch.start.advanced(byBytes: scratch.byteCount)
    let free = [
      PhysicalRange(
        start: all.start, byteCount: scratch.start.rawValue - all.start.rawValue),
      PhysicalRange(
        start: scratchEnd,
        byteCount: all.start.rawValue + all.byteCount - scratchEnd.rawValue),
    ].map { FrameRange(within: $0, in: geometry) }
    var frames = try BuddyAllocator(
      free: free, in: memory, geometry: geometry, maximumOrder: PageOrder(4))
    var tree = try RadixTree(in: memory, geometry: RadixGeometry(geometry), from: &frames)
    for _ in 0..<40 {
      guard let block = try? frames.allocate(PageOrder(generator.index(below: 4))) else { break }
      guard generator.isOne(in: 2) else { continue }
      // A toy's paths are long: it may run out of frames for them, which is part of the game.
      _ = try? tree.insert(
        RadixKey(block.address, order: block.order, in: geometry), from: &frames)
    }
    return tree.root
  }

  private func reserve(
    _ tree: borrowing RadixTree<AnonymousMemory>, _ blocks: [PhysicalBlock],
    in memblock: inout Memblock<AnonymousMemory>
  ) throws {
    let geometry = memblock.geometry
    for block in blocks { try memblock.reserve(block.range(in: geometry), flags: .preserved) }
    var nodes: [PhysicalRange] = []
    tree.forEachNode { nodes.append(geometry.page(at: $0.address)) }
    for node in nodes { try memblock.reserve(node) }
    try memblock.validate()
    for range in nodes + blocks.map({ $0.range(in: geometry) }) {
      try #require(memblock.isReserved(range) == true)
    }
  }

  private func restoreAll(
    _ blocks: [PhysicalBlock], into frames: inout BuddyAllocator<AnonymousMemory>
  ) throws {
    for block in blocks {
      let before = frames.freeFrameCount
      try frames.free(block)
      try #require(frames.freeFrameCount == before + block.order.frameCount)
      var failure: BuddyAllocatorError?
      do throws(BuddyAllocatorError) { try frames.free(block) } catch { failure = error }
      let first = FrameNumber(containing: block.address, in: frames.geometry)
      try #require(failure == .alreadyFree(first), "freed twice")
    }
    try frames.validate()
  }
}

extension RadixTree {
  /// Gives back every node, through a second value for the same tree.
  fileprivate func destroyCopy<Frames: FrameSource & ~Copyable>(
    into frames: inout Frames
  ) -> UInt64 {
    RadixTree(adopting: root, in: memory, geometry: geometry).destroy(into: &frames)
  }
}
