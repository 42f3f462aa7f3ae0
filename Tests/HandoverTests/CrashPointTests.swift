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
    for (shift, isTorn) in [(6, true), (12, false)] {
      try withCombination("shift", shift) {
        let frameCount: UInt64 = shift == 6 ? 2048 : 256
        var bench = try HandoverBench(shift: shift, frameCount: frameCount)
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
}
