import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Preparing keys, pruning along them, and questions about memory, against brute force.
@Suite(.namesCombination)
struct PrepareAndCoverTests {
  @Test(arguments: [4, 5, 6])
  func preparedKeysNeedNoFrames(shift: Int) throws {
    try withEvery("seed", in: 0..<20 as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      var bench = try TreeBench(shift: shift)
      var marked: Set<UInt64> = []
      for _ in 0..<30 {
        let key = InterestingKeys.random(shift: shift, using: &generator)
        let takenBefore = bench.frames.pool.takenCount
        // Every take failing in turn leaves as many frames taken as before.
        var take = 1
        while true {
          bench.frames.takesUntilFailure = take
          do throws(RadixTreeError) {
            try bench.tree.prepare(RadixKey(rawValue: key), from: &bench.frames)
            break
          } catch {
            try #require(bench.frames.pool.takenCount == takenBefore)
            take += 1
          }
        }
        bench.frames.takesUntilFailure = 1
        try #require(bench.tree.contains(RadixKey(rawValue: key)) == marked.contains(key))
        switch generator.index(below: 3) {
        case 0:
          // Nothing was marked, so all that was made goes again.
          let wasMarked = marked.contains(key)
          bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames)
          try #require(wasMarked || bench.frames.pool.takenCount <= takenBefore)
        case 1:
          try bench.insert(key)
          marked.insert(key)
        default:
          try bench.insert(key)
          try #require(bench.remove(key) == true)
          marked.remove(key)
          bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames)
        }
        bench.frames.takesUntilFailure = nil
        try bench.check(against: marked)
      }
      // What is pruned along every key is what a whole prune would free.
      for key in marked {
        bench.remove(key)
        bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames)
      }
      bench.prune()
      try #require(bench.frames.pool.takenCount == 1)
    }
    var bench = try TreeBench(shift: shift)
    for wild in [0, 1, UInt64.max] {
      #expect(throws: RadixTreeError.keyOutsideTree(RadixKey(rawValue: wild))) {
        try bench.tree.prepare(RadixKey(rawValue: wild), from: &bench.frames)
      }
      #expect(bench.tree.prune(along: RadixKey(rawValue: wild), into: &bench.frames) == 0)
    }
  }

  /// Emptied nodes that share a path with others: only what holds nothing goes.
  @Test(arguments: [4, 6, 12])
  func pruneAlongStopsAtWhatHoldsSomething(shift: Int) throws {
    var bench = try TreeBench(shift: shift)
    let key = InterestingKeys.key(order: 0, block: 0, shift: shift)
    let neighbour = key + 1
    let far = InterestingKeys.key(order: 0, block: 1 << UInt64(shift + 4), shift: shift)
    try bench.insertAll([key, neighbour, far])
    bench.remove(key)
    #expect(bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames) == 0)
    bench.remove(neighbour)
    #expect(bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames) > 0)
    try bench.check(against: [far])
    #expect(bench.prune() == 0)
    // Where the way ends at an empty slot, the nodes above it are looked at.
    bench.remove(far)
    #expect(bench.tree.prune(along: RadixKey(rawValue: key), into: &bench.frames) == 0)
    #expect(bench.tree.prune(along: RadixKey(rawValue: far), into: &bench.frames) > 0)
    #expect(bench.frames.pool.takenCount == 1)
  }

  @Test(arguments: [4, 6, 12])
  func questionsAboutMemory(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    try withEvery("seed", in: 0..<12 as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      var bench = try TreeBench(shift: shift)
      // Blocks that may overlap, in 64 frames at either end of memory.
      let base = seed % 2 == 0 ? 0 : (1 << UInt64(64 - shift)) - 64 as UInt64
      var blocks: Set<PhysicalBlock> = []
      for _ in 0..<generator.index(below: 14) {
        let order = generator.index(below: 5)
        let frame = base + UInt64(generator.index(below: 64) & ~((1 << order) - 1))
        let block = PhysicalBlock(
          address: FrameNumber(frame).address(in: page), order: PageOrder(order))
        blocks.insert(block)
        try bench.insert(RadixKey(block, in: page).rawValue)
      }
      var orders = PageOrderSet()
      for block in blocks { orders.insert(block.order) }
      try #require(bench.tree.ordersInUse == orders)

      func frames(_ block: PhysicalBlock) -> Range<UInt64> {
        let start = block.address.rawValue >> UInt64(shift)
        return start..<start + block.order.frameCount
      }
      for frame in base..<base + 64 {
        let address = PhysicalAddress(FrameNumber(frame).address(in: page).rawValue + 7)
        let holding = blocks.filter { frames($0).contains(frame) }
        let found = bench.tree.entry(holding: address, of: orders)
        // The smallest of those that overlap.
        try #require(found == holding.min { $0.order < $1.order })
        for order in 0..<6 where frame % (1 << UInt64(order)) == 0 {
          let block = PhysicalBlock(
            address: FrameNumber(frame).address(in: page), order: PageOrder(order))
          let overlapping = blocks.filter {
            $0.order != block.order && frames($0).overlaps(frames(block))
          }
          let entry = bench.tree.entry(overlapping: block, of: orders)
          try #require(entry == nil ? overlapping.isEmpty : overlapping.contains(entry!))
        }
        for frameCount in [1, 2, 5, 17] as [UInt64] where frame + frameCount <= base + 64 {
          let bytes = PhysicalRange(
            start: address, byteCount: frameCount << UInt64(shift) - 8)
          let isCovered = (frame..<frame + frameCount).allSatisfy { number in
            blocks.contains { frames($0).contains(number) }
          }
          try #require(bench.tree.covers(bytes, with: orders) == isCovered)
        }
      }
      #expect(bench.tree.covers(PhysicalRange(start: .zero, byteCount: 0), with: orders) == true)
    }
  }

  @Test(arguments: [4, 12, 16, 20])
  func everyOrder(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    var bench = try TreeBench(shift: shift, nodeCount: shift == 20 ? 8 * 45 : 64 * 60)
    var orders = PageOrderSet()
    #expect(bench.tree.ordersInUse == orders)
    for order in stride(from: 63 - shift, through: 0, by: -1) {
      try bench.insert(RadixKey(.zero, order: PageOrder(order), in: page).rawValue)
      orders.insert(PageOrder(order))
      #expect(bench.tree.ordersInUse == orders)
      #expect(bench.tree.entry(holding: .zero, of: orders)?.order == PageOrder(order))
    }
    for order in 0...63 { #expect(orders.contains(PageOrder(order)) == (order <= 63 - shift)) }
  }
}
