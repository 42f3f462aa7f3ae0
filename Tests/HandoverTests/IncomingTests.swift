import HandoverTestSupport
import KexecHandover
import Testing

/// Taking over: everything once, nothing lost, and nothing changed where a frame is missing.
@Suite(.namesCombination)
struct IncomingTests {
  private static let shifts = [6, 12, 14, 16]

  private static func bench(_ shift: Int, _ version: ABIVersion = .v4) throws -> HandoverBench {
    var bench = try HandoverBench(shift: shift, version: version)
    try HandoverScenario.populate(&bench)
    bench.area = try bench.handover.allocatePreservedArea(
      blockCount: 11, order: PageOrder(1), from: &bench.frames)
    bench.run = try bench.handover.allocatePreserved(frameCount: 13, from: &bench.frames)
    bench.blocks = [try bench.handover.allocatePreserved(PageOrder(4), from: &bench.frames)]
    return bench
  }

  @Test(arguments: shifts)
  func everyTakeFails(shift: Int) throws {
    let bench = try Self.bench(shift)
    let run = bench.run
    let area = bench.area
    let block = bench.blocks[0]
    try withEvery("restore", in: 0..<4) { kind in
      // As the first of all, where the books are opened, and after another.
      for isFirst in [true, false] {
        var successor = try Successor(
          at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
        if !isFirst {
          let other = try #require(bench.survey().deviceTreeBlock)
          try successor.restore(other)
        }
        let unrestoredCount = successor.unrestored.count
        let failureCount = try successor.failEveryTake { taker throws(IncomingHandoverError) in
          switch kind {
          case 0: try taker.incoming.restore(block, from: &taker.frames)
          case 1: try taker.incoming.restore(run, from: &taker.frames)
          case 2: try taker.incoming.restore(area, from: &taker.frames)
          default: try taker.incoming.restoreAndFree(block, into: &taker.frames)
          }
        }
        #expect(failureCount >= (isFirst ? 2 : 0))
        #expect(successor.unrestored.count < unrestoredCount)
        try successor.checkFrames()
      }
    }
  }

  @Test(arguments: shifts)
  func everyBlockOnce(shift: Int) throws {
    try withEvery("version", in: [ABIVersion.v2, .v3, .v4]) { version in
      if shift == 14, version == .v2 { return }
      let bench = try Self.bench(shift, version)
      let geometry = bench.geometry
      let found = try bench.survey()
      var successor = try Successor(
        at: bench.anchor.deviceTree, in: bench.memory, geometry: geometry)
      try successor.checkFrames()
      // Nothing of the handover was written.
      #expect(try bench.survey().state == found.state)

      let blocks = successor.unrestored
      #expect(Set(blocks) == found.state.entries && blocks == blocks.sorted())
      for block in blocks {
        #expect(successor.incoming.isRestored(block) == false)
        try successor.restore(block)
        #expect(successor.incoming.isRestored(block) == true)
        #expect(throws: IncomingHandoverError.alreadyRestored(block)) {
          try successor.restore(block)
        }
      }
      #expect(successor.unrestored.isEmpty)
      try successor.checkFrames()
      // A successor that dies here leaves all of it to the next one.
      #expect(try bench.survey().state == found.state)
      #expect(successor.incoming.retire(into: &successor.frames) >= UInt64(found.nodes.count))
      let out = successor.frames.out
      #expect(out == found.entryFrames(in: geometry))
      try successor.checkFrames()
      #expect(successor.incoming.retire(into: &successor.frames) == 0)
      #expect(successor.frames.out == out)
    }
  }

  @Test(arguments: shifts)
  func whatNobodyRestoresStays(shift: Int) throws {
    let bench = try Self.bench(shift)
    let found = try bench.survey()
    var successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    try successor.incoming.restoreAndFree(bench.blocks[0], into: &successor.frames)
    successor.incoming.retire(into: &successor.frames)
    // The device tree goes with the tree; the rest is still there.
    var kept = found.entryFrames(in: bench.geometry)
    kept.subtract(FrameRange(bench.blocks[0], in: bench.geometry).numbers)
    kept.subtract(
      FrameRange(try #require(found.deviceTreeBlock), in: bench.geometry).numbers)
    #expect(successor.frames.out == kept)
    try successor.checkFrames()
  }

  @Test func subtreesByName() throws {
    let bench = try Self.bench(12)
    let successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    let expected = try bench.survey().state.subtrees
    for (name, subtree) in expected {
      let found = try successor.incoming.subtree(named: name)
      #expect(found.subtree.address == subtree.address && found.byteCount == subtree.byteCount)
    }
    for name in ["", "alph", "alphaa", "ALPHA"] {
      #expect(throws: IncomingHandoverError.noSuchSubtree) {
        _ = try successor.incoming.subtree(named: name)
      }
    }
  }

  /// The early allocator starts with room for four regions and must not put its list into memory
  /// that it does not know yet.
  @Test(arguments: [12, 14, 16])
  func growingListsSpareTheHandover(shift: Int) throws {
    var bench = try HandoverBench(shift: shift, frameCount: 1024)
    // Single frames with gaps, up to the top of memory where a list would go first.
    var frames: [PhysicalBlock] = []
    while let block = bench.frames.takeBlock(.zero) { frames.append(block) }
    for (index, block) in frames.enumerated() where index % 2 == 0 && index > 64 {
      bench.frames.giveBack(block, in: bench.geometry)
    }
    for (index, block) in frames.enumerated() where index % 2 == 1 && index > 64 {
      try bench.handover.preserve(block, from: &bench.frames)
      bench.memory.setWord(block.address.rawValue ^ 0x55, at: block.address.rawValue)
    }
    for block in frames.prefix(65) { bench.frames.giveBack(block, in: bench.geometry) }
    let before = try bench.survey()
    let successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    try successor.checkFrames()
    #expect(try bench.survey().state == before.state)
    for block in frames.suffix(from: 65) where before.state.entries.contains(block) {
      #expect(bench.memory.word(at: block.address.rawValue) == block.address.rawValue ^ 0x55)
    }
  }
}
