import HandoverTestSupport
import KexecHandover
import Testing

/// A writer that dies after any store of any operation leaves a handover that can be read as it is,
/// and that is the one before the operation or the one after it once the recorded change is
/// completed.
@Suite(.namesCombination)
struct CrashPointTests {
  @Test(arguments: HandoverScenario.all)
  func everyStore(_ scenario: HandoverScenario) throws {
    // Toy pages tear each store into single words. Larger pages take the calls as they come.
    for (shift, version) in [(6, ABIVersion.v4), (6, .v2), (12, .v4)] {
      let isTorn = shift == 6
      try withCombination("pages", "2^\(shift), \(version)") {
        let frameCount: UInt64 = shift == 6 ? 2048 : 256
        var bench = try HandoverBench(shift: shift, version: version, frameCount: frameCount)
        try HandoverScenario.populate(&bench)
        try scenario.setUp(&bench)
        var replay = try CrashReplay(of: bench)
        let events = try bench.memory.journal.recording { try scenario.operation(&bench) }
        let after = try bench.survey().state
        try replay.run(events, after: after, isTorn: isTorn)
        #expect(events.count > 0)
      }
    }
  }

  /// The whole handover appears at once, when the anchor's pointer is stored.
  @Test(arguments: [6, 12])
  func everyStoreOfTheBeginning(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let (memory, map) = try HandoverBench.memory(geometry, frameCount: 256)
    let allocator = try BuddyAllocator(
      free: [FrameRange(within: memory.base.range, in: geometry)], in: memory, geometry: geometry,
      maximumOrder: PageOrder(10))
    #expect(allocator.mapRange == map)
    var frames = TrackedFrames(allocator, in: memory, geometry: geometry)
    let anchor = RecordingAnchor.State()
    let events = try memory.journal.recording {
      _ = try OutgoingHandover(
        in: memory, geometry: geometry,
        anchor: RecordingAnchor(anchor, journal: memory.journal), from: &frames)
    }
    let after = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry).state
    memory.base.undo(events)
    var switchCount = 0
    for event in events {
      switch event {
      case .stores(let changes): memory.base.apply(changes)
      case .switchDeviceTree(let deviceTree):
        switchCount += 1
        #expect(
          try SurveyedHandover(at: deviceTree, in: memory, geometry: geometry).state == after)
      case .begin, .end: Issue.record("a change of nothing that a successor sees")
      }
      if switchCount > 0 {
        let now = try SurveyedHandover(at: after.deviceTree, in: memory, geometry: geometry)
        #expect(now.state == after)
      }
    }
    #expect(switchCount == 1)
  }

  /// An anchor of one word records no changes: after any store the handover is sound all the same,
  /// and a subtree is there as a whole or not at all.
  @Test(arguments: [ABIVersion.v2, .v3, .v4])
  func everyStoreWithoutARecord(_ version: ABIVersion) throws {
    let geometry = PageGeometry.pages4KiB
    let (memory, _) = try HandoverBench.memory(geometry, frameCount: 256)
    let allocator = try BuddyAllocator(
      free: [FrameRange(within: memory.base.range, in: geometry)], in: memory, geometry: geometry,
      maximumOrder: PageOrder(10))
    var frames = TrackedFrames(allocator, in: memory, geometry: geometry)
    let word = try #require(memory.base.range.last).rawValue - 7
    let page = FrameNumber(containing: PhysicalAddress(word), in: geometry)
    try frames.base.allocate(FrameRange(start: page, frameCount: 1))
    memory.setWord(0, at: word)
    var handover = try OutgoingHandover(
      in: memory, geometry: geometry, version: version,
      anchor: WordAnchor(at: PhysicalAddress(word), in: memory), from: &frames)
    #expect(handover.anchor.deviceTree == handover.deviceTree.address)
    let run = try handover.allocatePreserved(frameCount: 11, from: &frames)

    let events = try memory.journal.recording {
      try handover.createSubtree(named: "a", byteCount: 9000, from: &frames) {
        $0.fillBytes(seed: 1)
      }
      try handover.replaceSubtree(named: "a", byteCount: 20_000, from: &frames) {
        $0.fillBytes(seed: 2)
      }
      let area = try handover.allocatePreservedArea(blockCount: 7, from: &frames)
      try handover.unpreserveAndFree(area, into: &frames)
      try handover.removeSubtreeAndFree(named: "a", from: &frames)
      try handover.unpreserveAndFree(run, into: &frames)
    }
    memory.base.undo(events)
    var seen: Set<UInt8?> = []
    for case .stores(let changes) in events {
      memory.base.apply(changes)
      let now = try SurveyedHandover(
        at: PhysicalAddress(memory.word(at: word)), in: memory, geometry: geometry)
      let bytes = now.state.subtrees["a"]?.bytes
      seen.insert(bytes?[0])
      if let bytes {
        for offset in 0..<512 {
          try #require(bytes[offset] == UInt8(truncatingIfNeeded: offset * 31 + Int(bytes[0])))
        }
      }
    }
    #expect(seen == [nil, 1, 2])
  }
}
