import HandoverTestSupport
import KexecHandover
import Testing

/// Random operations against a plain account, and a successor that takes all of it over.
@Suite(.namesCombination)
struct OutgoingModelTests {
  struct Setting: Sendable, CustomStringConvertible {
    let shift: Int
    let version: ABIVersion
    var description: String { "\(version.compatible), 2^\(shift)" }
  }

  private static let settings = [
    Setting(shift: 6, version: .v2), Setting(shift: 6, version: .v3),
    Setting(shift: 6, version: .v4), Setting(shift: 12, version: .v2),
    Setting(shift: 12, version: .v4), Setting(shift: 14, version: .v3),
    Setting(shift: 14, version: .v4), Setting(shift: 16, version: .v4),
  ]

  @Test(arguments: settings)
  func randomOperations(_ setting: Setting) throws {
    try withEvery("seed", in: 0..<(setting.shift > 12 ? 2 : 6) as Range<UInt64>) { seed in
      let bench = try HandoverBench(
        shift: setting.shift, version: setting.version,
        frameCount: setting.shift == 6 ? 3000 : 600, scratchFrameCount: 50,
        // Nodes begin inside blocks, which no run crosses.
        nodeStarts: seed % 2 == 0 ? [] : [201, 333])
      var model = HandoverModel(bench, seed: seed)
      try withEvery("step", in: 0..<300) { step in
        try model.step()
        if step % 10 == 9 { try model.check() }
        if step % 50 == 49 { try model.checkNothingLost() }
      }
      #expect(model.counts.count >= 13)
      var generator = SeededGenerator(seed: seed)
      try takeOver(model, using: &generator)
    }
  }

  private func takeOver(
    _ model: borrowing HandoverModel, using generator: inout SeededGenerator
  ) throws {
    let geometry = model.bench.geometry
    let found = try model.bench.survey()
    var successor = try Successor(
      at: model.bench.anchor.deviceTree, in: model.bench.memory, geometry: geometry)
    try successor.checkFrames()
    for block in successor.unrestored.shuffled(using: &generator) {
      if block.address.rawValue >> UInt64(geometry.shift) & 1 == 0 {
        try successor.restore(block)
      } else {
        try successor.incoming.restoreAndFree(block, into: &successor.frames)
      }
      #expect(throws: IncomingHandoverError.alreadyRestored(block)) {
        try successor.restore(block)
      }
    }
    #expect(successor.unrestored.isEmpty)
    successor.incoming.retire(into: &successor.frames)
    var kept: Set<UInt64> = []
    for entry in found.state.entries
    where entry.address.rawValue >> UInt64(geometry.shift) & 1 == 0 {
      kept.formUnion(FrameRange(entry, in: geometry).numbers)
    }
    #expect(successor.frames.out == kept)
    try successor.checkFrames()
  }
}
