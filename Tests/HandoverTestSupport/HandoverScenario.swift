package import KexecHandover
import Testing

/// An operation of an outgoing handover, and what has to be there before it.
package struct HandoverScenario: Sendable, CustomStringConvertible {
  /// What an operation throws.
  package typealias Failure = OutgoingHandoverError

  package let description: String
  package let setUp: @Sendable (inout HandoverBench) throws -> Void
  package let operation: @Sendable (inout HandoverBench) throws(Failure) -> Void

  private init(
    _ description: String,
    setUp: @escaping @Sendable (inout HandoverBench) throws -> Void = { _ in },
    _ operation: @escaping @Sendable (inout HandoverBench) throws(OutgoingHandoverError) -> Void
  ) {
    self.description = description
    self.setUp = setUp
    self.operation = operation
  }

  /// What all scenarios begin with: entries of a few orders and two subtrees.
  package static func populate(_ bench: inout HandoverBench) throws {
    for order in [0, 1, 3] {
      let block = try bench.take(order)
      try bench.handover.preserve(block, from: &bench.frames)
    }
    for (name, byteCount) in [("alpha", 100), ("beta", bench.geometry.pageByteCount * 3)] {
      try bench.handover.createSubtree(
        named: name, byteCount: UInt64(byteCount), from: &bench.frames
      ) { $0.fillBytes(seed: byteCount) }
    }
  }

  /// Every operation that changes a handover.
  package static var all: [HandoverScenario] {
    preserving + allocating + unpreserving + subtrees + records
  }

  private static var preserving: [HandoverScenario] {
    [
      HandoverScenario(
        "preserve a block", setUp: { $0.blocks = [try $0.take(0)] }
      ) { bench throws(OutgoingHandoverError) in
        try bench.handover.preserve(bench.blocks[0], from: &bench.frames)
      },
      HandoverScenario(
        "preserve a block of a new order", setUp: { $0.blocks = [try $0.take(4)] }
      ) { bench throws(OutgoingHandoverError) in
        try bench.handover.preserve(bench.blocks[0], from: &bench.frames)
      },
      HandoverScenario(
        "preserve a run", setUp: { try $0.takeOddRun() }
      ) { bench throws(OutgoingHandoverError) in
        try bench.handover.preserve(bench.run, from: &bench.frames)
      },
      HandoverScenario(
        "preserve a run of which a part is preserved",
        setUp: { bench in
          try bench.takeOddRun()
          var blocks = NaturalBlocks(bench.run, in: bench.geometry)
          _ = blocks.next()
          let second = try #require(Array(blocks).first)
          try bench.handover.preserve(second, from: &bench.frames)
        }
      ) { bench throws(OutgoingHandoverError) in
        try bench.handover.preserve(bench.run, from: &bench.frames)
      },
      HandoverScenario(
        "preserve an area", setUp: { try $0.takeBlocks(count: 17, order: 1) }
      ) { bench throws(OutgoingHandoverError) in
        bench.area = try bench.handover.preserveArea(
          bench.blocks.map(\.address), order: PageOrder(1), from: &bench.frames)
      },
    ]
  }

  private static var allocating: [HandoverScenario] {
    [
      HandoverScenario("allocate a block") { bench throws(OutgoingHandoverError) in
        bench.blocks = [try bench.handover.allocatePreserved(PageOrder(2), from: &bench.frames)]
      },
      HandoverScenario("allocate a run") { bench throws(OutgoingHandoverError) in
        bench.run = try bench.handover.allocatePreserved(frameCount: 13, from: &bench.frames)
      },
      HandoverScenario("allocate a run and announce it") { bench throws(OutgoingHandoverError) in
        var announced: [FrameRange] = []
        do throws(OutgoingHandoverError) {
          bench.run = try bench.handover.allocatePreserved(frameCount: 13, from: &bench.frames) {
            announced.append($0)
          }
        } catch {
          #expect(announced == [])
          throw error
        }
        #expect(announced == [bench.run])
      },
      HandoverScenario("allocate an area") { bench throws(OutgoingHandoverError) in
        bench.area = try bench.handover.allocatePreservedArea(
          blockCount: 9, order: PageOrder(1), from: &bench.frames)
      },
    ]
  }

  private static var unpreserving: [HandoverScenario] {
    // What is unpreserved and not freed is the test's own; what is freed has no owner.
    let block: @Sendable (inout HandoverBench) throws -> Void = {
      $0.blocks = [try $0.handover.allocatePreserved(PageOrder(2), from: &$0.frames)]
      $0.owned.formUnion(FrameRange($0.blocks[0], in: $0.geometry).numbers)
    }
    let run: @Sendable (inout HandoverBench) throws -> Void = {
      $0.run = try $0.handover.allocatePreserved(frameCount: 11, from: &$0.frames)
      $0.owned.formUnion($0.run.numbers)
    }
    let area: @Sendable (inout HandoverBench) throws -> Void = {
      $0.area = try $0.handover.allocatePreservedArea(
        blockCount: 10, order: PageOrder(1), from: &$0.frames)
      var blocks = VmallocBlocks($0.area, in: $0.memory, geometry: $0.geometry)
      while let step = try blocks.next() {
        if case .block(let block) = step {
          $0.owned.formUnion(FrameRange(block, in: $0.geometry).numbers)
        }
      }
    }
    return [
      HandoverScenario("unpreserve a block", setUp: block) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserve(bench.blocks[0])
      },
      HandoverScenario("unpreserve a run", setUp: run) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserve(bench.run)
      },
      HandoverScenario("unpreserve an area", setUp: area) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserve(bench.area, into: &bench.frames)
      },
      HandoverScenario("free a block", setUp: block) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserveAndFree(bench.blocks[0], into: &bench.frames)
      },
      HandoverScenario("free a run", setUp: run) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserveAndFree(bench.run, into: &bench.frames)
      },
      HandoverScenario("free a run if it is preserved", setUp: run) {
        bench throws(OutgoingHandoverError) in
        let isFreed = try bench.handover.unpreserveAndFreeIfPreserved(
          bench.run, into: &bench.frames)
        let isFreedTwice = try bench.handover.unpreserveAndFreeIfPreserved(
          bench.run, into: &bench.frames)
        #expect(isFreed && !isFreedTwice)
      },
      HandoverScenario("free an area", setUp: area) { bench throws(OutgoingHandoverError) in
        try bench.handover.unpreserveAndFree(bench.area, into: &bench.frames)
      },
      HandoverScenario(
        "prune",
        setUp: {
          // An order that nothing else has, so that its nodes are empty.
          $0.blocks = [try $0.handover.allocatePreserved(PageOrder(5), from: &$0.frames)]
          try $0.handover.unpreserveAndFree($0.blocks[0], into: &$0.frames)
        }
      ) { bench throws(OutgoingHandoverError) in
        bench.handover.prune(into: &bench.frames)
      },
    ]
  }

  private static var subtrees: [HandoverScenario] {
    [
      HandoverScenario(
        "add a subtree",
        setUp: {
          $0.run = try $0.handover.allocatePreserved(frameCount: 3, from: &$0.frames)
        }
      ) { bench throws(OutgoingHandoverError) in
        try bench.handover.addSubtree(
          bench.run.range(in: bench.geometry), named: "gamma", from: &bench.frames)
      },
      HandoverScenario("create a subtree") { bench throws(OutgoingHandoverError) in
        let byteCount = UInt64(bench.geometry.pageByteCount * 5 + 1)
        try bench.handover.createSubtree(
          named: "gamma", byteCount: byteCount, from: &bench.frames
        ) { $0.fillBytes(seed: 7) }
      },
      HandoverScenario("replace a subtree") { bench throws(OutgoingHandoverError) in
        try bench.handover.replaceSubtree(
          named: "alpha", byteCount: 200, from: &bench.frames
        ) { $0.fillBytes(seed: 8) }
      },
      HandoverScenario("replace a subtree by a larger one") { bench throws(OutgoingHandoverError) in
        let byteCount = UInt64(bench.geometry.pageByteCount * 6)
        try bench.handover.replaceSubtree(
          named: "beta", byteCount: byteCount, from: &bench.frames
        ) { $0.fillBytes(seed: 9) }
      },
      HandoverScenario("remove a subtree") { bench throws(OutgoingHandoverError) in
        try bench.handover.removeSubtree(named: "alpha", from: &bench.frames)
      },
      HandoverScenario("remove and free a subtree") { bench throws(OutgoingHandoverError) in
        try bench.handover.removeSubtreeAndFree(named: "beta", from: &bench.frames)
      },
    ]
  }

  private static var records: [HandoverScenario] {
    [
      HandoverScenario("add kexec metadata") { bench throws(OutgoingHandoverError) in
        try bench.handover.addKexecMetadata(
          KexecMetadata(previousRelease: "7.3.4", kexecCount: 3), from: &bench.frames)
      },
      HandoverScenario(
        "add reserved regions",
        setUp: { bench in
          for order in [0, 2, 3] { bench.blocks.append(try bench.take(order)) }
          try bench.handover.preserve(bench.blocks[1], from: &bench.frames)
        }
      ) { bench throws(OutgoingHandoverError) in
        let geometry = bench.geometry
        let regions = bench.blocks.enumerated().map { index, block in
          ReservedRegion(name: "region\(index)", range: block.range(in: geometry))
        }
        try bench.handover.addReservedRegions(regions, from: &bench.frames)
      },
      HandoverScenario("allocate records") { bench throws(OutgoingHandoverError) in
        let (size, count) = bench.recordShape
        bench.records = try bench.handover.allocateRecords(
          recordByteCount: size, recordCount: count, from: &bench.frames)
      },
      HandoverScenario(
        "free records",
        setUp: { bench in
          let (size, count) = bench.recordShape
          bench.records = try bench.handover.allocateRecords(
            recordByteCount: size, recordCount: count, from: &bench.frames)
        }
      ) { bench throws(OutgoingHandoverError) in
        guard let records = bench.records.take() else { preconditionFailure("no records") }
        bench.handover.free(records, into: &bench.frames)
      },
    ]
  }
}

extension HandoverBench {
  /// Takes 13 frames of the test's own that begin at an odd one.
  fileprivate mutating func takeOddRun() throws {
    let block = FrameRange(try take(4), in: geometry)
    run = FrameRange(start: FrameNumber(block.start.rawValue + 1), frameCount: 13)
  }

  /// Takes blocks of the test's own, the highest first.
  fileprivate mutating func takeBlocks(count: Int, order: Int) throws {
    blocks = []
    for _ in 0..<count { blocks.append(try take(order)) }
    blocks.reverse()
  }

  /// A size of records of which two fill a block, and their number.
  package var recordShape: (byteCount: Int, count: UInt64) {
    ((geometry.pageByteCount - 16) / 2, UInt64(2 * Self.recordBlockCount - 1))
  }
}

extension MutableRawSpan {
  /// Fills the bytes with a pattern of `seed`.
  @_lifetime(self: copy self)
  package mutating func fillBytes(seed: Int) {
    for offset in 0..<min(byteCount, 512) {
      storeBytes(
        of: UInt8(truncatingIfNeeded: offset &* 31 &+ seed), toByteOffset: offset, as: UInt8.self)
    }
  }
}
