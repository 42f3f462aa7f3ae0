import HandoverTestSupport
import KexecHandover
import Testing

/// Blocks that follow each other, preserved and restored as one run.
@Suite(.namesCombination)
struct BlockRunTests {
  private static let shifts = [6, 12, 14, 16]

  /// A bench whose `run` is that of `blockCount` blocks of `order`, which are free and the test's own.
  private static func bench(_ shift: Int, order: Int, blockCount: UInt64) throws -> HandoverBench {
    var bench = try HandoverBench(shift: shift)
    try HandoverScenario.populate(&bench)
    let all = try bench.take(order + blockCount.trailingZeroBitCount + 1)
    bench.run = FrameRange(
      start: FrameNumber(containing: all.address, in: bench.geometry),
      frameCount: blockCount << UInt64(order))
    return bench
  }

  private static func blocks(_ bench: borrowing HandoverBench, _ order: Int) -> BlockRun {
    BlockRun(
      address: bench.run.start.address(in: bench.geometry), order: PageOrder(order),
      blockCount: bench.run.frameCount >> UInt64(order))
  }

  @Test(arguments: shifts)
  func everyTakeFails(shift: Int) throws {
    try withEvery("order", in: [0, 2]) { order in
      var bench = try Self.bench(shift, order: order, blockCount: 16)
      let run = Self.blocks(bench, order)
      let before = try bench.survey().state.entries
      _ = try bench.failEveryTake { bench throws(OutgoingHandoverError) in
        try bench.handover.preserve(run, from: &bench.frames)
      }
      var blocks: Set<PhysicalBlock> = []
      run.forEachBlock(in: bench.geometry) { blocks.insert($0) }
      #expect(try bench.survey().state.entries == before.union(blocks))
      // Once more changes nothing.
      try bench.handover.preserve(run, from: &bench.frames)
      #expect(try bench.survey().state.entries == before.union(blocks))

      var successor = try Successor(
        at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
      let failureCount = try successor.failEveryTake { taker throws(IncomingHandoverError) in
        try taker.incoming.restore(run, from: &taker.frames)
      }
      #expect(failureCount > 1)
      #expect(Set(successor.unrestored) == before)
      try successor.checkFrames()
      // Each by itself now counts as restored, and can be taken back.
      for block in blocks {
        #expect(throws: IncomingHandoverError.alreadyRestored(block)) {
          try successor.restore(block)
        }
        successor.incoming.takeBack(block, into: &successor.frames)
      }
      #expect(Set(successor.unrestored) == before.union(blocks))
      try successor.checkFrames()
    }
  }

  @Test(arguments: shifts)
  func refusals(shift: Int) throws {
    var bench = try Self.bench(shift, order: 1, blockCount: 8)
    let run = Self.blocks(bench, 1)
    let geometry = bench.geometry
    let size = geometry.blockByteCount(PageOrder(1))
    func block(_ index: UInt64) -> PhysicalBlock {
      PhysicalBlock(
        address: PhysicalAddress(run.address.rawValue + index * size), order: PageOrder(1))
    }
    // A page of another order in the sixth block, found from both sides.
    let page = PhysicalBlock(
      address: PhysicalAddress(block(5).address.rawValue + size / 2), order: .zero)
    try bench.handover.preserve(page, from: &bench.frames)
    #expect(throws: OutgoingHandoverError.overlapsEntry(block(5), entry: page)) {
      try bench.handover.preserve(run, from: &bench.frames)
    }
    try bench.handover.unpreserve(page)
    let large = PhysicalBlock(address: run.address, order: PageOrder(2))
    try bench.handover.preserve(large, from: &bench.frames)
    let second = BlockRun(address: block(1).address, order: PageOrder(1), blockCount: 7)
    #expect(throws: OutgoingHandoverError.overlapsEntry(block(1), entry: large)) {
      try bench.handover.preserve(second, from: &bench.frames)
    }
    try bench.handover.unpreserve(large)

    let misaligned = BlockRun(
      address: PhysicalAddress(run.address.rawValue + size / 2), order: PageOrder(1), blockCount: 2)
    #expect(throws: OutgoingHandoverError.misaligned(misaligned.firstBlock)) {
      try bench.handover.preserve(misaligned, from: &bench.frames)
    }
    for blockCount in [1 << 40, UInt64.max] {
      let endless = BlockRun(address: run.address, order: PageOrder(1), blockCount: blockCount)
      #expect(throws: OutgoingHandoverError.outsideMemory(block(0).range(in: geometry))) {
        try bench.handover.preserve(endless, from: &bench.frames)
      }
    }
    let tree = bench.handover.deviceTree
    let over = BlockRun(address: tree.address, order: tree.order, blockCount: 1)
    #expect(throws: OutgoingHandoverError.overlapsDeviceTree(tree, deviceTree: tree)) {
      try bench.handover.preserve(over, from: &bench.frames)
    }

    try bench.handover.preserve(run, from: &bench.frames)
    try bench.handover.unpreserve(block(3))
    var successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: geometry)
    let whole = successor.unrestored
    #expect(throws: IncomingHandoverError.neverPreserved(block(3))) {
      try successor.incoming.restore(run, from: &successor.frames)
    }
    let pages = BlockRun(address: run.address, order: .zero, blockCount: 4)
    #expect(
      throws: IncomingHandoverError.differsFromEntry(pages.firstBlock, entry: block(0))
    ) { try successor.incoming.restore(pages, from: &successor.frames) }
    try successor.restore(block(6))
    let rest = BlockRun(address: block(4).address, order: PageOrder(1), blockCount: 4)
    #expect(throws: IncomingHandoverError.alreadyRestored(block(6))) {
      try successor.incoming.restore(rest, from: &successor.frames)
    }
    #expect(successor.unrestored == whole.filter { $0 != block(6) })
    try successor.checkFrames()
  }
}
