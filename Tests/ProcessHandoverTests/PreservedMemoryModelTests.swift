import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// Random operations, closed and opened again in both ways, against a plain account.
@Suite(.namesCombination) struct PreservedMemoryModelTests {
  @Test(arguments: PreservedMemoryBench.geometries)
  func randomOperations(geometry: PageGeometry) throws {
    var counts: [String: Int] = [:]
    for seed in 1...4 as ClosedRange<UInt64> {
      try withCombination("seed", seed) {
        var model = PreservedMemoryModel(geometry, seed: seed)
        try run(&model, seed)
        counts.merge(model.counts, uniquingKeysWith: +)
      }
    }
    // Each operation was made, and the file was full at times.
    #expect(counts.count == 13 && counts["full", default: 0] > 0, "\(counts)")
  }

  private func run(_ model: inout PreservedMemoryModel, _ seed: UInt64) throws {
    let folder = try TemporaryFolder(in: TemporaryFolder.parents[0])
    let path = folder.path.appending("memory")
    let page = UInt64(model.geometry.pageByteCount)
    var memory = try PreservedMemory(
      creating: .path(path), byteCount: 64 * page, growableTo: 280 * page,
      geometry: model.geometry)
    for round in 0..<12 as Range<UInt64> {
      try withCombination("round", round) {
        for step in 0..<25 {
          try withCombination("step", step) { try model.step(&memory) }
        }
        try model.check(&memory)
      }
      // A takeover needs room for a second tree and device tree beside the first ones, and for its metadata.
      if round % 3 == 2 { try model.makeRoom(pageCount: 80, &memory) }
      drop(memory)
      if round % 3 == 2 {
        let file = try MemoryFile.open(path, growableTo: 280 * page)
        var takeover = try FreshTakeover(of: file)
        try model.keepSome(in: &takeover)
        memory = try takeover.finish()
      } else {
        memory = try PreservedMemory.open(path, growableTo: 280 * page)
      }
      #expect(memory.generation == round + 1)
      // The check has the allocator read all of the file. Without it, the allocator reads it part by part.
      if seed % 2 == round % 2 {
        try withCombination("reopened", round) { try model.check(&memory) }
      }
    }
  }

  private func drop(_ memory: consuming PreservedMemory) {}
}
