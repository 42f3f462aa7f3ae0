import HandoverTestSupport
import KexecHandover
import Testing

/// Subtrees: names, a device tree of many pages, and what holds their memory.
@Suite(.namesCombination)
struct SubtreeTests {
  @Test(arguments: [(6, ABIVersion.v4, 60), (12, .v4, 130), (12, .v2, 70), (14, .v3, 170)])
  func manySubtrees(shift: Int, version: ABIVersion, count: Int) throws {
    var bench = try HandoverBench(
      shift: shift, version: version, frameCount: shift == 6 ? 16384 : 512)
    let page = try bench.handover.allocatePreserved(.zero, from: &bench.frames)
    let range = page.range(in: bench.geometry)
    var names: [String] = []
    var orders: Set<UInt8> = []
    // Names of all lengths, so that the device tree ends at every place of a page.
    for index in 0..<count {
      let name = "\(index)-" + String(repeating: "n", count: index % 97)
      try bench.handover.addSubtree(range, named: name, from: &bench.frames)
      names.append(name)
      orders.insert(bench.handover.deviceTree.order.rawValue)
      if index % 7 == 3 || index == count - 1 {
        let found = try bench.survey()
        #expect(found.survey.subtrees.map(\.subtree.name) == names)
        #expect(found.state.entries == [page, bench.handover.deviceTree])
        let byteCount = UInt64(try #require(found.survey.deviceTree).byteCount)
        let size = bench.geometry.blockByteCount(bench.handover.deviceTree.order)
        #expect(
          byteCount <= size && (byteCount > size / 2 || bench.handover.deviceTree.order == .zero))
      }
    }
    #expect(orders.count >= [6: 5, 12: 2, 14: 2][shift] ?? 0)
    try bench.checkFrames()
    // And back, to the smallest block again.
    var generator = SeededGenerator(seed: 3)
    for name in names.shuffled(using: &generator) {
      try bench.handover.removeSubtree(named: name, from: &bench.frames)
    }
    #expect(
      bench.handover.deviceTree.order.frameCount * UInt64(bench.geometry.pageByteCount)
        <= max(256, UInt64(bench.geometry.pageByteCount)))
    #expect(try bench.survey().state.subtrees.isEmpty)
    try bench.handover.unpreserveAndFree(page, into: &bench.frames)
    try bench.checkFrames()
  }

  @Test func theLargestDeviceTree() throws {
    var bench = try HandoverBench(shift: 16, frameCount: 256)
    let page = try bench.handover.allocatePreserved(.zero, from: &bench.frames)
    let range = page.range(in: bench.geometry)
    // A device tree of almost 2 MiB, most of it one property, which costs least to copy.
    let zeros = [UInt8](repeating: 0, count: (2 << 20) - 600)
    let root = bench.handover.tree.root
    let taken = bench.frames.takeBlock(PageOrder(5))
    let block = try #require(taken)
    let written = try bench.memory.withMutableBytes(in: block.range(in: bench.geometry)) { bytes in
      try DeviceTreeWriter.write(into: &bytes) { writer throws(DeviceTreeWriterError) in
        try writer.property("compatible", string: "kho-v4")
        try writer.property("preserved-memory-map", nativeUInt64: root.rawValue)
        // Room for a few subtrees is left.
        try zeros.withRawSpan { (zeros) throws(DeviceTreeWriterError) in
          try writer.property("padding", bytes: zeros)
        }
      }
    }
    try bench.handover.preserve(block, from: &bench.frames)
    let former = bench.handover.deviceTree
    bench.anchor.deviceTree = block.address
    bench.handover = try OutgoingHandover.adopting(
      bench.survey(), in: bench.memory,
      anchor: RecordingAnchor(bench.anchor, journal: bench.memory.journal))
    try #require(bench.handover.deviceTree == block && written < 2 << 20)
    bench.handover.tree.remove(RadixKey(former, in: bench.geometry))
    bench.frames.giveBack(former, in: bench.geometry)

    var count = 0
    while true {
      let before = try bench.survey().state
      let out = bench.frames.out
      do throws(OutgoingHandoverError) {
        try bench.handover.addSubtree(range, named: "more-\(count)", from: &bench.frames)
        count += 1
        precondition(count < 9, "no end of subtrees")
      } catch {
        guard case .deviceTreeTooLarge(let byteCount, let limit) = error else { throw error }
        #expect(limit == 2 << 20 && byteCount > limit && byteCount < limit + 300)
        #expect(try bench.survey().state == before)
        #expect(bench.frames.out == out)
        break
      }
    }
    #expect(count > 0)
    try bench.handover.removeSubtree(named: "more-0", from: &bench.frames)
    try bench.handover.addSubtree(range, named: "more", from: &bench.frames)
    try bench.checkFrames()
  }

  @Test func namesThatAreRefused() throws {
    var bench = try HandoverBench(shift: 12)
    try HandoverScenario.populate(&bench)
    let page = try bench.handover.allocatePreserved(.zero, from: &bench.frames)
    let before = try bench.survey().state
    let out = bench.frames.out
    let longest = String(repeating: "n", count: DeviceTree.maximumNameByteCount)
    for (name, error) in [
      ("", .deviceTreeUnwritable(.emptyName)),
      ("a/b", .deviceTreeUnwritable(.nameContainsSlash(offset: 1))),
      ("/", .deviceTreeUnwritable(.nameContainsSlash(offset: 0))),
      ("a\0b", .deviceTreeUnwritable(.nameContainsNUL(offset: 1))),
      (longest + "n", .deviceTreeUnwritable(.nameTooLong(byteCount: longest.utf8.count + 1))),
      ("alpha", .subtreeExists),
    ] as [(String, OutgoingHandoverError)] {
      try withCombination("name", name) {
        #expect(throws: error) {
          try bench.handover.addSubtree(
            page.range(in: bench.geometry), named: name, from: &bench.frames)
        }
        #expect(throws: error) {
          try bench.handover.createSubtree(named: name, byteCount: 9, from: &bench.frames) { _ in }
        }
        if error != .subtreeExists {
          #expect(throws: OutgoingHandoverError.noSuchSubtree) {
            try bench.handover.removeSubtree(named: name, from: &bench.frames)
          }
          #expect(throws: OutgoingHandoverError.noSuchSubtree) {
            try bench.handover.replaceSubtree(
              named: name, byteCount: 9, from: &bench.frames
            ) { _ in }
          }
        }
        try #require(try bench.survey().state == before)
        #expect(bench.frames.out == out)
      }
    }
    // The same letters in another form of Unicode are another name, as they are in a device tree.
    for name in [longest, "e\u{301}", "\u{e9}", "a b", "-"] {
      try bench.handover.createSubtree(named: name, byteCount: 1, from: &bench.frames) { _ in }
    }
    try bench.handover.removeSubtreeAndFree(named: "\u{e9}", from: &bench.frames)
    #expect(try bench.handover.subtree(named: "\u{e9}") == nil)
    #expect(try bench.handover.subtree(named: "e\u{301}") != nil)
  }

  @Test func rangesThatAreRefused() throws {
    var bench = try HandoverBench(shift: 12)
    let block = try bench.handover.allocatePreserved(PageOrder(1), from: &bench.frames)
    let range = block.range(in: bench.geometry)
    let before = try bench.survey().state
    let everything = PhysicalRange(start: .zero, byteCount: .max)
    let tooFar = PhysicalRange(start: range.start, byteCount: range.byteCount + 1)
    for (wrong, error) in [
      (PhysicalRange(start: range.start, byteCount: 0), nil),
      (everything, nil), (tooFar, .subtreeNotPreserved(tooFar)),
      (PhysicalRange(start: PhysicalAddress(1 << 50), byteCount: 8), nil),
    ] as [(PhysicalRange, OutgoingHandoverError?)] {
      #expect(throws: error ?? .outsideMemory(wrong)) {
        try bench.handover.addSubtree(wrong, named: "wrong", from: &bench.frames)
      }
    }
    #expect(try bench.survey().state == before)
  }

  @Test(arguments: [ABIVersion.v2, .v3, .v4])
  func memoryOfASubtreeStaysPreserved(_ version: ABIVersion) throws {
    var bench = try HandoverBench(shift: 12, version: version)
    let geometry = bench.geometry
    let block = try bench.handover.allocatePreserved(PageOrder(2), from: &bench.frames)
    let range = block.range(in: geometry)
    let inner = PhysicalRange(start: range.start.advanced(byBytes: 5000), byteCount: 100)
    try bench.handover.addSubtree(range, named: "outer", from: &bench.frames)
    try bench.handover.addSubtree(inner, named: "inner", from: &bench.frames)
    let own = try bench.handover.createSubtree(
      named: "own", byteCount: 3 << 12, from: &bench.frames
    ) { $0.fillBytes(seed: 1) }
    let part = PhysicalRange(start: own.start, byteCount: 8)
    try bench.handover.addSubtree(part, named: "part", from: &bench.frames)

    let state = try bench.survey().state
    #expect(throws: OutgoingHandoverError.self) { try bench.handover.unpreserve(block) }
    #expect(throws: OutgoingHandoverError.self) {
      try bench.handover.unpreserveAndFree(
        FrameRange(covering: own, in: geometry), into: &bench.frames)
    }
    // Another subtree's memory is not freed with it, nor replaced.
    #expect(throws: OutgoingHandoverError.self) {
      try bench.handover.removeSubtreeAndFree(named: "own", from: &bench.frames)
    }
    #expect(throws: OutgoingHandoverError.self) {
      try bench.handover.replaceSubtree(named: "own", byteCount: 1, from: &bench.frames) { _ in }
    }
    #expect(try bench.survey().state == state)

    try bench.handover.removeSubtree(named: "outer", from: &bench.frames)
    #expect(throws: OutgoingHandoverError.self) { try bench.handover.unpreserve(block) }
    try bench.handover.removeSubtree(named: "inner", from: &bench.frames)
    try bench.handover.unpreserveAndFree(block, into: &bench.frames)
    try bench.handover.removeSubtree(named: "part", from: &bench.frames)
    try bench.handover.removeSubtreeAndFree(named: "own", from: &bench.frames)
    #expect(try bench.survey().state.entries == [bench.handover.deviceTree])
    try bench.checkFrames()
  }

  @Test(arguments: [6, 12])
  func blocksAcrossNodes(shift: Int) throws {
    // A node begins in the middle of every block of order 3.
    var bench = try HandoverBench(
      shift: shift, nodeStarts: (0..<256).map { UInt64($0) * 8 + 4 })
    let block = try bench.handover.allocatePreserved(PageOrder(3), from: &bench.frames)
    #expect(try bench.survey().state.entries.contains(block))
    let run = try bench.handover.allocatePreserved(frameCount: 8, from: &bench.frames)
    #expect(
      try bench.survey().state.entries.isDisjoint(with: NaturalBlocks(run, in: bench.geometry)))
    for index in 0..<40 {
      try bench.handover.createSubtree(
        named: "blob\(index)" + String(repeating: "n", count: 150),
        byteCount: UInt64(8 << shift), from: &bench.frames
      ) { $0.fillBytes(seed: index) }
    }
    #expect(try bench.survey().state.entries.contains(bench.handover.deviceTree))
    for index in 0..<40 {
      try bench.handover.removeSubtreeAndFree(
        named: "blob\(index)" + String(repeating: "n", count: 150), from: &bench.frames)
    }
    try bench.handover.unpreserveAndFree(run, into: &bench.frames)
    try bench.handover.unpreserveAndFree(block, into: &bench.frames)
    try bench.checkFrames()
  }

  @Test func versionsThatAreNotWritten() throws {
    for (shift, version, isWritten) in [
      (12, ABIVersion.v1, false), (12, .v2, true), (14, .v2, false), (14, .v3, true),
      (16, .v2, true), (16, .v1, false),
    ] {
      let geometry = PageGeometry(shift: shift)
      if isWritten {
        let bench = try HandoverBench(shift: shift, version: version)
        #expect(try bench.survey().survey.deviceTree?.version == version)
      } else {
        #expect(throws: OutgoingHandoverError.versionNotWritable(version, geometry)) {
          _ = try HandoverBench(shift: shift, version: version)
        }
      }
    }
  }
}
