import HandoverTestSupport
import KexecHandover
import Testing

/// Every operation with every take of frames failing in turn: nothing changes, nothing leaks.
@Suite(.namesCombination)
struct OutgoingFailureTests {
  static let shifts = [6, 12, 14, 16]

  @Test(arguments: shifts)
  func everyTakeFails(shift: Int) throws {
    var failureCount = 0
    try withEvery("scenario", in: HandoverScenario.all) { scenario in
      try withEvery("version", in: Self.versions(shift)) { version in
        var bench = try HandoverBench(shift: shift, version: version)
        try HandoverScenario.populate(&bench)
        try scenario.setUp(&bench)
        failureCount += try bench.failEveryTake(scenario.operation)
        try bench.checkFrames()
      }
    }
    #expect(failureCount > 30)
  }

  private static func versions(_ shift: Int) -> [ABIVersion] {
    shift == 12 ? [.v2, .v3, .v4] : [.v4]
  }

  @Test(arguments: shifts)
  func everyTakeOfTheBeginningFails(shift: Int) throws {
    let geometry = PageGeometry(shift: shift)
    let (memory, _) = try HandoverBench.memory(geometry, frameCount: 512)
    let allocator = try BuddyAllocator(
      free: [FrameRange(within: memory.base.range, in: geometry)], in: memory, geometry: geometry)
    var frames = TrackedFrames(allocator, in: memory, geometry: geometry)
    let anchor = RecordingAnchor.State()
    var take = 1
    while true {
      frames.takesUntilFailure = take
      do throws(OutgoingHandoverError) {
        let handover = try OutgoingHandover(
          in: memory, geometry: geometry,
          anchor: RecordingAnchor(anchor, journal: memory.journal), from: &frames)
        #expect(handover.anchor.deviceTree == handover.deviceTree.address)
        break
      } catch {
        guard case .outOfFrames = error else { throw error }
      }
      let isUnused = frames.out.isEmpty
      try #require(isUnused && anchor.deviceTree == .zero && anchor.pending == nil)
      take += 1
    }
    #expect(take > 3)
    let found = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
    #expect(found.state.entries == [try #require(found.deviceTreeBlock)])
    #expect(found.state.subtrees.isEmpty)
    let out = frames.out
    #expect(out == found.entryFrames(in: geometry).union(found.nodes))
  }
}
