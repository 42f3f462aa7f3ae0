import HandoverTestSupport
import KexecHandover
import Testing

/// Reserving without a heap finds what the full reader finds, and survives whatever bytes there are.
@Suite(.namesCombination)
struct EarlyHandoverTests {
  private static func regions(
    _ memblock: borrowing Memblock<RecordingMemory>
  ) -> [MemoryRegion] {
    var regions: [MemoryRegion] = []
    memblock.forEachReservedRegion { if !$0.flags.contains(.regionList) { regions.append($0) } }
    return regions
  }

  private static func memblock(
    _ memory: RecordingMemory, _ geometry: PageGeometry
  ) throws -> Memblock<RecordingMemory> {
    var memblock = Memblock(in: memory, geometry: geometry, capacity: 4096)
    try memblock.add(memory.base.range)
    return memblock
  }

  @Test(arguments: [6, 12, 14, 16])
  func reservesWhatTheFullReaderReserves(shift: Int) throws {
    try withEvery("version", in: [ABIVersion.v2, .v3, .v4]) { version in
      if shift == 14, version == .v2 { return }
      var bench = try HandoverBench(shift: shift, version: version)
      try HandoverScenario.populate(&bench)
      let address = bench.anchor.deviceTree
      let early = try EarlyHandover(at: address, in: bench.memory, geometry: bench.geometry)
      #expect(early.version == version)
      #expect(early.root == bench.handover.tree.root)
      var found = try Self.memblock(bench.memory, bench.geometry)
      let summary = try early.reserve(in: &found)
      let incoming = try IncomingHandover(
        at: address, in: bench.memory, geometry: bench.geometry)
      var expected = try Self.memblock(bench.memory, bench.geometry)
      try incoming.reserve(in: &expected)
      #expect(Self.regions(found) == Self.regions(expected))
      #expect(summary.entryCount == incoming.pages.entryCount)
      #expect(summary.nodeCount == UInt64(incoming.pages.nodes.count))
    }
  }

  @Test("a list that starts full moves within scratch, and nothing of the handover is written")
  func scratchOnly() throws {
    var bench = try HandoverBench(shift: 12, scratchFrameCount: 16)
    for _ in 0..<40 {
      let block = try bench.take(1)
      let half = PhysicalBlock(address: block.address, order: .zero)
      try bench.handover.preserve(half, from: &bench.frames)
    }
    let scratch = try #require(bench.handover.scratchAreas.first)
    var memblock = Memblock(in: bench.memory, geometry: bench.geometry, capacity: 4)
    try memblock.add(bench.memory.base.range)
    try memblock.mark(scratch.range, .scratch)
    memblock.isScratchOnly = true
    let before = try bench.survey().state
    let early = try EarlyHandover(
      at: bench.anchor.deviceTree, in: bench.memory, geometry: bench.geometry)
    try early.reserve(in: &memblock)
    let list = memblock.reservedListStorage
    let storage = try #require(list)
    #expect(scratch.range.contains(storage))
    #expect(try bench.survey().state == before)
  }

  @Test("versions without a tree, other bytes, and other formats are refused")
  func refusals() throws {
    let bench = try HandoverBench(shift: 12)
    let geometry = bench.geometry
    func refusal(_ address: PhysicalAddress) -> EarlyHandoverError? {
      do throws(EarlyHandoverError) {
        _ = try EarlyHandover(at: address, in: bench.memory, geometry: geometry)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal(.zero) == .unreadable(.zero))
    #expect(refusal(PhysicalAddress(.max)) == .unreadable(PhysicalAddress(.max)))
    let root = bench.handover.tree.root
    guard case .malformed = refusal(root) else {
      Issue.record("a tree's root is not a device tree")
      return
    }
    let fixture = try #require(Fixture.all.first { $0.name.contains("v1") })
    let image = try fixture.open()
    let address = try #require(fixture.expectations().handovers.first?.fdtAddress)
    #expect(throws: EarlyHandoverError.versionUnknown) {
      _ = try EarlyHandover(at: PhysicalAddress(address), in: image, geometry: .pages4KiB)
    }
  }

  @Test("flipped words anywhere in the tree or the device tree are an error or harmless")
  func damage() throws {
    try withEvery("shift", in: [6, 12]) { shift in
      var bench = try HandoverBench(shift: shift)
      try HandoverScenario.populate(&bench)
      let found = try bench.survey()
      let places =
        found.nodes.map { $0 << UInt64(shift) } + [bench.anchor.deviceTree.rawValue]
      var generator = SeededGenerator(seed: UInt64(shift))
      for _ in 0..<400 {
        let memory = try bench.memory.copy()
        for _ in 0...generator.index(below: 3) {
          let page = places[generator.index(below: places.count)]
          let word = page + UInt64(generator.index(below: bench.geometry.pageWordCount)) * 8
          let random: UInt64 = generator.next()
          let choices: [UInt64] = [random, page, places[0], .max, 1 << (random & 63)]
          memory.setWord(choices[generator.index(below: choices.count)], at: word)
        }
        do throws(EarlyHandoverError) {
          let early = try EarlyHandover(
            at: bench.anchor.deviceTree, in: memory, geometry: bench.geometry)
          var memblock = try! Self.memblock(memory, bench.geometry)
          try early.reserve(in: &memblock)
          do throws(AllocatorDamage) { try memblock.validate() } catch {
            Issue.record("region lists damaged")
          }
        } catch {}
      }
    }
  }
}
