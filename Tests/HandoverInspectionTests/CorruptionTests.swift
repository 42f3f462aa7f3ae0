import HandoverTestSupport
import KexecHandover
import Testing

/// Every bit of every pointer and header field of a real handover, flipped one at a time.
@Suite struct CorruptionTests {
  @Test(arguments: Fixture.all)
  func everyFlipThatLosesMoreThanAnEntryIsFound(in fixture: Fixture) throws {
    let memory = MemoryCopy(of: try fixture.open())
    for handover in try fixture.expectations().handovers where handover.readable == true {
      let address = PhysicalAddress(handover.fdtAddress)
      let sound = Reading(address, in: memory)
      var silent: [String] = []
      for place in try places(address, in: memory) {
        for bit in 0..<8 {
          memory.flip(bit: bit, at: place)
          let flipped = Reading(address, in: memory)
          memory.flip(bit: bit, at: place)
          let change = sound.blocks.symmetricDifference(flipped.blocks).count
          if change > 1, Set(flipped.findings).isSubset(of: sound.findings) {
            silent.append("\(place) bit \(bit) changes \(change) entries")
          }
        }
      }
      #expect(silent == [])
      #expect(Reading(address, in: memory).blocks == sound.blocks)
    }
  }

  /// The bytes of the device tree and of every word of a node that is not 0; of a leaf, none.
  private func places(
    _ deviceTree: PhysicalAddress, in memory: MemoryCopy
  ) throws -> [PhysicalAddress] {
    let survey = HandoverSurvey(.memory(deviceTree), in: memory, geometry: .pages4KiB)
    let header = (0..<40).map { deviceTree.advanced(byBytes: $0) }
    let byteCount = UInt64(try #require(survey.deviceTree).byteCount)
    var places = header + (40..<byteCount).map { deviceTree.advanced(byBytes: $0) }
    var tables = TableCollector()
    if let version = survey.deviceTree?.version, let map = survey.deviceTree?.map,
      let shape = version.radixGeometry(.pages4KiB)
    {
      RadixTreeReader(memory, geometry: shape, root: map).walk(&tables)
      for table in tables.tables {
        for slot in 0..<UInt64(512) {
          let word = table.advanced(byBytes: slot * 8)
          if memory.word(at: word) != 0 { places += (0..<8).map { word.advanced(byBytes: $0) } }
        }
      }
    } else if var chunk = survey.deviceTree?.map {
      while chunk != .zero {
        let count = (try #require(memory.word(at: chunk.advanced(byBytes: 8)))) >> 32
        places += (0..<16 + count * 16).map { chunk.advanced(byBytes: $0) }
        chunk = PhysicalAddress(try #require(memory.word(at: chunk)))
      }
    }
    return places
  }
}

private struct TableCollector: RadixTreeVisitor {
  var tables: [PhysicalAddress] = []

  mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
    if node.level > 0 { tables.append(node.address) }
    return true
  }
  mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) {}
  mutating func report(_ finding: PreservedPagesFinding) {}
}

private struct Reading {
  var blocks: Set<PhysicalBlock> = []
  var findings: [HandoverFinding] = []

  init(_ address: PhysicalAddress, in memory: MemoryCopy) {
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: .pages4KiB)
    findings = survey.findings
    findings += survey.checkRecords(in: memory).findings.map { .record($0) }
    survey.pages?.forEachBlock(in: memory) { if blocks.count < 1_000_000 { blocks.insert($0) } }
  }
}
