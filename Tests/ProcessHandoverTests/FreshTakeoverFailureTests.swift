import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import ProcessHandover

/// Take-overs in which storage ends at every take in turn.
@Suite(.namesCombination) struct FreshTakeoverFailureTests {
  private struct Operation: Sendable {
    let name: String
    let run: @Sendable (inout FreshTakeover, PreservedMemoryBench) throws -> Void
  }

  private static let operations = [
    Operation(name: "region") { takeover, _ in try takeover.keepRegion(named: "text") },
    Operation(name: "area") { takeover, _ in try takeover.keepArea(named: "scattered") },
    Operation(name: "run") { takeover, bench in try takeover.keep(bench.run) },
    Operation(name: "block") { takeover, bench in try takeover.keep(bench.block) },
    Operation(name: "blocks") { takeover, bench in try takeover.keep(bench.blocks) },
  ]

  @Test(arguments: PreservedMemoryBench.geometries)
  func keepingFailsAtEveryTake(geometry: PageGeometry) throws {
    for operation in Self.operations {
      try withCombination("operation", operation.name) {
        for keepsFirst in [false, true] {
          var takeCount = 0
          while try !keeps(operation, takeCount, keepsFirst: keepsFirst, geometry) {
            takeCount += 1
          }
          // A block whose leaf is there takes nothing.
          try #require(takeCount > 0 || keepsFirst)
        }
      }
    }
  }

  /// Whether so many takes suffice. Where they do not, nothing has changed, and it can be tried again.
  private func keeps(
    _ operation: Operation, _ takeCount: Int, keepsFirst: Bool, _ geometry: PageGeometry
  ) throws -> Bool {
    try withResult("takes", takeCount) {
      let bench = try PreservedMemoryBench(geometry, blockCount: 9)
      let left = try bench.state()
      let limit = StorageLimit(takeCount: takeCount)
      let file = try bench.file()
      let endless = StorageLimit(takeCount: .max)
      var takeover = try endless.begin(file)
      // The books of what was restored are there then, and stay.
      if keepsFirst { try endless.impose { _ = try takeover.keepRegion(named: "count") } }
      let before = State(of: takeover)
      do {
        try limit.impose { try operation.run(&takeover, bench) }
        try #require(!limit.wasReached)
      } catch PreservedMemoryError.outOfStorage(.outOfSpace) {
        try #require(limit.wasReached)
        try #require(State(of: takeover) == before)
        try expectOldHandover(left, takeover.file)
        try operation.run(&takeover, bench)
      }
      try #require(State(of: takeover) != before)
      try expectOldHandover(left, takeover.file)
      var memory = try takeover.finish()
      let after = try PreservedMemoryState(of: &memory)
      for (block, bytes) in after.bytes { #expect(left.bytes[block] ?? bytes == bytes) }
      return !limit.wasReached
    }
  }

  /// What is kept, what is not, and how much is free.
  private struct State: Equatable {
    let names: [String]
    let rest: [PhysicalBlock]
    let freeFrameCount: UInt64
    let sequenceIsBuilding: Bool

    init(of takeover: borrowing FreshTakeover) {
      names = (try? takeover.memory.names()) ?? ["none"]
      var rest: [PhysicalBlock] = []
      takeover.forEachBlockNotKept { rest.append($0) }
      self.rest = rest
      freeFrameCount = takeover.memory.frames.freeFrameCount
      sequenceIsBuilding = takeover.memory.outgoing.anchor.state.isBuildingNext
    }
  }

  /// Checks that a successor would find what the predecessor left.
  private func expectOldHandover(_ left: PreservedMemoryState, _ file: MemoryFile) throws {
    let state = try SuperblockContents(reading: file).state
    let geometry = try SuperblockContents(reading: file).geometry
    let found = try SurveyedHandover(at: state.deviceTree, in: file, geometry: geometry)
    try #require(found.state == left.handover)
  }

  /// All of the blocks are kept, or none of them.
  @Test(arguments: PreservedMemoryBench.geometries)
  func oneOfManyBlocksCannotBeKept(geometry: PageGeometry) throws {
    let bench = try PreservedMemoryBench(geometry, blockCount: 9)
    var takeover = try FreshTakeover(of: bench.file())
    let page = UInt64(geometry.pageByteCount)
    let wrong = [
      bench.blocks[0],
      PhysicalBlock(address: bench.block.address, order: PageOrder(1)),
      PhysicalBlock(address: PhysicalAddress(bench.blocks[0].address.rawValue + 8), order: .zero),
      PhysicalBlock(address: PhysicalAddress(0), order: PageOrder(63)),
      PhysicalBlock(address: PhysicalAddress(0 &- page), order: .zero),
    ]
    let before = State(of: takeover)
    for block in wrong {
      #expect(throws: PreservedMemoryError.self) { try takeover.keep(bench.blocks + [block]) }
      #expect(State(of: takeover) == before)
    }
    try takeover.keep(bench.blocks)
    try takeover.keep([])
    #expect(throws: PreservedMemoryError.self) { try takeover.keep(bench.blocks[2]) }
    let kept = State(of: takeover)
    #expect(kept.rest == before.rest.filter { !bench.blocks.contains($0) })
    var memory = try takeover.finish()
    var entries = try PreservedMemoryState(of: &memory).handover.entries
    entries.subtract(bench.blocks)
    // The root device tree.
    #expect(entries.count == 1)
  }

  @Test(arguments: PreservedMemoryBench.geometries)
  func beginningFailsAtEveryTake(geometry: PageGeometry) throws {
    let bench = try PreservedMemoryBench(geometry)
    var left = try bench.state()
    var takeCount = 0
    while true {
      let limit = StorageLimit(takeCount: takeCount)
      do {
        let file = try bench.file()
        try limit.impose { _ = try FreshTakeover(of: file) }
        try #require(!limit.wasReached)
        break
      } catch PreservedMemoryError.outOfStorage(.outOfSpace) {
        try #require(limit.wasReached)
      }
      let now = try bench.state()
      try #require(now == left)
      left = now
      takeCount += 1
    }
    #expect(takeCount > 2)
    #expect(try bench.state() == left)
  }

  /// The file is full up to the last frame: what was begun can be dropped and begun again.
  @Test(arguments: PreservedMemoryBench.geometries)
  func fullFile(geometry: PageGeometry) throws {
    let bench = try PreservedMemoryBench(geometry)
    var blocks: [PhysicalBlock] = []
    do {
      var memory = try bench.open()
      while let block = try? memory.allocate(.zero) { blocks.append(block) }
    }
    while true {
      let left = try bench.state()
      do {
        var takeover = try FreshTakeover(of: bench.file())
        try takeover.keepRegion(named: "text")
        let names = try takeover.finish().names()
        #expect(names == ["text"])
        break
      } catch PreservedMemoryError.full {
      }
      let now = try bench.state()
      try #require(now == left)
      var memory = try bench.open()
      try memory.free(blocks.removeLast())
    }
    var memory = try bench.open()
    _ = try PreservedMemoryState(of: &memory)
  }
}

extension StorageLimit {
  /// Begins a take-over under this limit.
  fileprivate func begin(_ file: MemoryFile) throws -> FreshTakeover {
    var takeover: FreshTakeover?
    try impose { takeover = try FreshTakeover(of: file) }
    return takeover.take()!
  }
}
