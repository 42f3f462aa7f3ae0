import HandoverTestSupport
import KexecHandover
import Testing

private let geometry = PageGeometry.pages4KiB

/// Damaged records, by chance or by intent.
@Suite struct RecordDamageTests {
  /// Flips bits of every byte of every record but the lists of folios, of which the first few.
  ///
  /// All bits of the structures; of device trees, one bit of each byte.
  @Test(arguments: Fixture.all)
  func flipsNeverTrapAndCannotKeepTheReaderBusy(in fixture: Fixture) throws {
    let memory = MemoryCopy(of: try fixture.open())
    for handover in try fixture.expectations().handovers where handover.readable == true {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(handover.fdtAddress)), in: memory, geometry: geometry)
      let soundCount = references(of: survey, in: memory).count
      var flipCount = 0
      for (place, bits) in places(survey, in: memory) {
        for bit in bits {
          memory.flip(bit: bit, at: place)
          let findings = survey.checkRecords(in: memory)
          // Not of every flip: this reads everything several times.
          flipCount += 1
          if flipCount % 13 == 0 { expectTheRestIsShown(of: survey, in: memory, findings) }
          memory.flip(bit: bit, at: place)
          #expect(findings.findings.count <= 6 * FindingList.limitPerKind)
          // A damaged count may lead on into what follows, never far.
          #expect(findings.errorCount <= UInt64(soundCount) + 300, "\(place) bit \(bit)")
        }
      }
      #expect(survey.checkRecords(in: memory).findings == [])
    }
  }

  /// What can be read is shown, and every preserved byte is accounted for.
  private func expectTheRestIsShown(
    of survey: HandoverSurvey, in memory: MemoryCopy, _ findings: RecordFindingList
  ) {
    var options = HandoverContents.Options()
    options.keepsPageMaps = true
    let contents = survey.contents(in: memory, options: options)
    #expect(contents.findings.findings == findings.findings)
    #expect(contents.subtrees.count == survey.subtrees.count)
    // A flip is in one blob, or in what it points to.
    let unread = contents.subtrees.count { $0.record == nil || $0.error != nil }
    #expect(unread <= 1)
    for subtree in contents.subtrees {
      guard case .liveUpdate(let record) = subtree.record, let pages = survey.pages else {
        continue
      }
      for file in record.sessions.flatMap(\.files) {
        guard let memfd = file.memfd else { continue }
        var extents = MemfdExtents(of: memfd.record, pages, in: memory)
        var byteCount: UInt64 = 0
        while let extent = (try? extents.next()) ?? nil {
          switch extent {
          case .stored(let range): byteCount += range.byteCount
          case .zeros(let count): byteCount += count
          }
        }
        #expect(byteCount <= memfd.record.byteSize)
      }
    }
    let owners = survey.owners(in: memory)
    #expect(owners.byteCount == survey.pages?.preservedByteCount)
    #expect(owners.entryCount == survey.pages?.entryCount)
  }

  @Test func everyFlipInAVmallocDescriptorAndItsChunkIsFound() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    var silent: [String] = []
    let descriptor = memfd.advanced(byBytes: 32)
    let chunk = PhysicalAddress(memory.word(at: descriptor) ?? 0)
    var places = (0..<12).map { descriptor.advanced(byBytes: $0) }
    // Not those of the block that follows: they may lead to another list of folios.
    places += (0..<8).map { chunk.advanced(byBytes: $0) }
    places += (16..<24).map { chunk.advanced(byBytes: $0) }
    for place in places {
      for bit in 0..<8 {
        memory.flip(bit: bit, at: place)
        if survey.checkRecords(in: memory).errorCount == 0 { silent.append("\(place) bit \(bit)") }
        memory.flip(bit: bit, at: place)
      }
    }
    #expect(silent == [])
  }

  // Places in linux-7.3-kho-v4.
  private let handover = PhysicalAddress(5_328_896)
  private let sessionBlock = PhysicalAddress(0x7d5000)
  private let fileBlock = PhysicalAddress(0x7d6000)
  private let memfd = PhysicalAddress(0x7d7000)
  private let chunk = PhysicalAddress(0x7d9000)
  private let sharedData = PhysicalAddress(0x7b5000)
  private let file = RecordOwner.file(session: "vm-alpha", token: 4096)

  /// What is found when the words at some places are replaced.
  private func findings(storing words: [(PhysicalAddress, UInt64)]) throws -> [RecordFinding] {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    for (place, word) in words { memory.store(word, at: place) }
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    return survey.checkRecords(in: memory).findings
  }

  @Test func cyclesEnd() throws {
    let found = try findings(storing: [(sessionBlock, sessionBlock.rawValue)])
    #expect(found.last == .malformed(.subtree("LUO"), .chainCycle(sessionBlock)))
    let files = try findings(storing: [(fileBlock, fileBlock.rawValue)])
    #expect(files == [.malformed(.session("vm-alpha"), .chainCycle(fileBlock))])
    // Two blocks that lead to each other.
    let other = PhysicalAddress(0x84d000)
    let pair = try findings(storing: [(fileBlock, other.rawValue), (other, fileBlock.rawValue)])
    #expect(
      pair.contains { if case .malformed(.session, .chainCycle) = $0 { true } else { false } })
    // The area is full before the chunk comes again.
    let area = try findings(storing: [(chunk, chunk.rawValue)])
    #expect(area == [.malformed(file, .chainCycle(chunk))])
    let full = try findings(storing: [
      (chunk, chunk.rawValue), (memfd.advanced(byBytes: 40), 0x1_ffff_ffff),
    ])
    #expect(full == [.malformed(file, .chainCycle(chunk))])
  }

  @Test func hostileCountsAreRefused() throws {
    let large: UInt64 = 1 << 63
    #expect(
      try findings(storing: [(sessionBlock.advanced(byBytes: 8), large)]) == [
        .malformed(
          .subtree("LUO"), .blockCountTooLarge(sessionBlock, count: large, capacity: 51))
      ])
    #expect(
      try findings(storing: [(sessionBlock.advanced(byBytes: 8), 0)]) == [
        .malformed(.subtree("LUO"), .blockEmpty(sessionBlock))
      ])
    #expect(
      try findings(storing: [(fileBlock.advanced(byBytes: 8), 64)]) == [
        .malformed(
          .session("vm-alpha"), .blockCountTooLarge(fileBlock, count: 64, capacity: 63))
      ])
    #expect(
      try findings(storing: [(sessionBlock.advanced(byBytes: 16 + 72), large)]) == [
        .malformed(.session("vm-alpha"), .elementCountDiffers(large, found: 3))
      ])
    #expect(
      try findings(storing: [(sessionBlock.advanced(byBytes: 16 + 64), 0)]) == [
        .malformed(.session("vm-alpha"), .elementsMissing(count: 3))
      ])
    #expect(
      try findings(storing: [(memfd.advanced(byBytes: 24), large)]) == [
        .malformed(file, .elementCountTooLarge(large, capacity: 256))
      ])
    #expect(
      try findings(storing: [(sharedData, large)]) == [
        .malformed(.subtree("LUO"), .rangeImpossible(start: sharedData, byteCount: .max))
      ])
    #expect(
      try findings(storing: [(sharedData.advanced(byBytes: 8), large)]) == [
        .malformed(.subtree("LUO"), .elementCountTooLarge(large, capacity: 63))
      ])
    // Unknown flags, an impossible order, another number of pages.
    let last = memfd.advanced(byBytes: 40)
    #expect(
      try findings(storing: [(last, 0x0000_0004_0000_0001)]) == [
        .malformed(file, .areaFlagsUnknown(4))
      ])
    #expect(
      try findings(storing: [(last, 0x0034_0001_0000_0001)]) == [
        .malformed(file, .areaOrderImpossible(52))
      ])
    #expect(
      try findings(storing: [(last, 0x0000_0001_0000_0002)]) == [
        .malformed(file, .areaPageCountDiffers(2, found: 1))
      ])
  }

  @Test func wildPointersAreFound() throws {
    let pointers: [UInt64] = [
      1, 0x1001, 0xfff, UInt64.max, UInt64.max - 0xfff, 0x8000_0000_0000_0000,
    ]
    for pointer in pointers {
      // Sessions, the next blocks, files, a memfd, a chunk, a block of an area.
      let blob = PhysicalAddress(0x7b4000)
      for place in [
        blob.advanced(byBytes: 16), blob.advanced(byBytes: 24), sessionBlock, fileBlock,
        sessionBlock.advanced(byBytes: 80), fileBlock.advanced(byBytes: 64),
        memfd.advanced(byBytes: 32), chunk, chunk.advanced(byBytes: 8),
      ] {
        let found = try findings(storing: [(place, pointer)])
        #expect(found.contains { $0.severity == .error }, "\(pointer) at \(place)")
      }
    }
  }

  @Test func unknownFormatsAreNotes() throws {
    // "memfd-v2" becomes "memfd-v3"; "luo-v5" becomes "luo-v6".
    let handler = try findings(storing: [
      (fileBlock.advanced(byBytes: 16), 0x3376_2d64_666d_656d)
    ])
    #expect(handler == [.formatUnknown(file, "memfd-v3")])
    let record = try findings(storing: [(PhysicalAddress(0x7b4000), 0x0000_3676_2d6f_756c)])
    #expect(record == [.formatUnknown(.subtree("LUO"), "luo-v6")])
    let metadata = try findings(storing: [(PhysicalAddress(0x521000), 2)])
    #expect(metadata == [.formatUnknown(.subtree("kexec-metadata"), "version 2")])
  }

  /// Many records that lead to the same large list end when as much was read as there is memory.
  @Test func sharedListsCannotKeepTheReaderBusy() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    // The chunk names its own area's page 511 times, all of it full of folios.
    let list = memory.word(at: chunk.advanced(byBytes: 8)) ?? 0
    for index in 0..<511 as Range<UInt64> {
      memory.store(list, at: chunk.advanced(byBytes: 8 + 8 * index))
    }
    for index in 16..<256 as Range<UInt64> {
      let word = memory.word(at: PhysicalAddress(list)) ?? 0
      memory.store(word, at: PhysicalAddress(list + 16 * index))
    }
    memory.store(511 * 256, at: memfd.advanced(byBytes: 24))
    memory.store(0x0000_0001_0000_01ff, at: memfd.advanced(byBytes: 40))
    for index in 1..<3 as Range<UInt64> {
      memory.store(memfd.rawValue, at: fileBlock.advanced(byBytes: 64 + 64 * index))
    }
    let findings = survey.checkRecords(in: memory)
    #expect(findings.findings.contains(.moreRecordsThanMemory))
    #expect(references(of: survey, in: memory).count < 2 * Int(memory.byteCount) / 16)
  }

  private func references(
    of survey: HandoverSurvey, in memory: MemoryCopy
  ) -> [RecordReference] {
    var references: [RecordReference] = []
    survey.forEachReference(in: memory) { references.append($0) }
    return references
  }

  /// The bytes of the records, and the bits of each to flip.
  private func places(
    _ survey: HandoverSurvey, in memory: MemoryCopy
  ) -> [(place: PhysicalAddress, bits: [Int])] {
    var places: [(place: PhysicalAddress, bits: [Int])] = []
    for subtree in survey.subtrees {
      let byteCount = subtree.byteCount ?? 0
      let isTree = byteCount > 100
      for offset in 0..<byteCount {
        let bits = isTree ? [Int(offset % 8)] : Array(0..<8)
        places.append((subtree.subtree.address.advanced(byBytes: offset), bits))
      }
    }
    // Of each kind of record, the first: those that follow are read by the same code.
    var seen: Set<RecordReference.Role> = []
    for reference in references(of: survey, in: memory) {
      let byteCount: UInt64
      switch reference.role {
      case .records: byteCount = min(reference.range.byteCount, 112)
      case .chunk: byteCount = 24
      case .area: byteCount = 32
      case .region, .folio, .piece: continue
      }
      let isFirst = seen.insert(reference.role).inserted
      for offset in 0..<byteCount {
        let bits = isFirst ? Array(0..<8) : [Int(offset % 8)]
        places.append((reference.range.start.advanced(byBytes: offset), bits))
      }
    }
    return places
  }
}
