import HandoverTestSupport
import KexecHandover
import Testing

/// Taking over what real kernels handed over, and refusing what cannot be relied upon.
@Suite(.namesCombination)
struct TakeOverTests {
  /// A copy of the image in memory of a machine of 256 MiB.
  private func machine(_ fixture: Fixture) throws -> RecordingMemory {
    let image = try fixture.open()
    let memory = try AnonymousMemory(PhysicalRange(start: .zero, byteCount: 256 << 20))
    var next: PhysicalAddress? = .zero
    while let from = next, let range = image.storedRange(atOrAfter: from), let last = range.last {
      let bytes = try #require(image.withBytes(in: range) { $0.copiedBytes() })
      memory.withMutableBytes(in: range) { target in
        for (offset, byte) in bytes.enumerated() where byte != 0 {
          target.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        }
      }
      next = PhysicalAddress(last.rawValue + 1)
    }
    return RecordingMemory(memory)
  }

  @Test(arguments: Fixture.all)
  func everyEntryOfARealHandover(_ fixture: Fixture) throws {
    let expectations = try fixture.expectations()
    let geometry = PageGeometry(shift: expectations.pageShift)
    for expected in expectations.handovers {
      let memory = try machine(fixture)
      let deviceTree = PhysicalAddress(expected.fdtAddress)
      guard expected.readable == true else {
        #expect {
          _ = try IncomingHandover(at: deviceTree, in: memory, geometry: geometry)
        } throws: { error in
          guard case .damaged(let finding)? = error as? IncomingHandoverError else { return false }
          return finding.severity == .error
        }
        continue
      }
      let survey = HandoverSurvey(.memory(deviceTree), in: memory, geometry: geometry)
      var entries: Set<UInt64> = []
      survey.pages?.forEachBlock(in: memory) {
        entries.formUnion(FrameRange($0, in: geometry).numbers)
      }
      var successor = try Successor(at: deviceTree, in: memory, geometry: geometry)
      #expect(successor.incoming.version.compatible == expected.compatible)
      try successor.checkFrames()
      let blocks = successor.unrestored
      #expect(UInt64(blocks.count) == expected.entryCount)
      for (name, properties) in expected.subtrees ?? [:] {
        let subtree = try successor.incoming.subtree(named: name)
        #expect(
          subtree.subtree.address.rawValue == properties["preserved-data"] ?? properties["fdt"])
      }
      for block in blocks {
        try successor.restore(block)
        #expect(throws: IncomingHandoverError.alreadyRestored(block)) {
          try successor.restore(block)
        }
        if block.order > .zero {
          let tail = PhysicalBlock(
            address: block.address.advanced(byBytes: UInt64(geometry.pageByteCount)), order: .zero)
          #expect(throws: IncomingHandoverError.differsFromEntry(tail, entry: block)) {
            try successor.restore(tail)
          }
        }
      }
      #expect(successor.unrestored.isEmpty)
      #expect(successor.incoming.retire(into: &successor.frames) > 0)
      #expect(successor.frames.out == entries)
      try successor.checkFrames()
    }
  }

  /// A real handover of kho-v3 and later goes on in place: subtrees come and go, and the records of
  /// the kernel stay sound.
  @Test(arguments: Fixture.all.filter { !$0.name.contains("v1") })
  func realHandoversGoOn(_ fixture: Fixture) throws {
    let expectations = try fixture.expectations()
    let geometry = PageGeometry(shift: expectations.pageShift)
    for expected in expectations.handovers where expected.readable == true {
      let memory = try machine(fixture)
      let anchor = RecordingAnchor.State(deviceTree: PhysicalAddress(expected.fdtAddress))
      let before = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
      var successor = try Successor(at: anchor.deviceTree, in: memory, geometry: geometry)
      var handover = try OutgoingHandover.adopting(
        before, in: memory, anchor: RecordingAnchor(anchor, journal: memory.journal))
      let range = try handover.createSubtree(
        named: "ours", byteCount: 10_000, from: &successor.frames
      ) { $0.fillBytes(seed: 3) }
      let found = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
      #expect(found.state.subtrees["ours"]?.address == range.start)
      #expect(found.state.subtrees.count == before.state.subtrees.count + 1)
      for (name, subtree) in before.state.subtrees {
        #expect(found.state.subtrees[name] == subtree)
      }
      #expect(
        found.survey.checkRecords(in: memory).findings
          == before.survey.checkRecords(in: memory).findings)
      try handover.removeSubtreeAndFree(named: "ours", from: &successor.frames)
      let after = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
      #expect(after.state.subtrees == before.state.subtrees)
    }
  }

  /// What damages a handover, and what is said about it.
  private struct Damage: Sendable {
    let name: String
    let make: @Sendable (inout HandoverBench) throws -> Void
    let isMeant: @Sendable (HandoverFinding) -> Bool
  }

  private static let damages = [
    Damage(name: "no device tree", make: { $0.anchor.deviceTree = PhysicalAddress(0x1004_0000) }) {
      if case .deviceTreeUnreadable = $0 { true } else { false }
    },
    Damage(
      name: "device tree overwritten",
      make: { $0.memory.setWord(0, at: $0.anchor.deviceTree.rawValue) }
    ) { if case .deviceTreeMalformed = $0 { true } else { false } },
    Damage(
      name: "a pointer to nowhere",
      make: { bench in
        let root = bench.handover.tree.root.rawValue
        bench.memory.setWord(1 << 50, at: root + 8 * 200)
      }
    ) { if case .pages = $0 { true } else { false } },
    Damage(
      name: "a pointer back to the root",
      make: { bench in
        let root = bench.handover.tree.root.rawValue
        bench.memory.setWord(root, at: root + 8)
      }
    ) { if case .pages(.cycle) = $0 { true } else { false } },
    Damage(
      name: "an entry outside memory",
      make: { try $0.mark(PhysicalBlock(address: PhysicalAddress(1 << 40), order: .zero)) }
    ) { if case .pages(.blocksOutsideMemory) = $0 { true } else { false } },
    Damage(
      name: "an entry over a node",
      make: { try $0.mark(PhysicalBlock(address: $0.handover.tree.root, order: .zero)) }
    ) { if case .pages(.blockOverNode) = $0 { true } else { false } },
    Damage(
      name: "an entry over another",
      make: {
        let block = try $0.handover.allocatePreserved(PageOrder(3), from: &$0.frames)
        try $0.mark(PhysicalBlock(address: block.address, order: PageOrder(1)))
      }
    ) { if case .pages(.blocksOverlap) = $0 { true } else { false } },
    Damage(
      name: "an entry over the device tree",
      make: { bench in
        let tree = bench.handover.deviceTree
        bench.handover.tree.remove(RadixKey(tree, in: bench.geometry))
        let size = bench.geometry.blockByteCount(PageOrder(4))
        try bench.mark(
          PhysicalBlock(
            address: PhysicalAddress(tree.address.rawValue & ~(size - 1)), order: PageOrder(4)))
      }
    ) { if case .pages = $0 { true } else { false } },
  ]

  @Test func damagedHandoversAreRefused() throws {
    try withEvery("damage", in: Self.damages.indices) { index in
      let damage = Self.damages[index]
      var bench = try HandoverBench(shift: 12)
      try HandoverScenario.populate(&bench)
      try damage.make(&bench)
      var thrown: IncomingHandoverError?
      do throws(IncomingHandoverError) {
        _ = try IncomingHandover(
          at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
      } catch { thrown = error }
      guard case .damaged(let finding)? = thrown else {
        Issue.record("\(damage.name): \(String(describing: thrown))")
        return
      }
      #expect(finding.severity == .error && damage.isMeant(finding), "\(damage.name): \(finding)")
    }
  }

  @Test func aDamagedSubtreeIsRefusedWhenItIsAskedFor() throws {
    var bench = try HandoverBench(shift: 12)
    try HandoverScenario.populate(&bench)
    let alpha = try #require(try bench.survey().state.subtrees["alpha"])
    // Not preserved any more, behind the back of the handover.
    bench.handover.tree.remove(RadixKey(alpha.address, order: .zero, in: bench.geometry))
    let incoming = try IncomingHandover(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    #expect(throws: IncomingHandoverError.subtreeNotPreserved(address: alpha.address)) {
      _ = try incoming.subtree(named: "alpha")
    }
    #expect(try incoming.subtree(named: "beta").isPreserved)
  }

  /// Changes that were not begun, as a damaged memory file may record them.
  @Test func recordedChangesThatAreDamaged() throws {
    var bench = try HandoverBench(shift: 12)
    try HandoverScenario.populate(&bench)
    let geometry = bench.geometry
    let own = try bench.take(0)
    let misaligned = PhysicalBlock(address: own.address.advanced(byBytes: 8), order: .zero)
    let outside = PhysicalBlock(address: PhysicalAddress(1 << 40), order: PageOrder(2))
    let items: [HandoverChange.Item] = [
      .block(misaligned), .block(outside),
      .block(PhysicalBlock(address: .zero, order: PageOrder(63))),
      .frames(FrameRange(start: FrameNumber(.max - 5), frameCount: 4)),
      .frames(FrameRange(start: FrameNumber(0), frameCount: .max)),
      .frames(FrameRange(start: FrameNumber(1 << 40), frameCount: 1 << 13)),
      .area(VmallocArea(firstChunk: PhysicalAddress(1 << 40), pageCount: 1)),
      .area(VmallocArea(firstChunk: PhysicalAddress(12), pageCount: 1)),
      .area(VmallocArea(firstChunk: own.address, pageCount: 1)),
      .keys(PhysicalAddress(12)), .keys(PhysicalAddress(1 << 40)), .keys(own.address),
    ]
    // Garbage where keys are to be read.
    let state = try bench.survey().state
    try withEvery("item", in: items.indices) { index in
      for isMarked in [true, false] {
        var change = HandoverChange()
        if isMarked {
          change.preserved.append(items[index])
        } else {
          change.unpreserved.append(items[index])
        }
        #expect(throws: OutgoingHandoverError.self) { try bench.handover.complete(change) }
        try #require(try bench.survey().state == state)
      }
    }
    // A list that leads back to itself.
    bench.memory.withWords(at: own.address, count: geometry.pageWordCount) { $0.clear() }
    bench.memory.setWord(own.address.rawValue, at: own.address.rawValue)
    var change = HandoverChange()
    change.preserved.append(.keys(own.address))
    #expect(throws: OutgoingHandoverError.areaDamaged(.chainCycle(own.address))) {
      try bench.handover.complete(change)
    }
    // A device tree that is not an entry, and bytes that are not a device tree.
    change = HandoverChange()
    change.deviceTree = own.address
    #expect(throws: OutgoingHandoverError.deviceTreeNotPreserved(own.address)) {
      try bench.handover.complete(change)
    }
    #expect(try bench.survey().state == state)
    let block = try #require(state.entries.first { $0.order == PageOrder(3) })
    bench.memory.setWord(0, at: block.address.rawValue)
    change.deviceTree = block.address
    #expect(throws: OutgoingHandoverError.self) { try bench.handover.complete(change) }
    #expect(bench.anchor.deviceTree == state.deviceTree)
    // A block that needs nodes which do not exist.
    change = HandoverChange()
    change.preserved.append(
      .block(PhysicalBlock(address: bench.memory.base.range.start, order: PageOrder(8))))
    #expect(throws: OutgoingHandoverError.outOfFrames(frameCount: 1)) {
      try bench.handover.complete(change)
    }
    #expect(try bench.survey().state == state)
  }
}

extension HandoverBench {
  /// Marks a block behind the back of the handover.
  fileprivate mutating func mark(_ block: PhysicalBlock) throws {
    try handover.tree.insert(RadixKey(block, in: geometry), from: &frames)
  }
}
