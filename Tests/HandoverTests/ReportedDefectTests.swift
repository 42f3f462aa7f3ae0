import HandoverTestSupport
import KexecHandover
import Testing

/// The defects that reviewers found in the kernel's code: those of preserving
/// and restoring. The others are beside the tree.
@Suite(.namesCombination)
struct ReportedDefectTests {
  private static let shifts = [6, 12, 14, 16]

  @Test("10: a run that fails in the middle is undone, and what was there stays", arguments: shifts)
  func runFailingInTheMiddle(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    let geometry = bench.geometry
    let large = FrameRange(try bench.take(6), in: geometry)
    let run = FrameRange(start: FrameNumber(large.start.rawValue + 1), frameCount: 62)
    let blocks = Array(NaturalBlocks(run, in: geometry))
    #expect(blocks.map(\.order.rawValue) == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0])
    try bench.handover.preserve(blocks[2], from: &bench.frames)
    try bench.handover.preserve(blocks[8], from: &bench.frames)
    let failureCount = try bench.failEveryTake { bench throws(OutgoingHandoverError) in
      try bench.handover.preserve(run, from: &bench.frames)
    }
    #expect(failureCount > 0)
    #expect(try bench.survey().state.entries.isSuperset(of: blocks))

    // The same where a block in the middle cannot be preserved.
    try bench.handover.unpreserve(run)
    let middle = PhysicalBlock(address: blocks[4].address, order: PageOrder(3))
    try bench.handover.preserve(middle, from: &bench.frames)
    let before = try bench.survey().state
    #expect(throws: OutgoingHandoverError.overlapsEntry(blocks[4], entry: middle)) {
      try bench.handover.preserve(run, from: &bench.frames)
    }
    #expect(try bench.survey().state == before)
  }

  @Test("11: page 0 is a block like any other")
  func pageZero() throws {
    // Trailing zeros of frame 0: the run begins with the largest block that fits.
    for frameCount in 1...70 as ClosedRange<UInt64> {
      let run = FrameRange(start: FrameNumber(0), frameCount: frameCount)
      let first = try #require(Array(NaturalBlocks(run, in: .pages4KiB)).first)
      #expect(first.address == .zero && first.order.frameCount.nonzeroBitCount == 1)
      #expect(first.order.frameCount <= frameCount && first.order.frameCount * 2 > frameCount)
    }
    let range = PhysicalRange(start: .zero, byteCount: 256 << 12)
    let memory = RecordingMemory(try AnonymousMemory(range))
    var frames = TrackedFrames(
      try BuddyAllocator(
        free: [FrameRange(start: FrameNumber(16), frameCount: 240)], in: memory,
        geometry: .pages4KiB), in: memory, geometry: .pages4KiB)
    let anchor = RecordingAnchor.State()
    var handover = try OutgoingHandover(
      in: memory, geometry: .pages4KiB, anchor: RecordingAnchor(anchor, journal: memory.journal),
      from: &frames)
    let run = FrameRange(start: FrameNumber(0), frameCount: 7)
    try handover.preserve(run, from: &frames)
    let found = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: .pages4KiB)
    #expect(found.state.entries.isSuperset(of: NaturalBlocks(run, in: .pages4KiB)))
    // An address of 0 ends a chunk, so no area holds page 0.
    #expect(throws: OutgoingHandoverError.areaDamaged(.blockImpossible(0, in: .zero))) {
      _ = try handover.preserveArea([PhysicalAddress.zero], order: PageOrder(2), from: &frames)
    }
    var incoming = try IncomingHandover(
      at: anchor.deviceTree, in: memory, geometry: .pages4KiB)
    try incoming.restore(run, from: &frames)
    #expect(
      throws: IncomingHandoverError.alreadyRestored(Array(NaturalBlocks(run, in: .pages4KiB))[0])
    ) {
      try incoming.restore(run, from: &frames)
    }
    try handover.unpreserve(run)
    #expect(
      try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: .pages4KiB).state.entries
        .count == 1)
  }

  @Test(
    "12: restored twice, unaligned, a tail page, another length, never preserved", arguments: shifts
  )
  func restoresThatAreRefused(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    let geometry = bench.geometry
    let page = UInt64(geometry.pageByteCount)
    let block = try bench.handover.allocatePreserved(PageOrder(3), from: &bench.frames)
    let run = try bench.handover.allocatePreserved(frameCount: 6, from: &bench.frames)
    let strange = try bench.take(3)
    var successor = try Successor(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: geometry)

    func refuses(_ block: PhysicalBlock, _ error: IncomingHandoverError) {
      let before = successor.frames.out
      #expect(throws: error) { try successor.restore(block) }
      #expect(successor.frames.out == before)
    }
    func part(_ index: UInt64, _ order: Int) -> PhysicalBlock {
      PhysicalBlock(
        address: block.address.advanced(byBytes: index * page), order: PageOrder(order))
    }
    // Unaligned: by a byte, by a page, and of an order no block can have.
    for wrong in [
      PhysicalBlock(address: block.address.advanced(byBytes: 1), order: .zero),
      part(1, 1), part(4, 3), PhysicalBlock(address: block.address, order: PageOrder(64 - shift)),
    ] {
      refuses(wrong, .misaligned(wrong))
    }
    // A tail page, the first page alone, a half, and twice the length.
    for wrong in [part(1, 0), part(7, 0), part(0, 0), part(4, 2)] {
      refuses(wrong, .differsFromEntry(wrong, entry: block))
    }
    let larger = PhysicalBlock(
      address: PhysicalAddress(block.address.rawValue & ~(page * 16 - 1)), order: PageOrder(4))
    if larger.address == block.address {
      refuses(larger, .differsFromEntry(larger, entry: block))
    }
    refuses(strange, .neverPreserved(strange))
    let nowhere = PhysicalBlock(address: PhysicalAddress(page << 40), order: .zero)
    refuses(nowhere, .neverPreserved(nowhere))

    // A run with another length, or from its second page on.
    let blocks = Array(NaturalBlocks(run, in: geometry))
    for other in [
      FrameRange(start: run.start, frameCount: 5), FrameRange(start: run.start, frameCount: 7),
      FrameRange(start: FrameNumber(run.start.rawValue + 1), frameCount: 5),
    ] {
      #expect(throws: IncomingHandoverError.self) {
        try successor.restore(other)
      }
      for block in blocks { #expect(successor.incoming.isRestored(block) == false) }
    }
    try successor.restore(run)
    try successor.restore(block)
    refuses(block, .alreadyRestored(block))
    for block in blocks { refuses(block, .alreadyRestored(block)) }
    #expect(throws: IncomingHandoverError.alreadyRestored(blocks[0])) {
      try successor.restore(run)
    }
    try successor.checkFrames()
  }

  @Test("13: scratch memory, at either edge", arguments: shifts)
  func scratchOverlap(shift: Int) throws {
    var bench = try HandoverBench(shift: shift, frameCount: 1024)
    let geometry = bench.geometry
    let page = UInt64(geometry.pageByteCount)
    let middle = bench.memory.base.range.start.rawValue + 512 * page
    let before = try bench.survey()

    /// Tries to preserve frames counted from `middle`, with `scratch` as the only area.
    func preserves(
      _ first: Int, _ order: Int, scratch: Range<Int>
    ) throws -> OutgoingHandoverError? {
      let area = ScratchArea(
        PhysicalRange(
          start: PhysicalAddress(middle &+ UInt64(bitPattern: Int64(scratch.lowerBound))),
          byteCount: UInt64(scratch.count)))
      var handover = try OutgoingHandover.adopting(
        before, in: bench.memory,
        anchor: RecordingAnchor(bench.anchor, journal: bench.memory.journal),
        scratchAreas: [area])
      let block = PhysicalBlock(
        address: PhysicalAddress(middle &+ UInt64(bitPattern: Int64(first * Int(page)))),
        order: PageOrder(order))
      do throws(OutgoingHandoverError) {
        try handover.preserve(block, from: &bench.frames)
        try handover.unpreserve(block)
        return nil
      } catch {
        #expect(error == .overlapsScratch(block, area))
        // A run and an area are refused as a block is.
        #expect(throws: error) {
          try handover.preserve(FrameRange(block, in: geometry), from: &bench.frames)
        }
        #expect(throws: error) {
          _ = try handover.preserveArea(
            [block.address], order: block.order, from: &bench.frames)
        }
        #expect(try bench.survey().state == before.state)
        return error
      }
    }
    let four = Int(page) * 4
    for order in [0, 1, 2] {
      let size = Int(page) << order
      // Ends a byte, or a page, into the area.
      #expect(try preserves(0, order, scratch: size - 1..<size + four) != nil)
      #expect(try preserves(0, order, scratch: size - Int(page)..<size + four) != nil)
      // Starts at the area's last page, and at its last byte.
      #expect(try preserves(0, order, scratch: -four..<Int(page)) != nil)
      #expect(try preserves(0, order, scratch: -four..<1) != nil)
      // Contains it, is contained, is the same.
      #expect(try preserves(0, order, scratch: size / 2..<size / 2 + 1) != nil)
      #expect(try preserves(0, order, scratch: -four..<size + four) != nil)
      #expect(try preserves(0, order, scratch: 0..<size) != nil)
      // Touches it on either side.
      #expect(try preserves(0, order, scratch: size..<size + four) == nil)
      #expect(try preserves(0, order, scratch: -four..<0) == nil)
    }
  }
}
