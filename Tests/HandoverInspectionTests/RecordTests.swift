import HandoverTestSupport
import KexecHandover
import Testing

private let geometry = PageGeometry.pages4KiB

/// The known records of real handovers against what an independent reader found in them.
@Suite struct RecordTests {
  @Test(arguments: Fixture.all)
  func liveUpdateEqualsExpectations(of fixture: Fixture) throws {
    let memory = try fixture.open()
    for (survey, expected) in try readable(fixture, in: memory) {
      guard let expected = expected.luo else { continue }
      let blob = try #require(subtree(LiveUpdateRecord.subtreeName, of: survey))
      let record = try LiveUpdateRecord(
        at: blob.subtree.address, byteCount: blob.byteCount, in: memory)
      #expect(record.format == (expected.compatible == "luo-v5" ? .structure : .deviceTree))
      #expect(record.number == expected.liveupdate_number)
      let found = try sessions(of: record, in: memory)
      #expect(found.map(\.session.name) == expected.sessions.map(\.name))
      for (session, expected) in zip(found, expected.sessions) {
        #expect(session.session.fileCount == UInt64(expected.files.count))
        #expect(session.files.map(\.handler) == expected.files.map(\.handler))
        #expect(session.files.map(\.token) == expected.files.map(\.token))
        #expect(session.files.map(\.data) == expected.files.map(\.data))
        for (file, expected) in zip(session.files, expected.files) {
          try expectMemfd(of: file, toEqual: expected, in: memory)
        }
      }
    }
  }

  private func expectMemfd(
    of file: LiveUpdateFile, toEqual expected: Fixture.File, in memory: MemoryImage
  ) throws {
    let memfd = try MemfdRecord(
      at: PhysicalAddress(file.data), in: memory, geometry: geometry)
    #expect(memfd.position == expected.position)
    #expect(memfd.byteSize == expected.size)
    #expect(memfd.seals == expected.seals)
    #expect(memfd.folioCount == expected.folios)
    var folios = MemfdFolios(of: memfd, in: memory, geometry: geometry)
    var indices: [UInt64] = []
    while let folio = try folios.next() {
      #expect(folio.isDirty && folio.isUpToDate && !folio.isHole)
      indices.append(folio.pageIndex)
    }
    #expect(indices == Array(0..<expected.folios))
    #expect(indices.count * 4096 == Int(expected.size))
  }

  @Test(arguments: Fixture.all)
  func otherRecordsEqualExpectations(of fixture: Fixture) throws {
    let memory = try fixture.open()
    for (survey, expected) in try readable(fixture, in: memory) {
      let blob = try #require(subtree(MemblockRecord.subtreeName, of: survey))
      let memblock = try MemblockRecord(
        at: blob.subtree.address, byteCount: blob.byteCount, in: memory)
      let regions = try memblock.regions.map { try $0.result.get() }
      #expect(regions.map(\.name) == ["labtrace"])
      #expect(regions.map(\.range.byteCount) == [128 << 10])
      #expect(try #require(survey.pages).isPreserved(regions[0].range, in: memory))

      if let blob = subtree(KexecMetadata.subtreeName, of: survey) {
        let metadata = try KexecMetadata(
          at: blob.subtree.address, byteCount: blob.byteCount, in: memory)
        #expect(fixture.name.contains(String(metadata.previousRelease.prefix(3))))
        #expect(metadata.kexecCount == UInt32(expected.luo?.liveupdate_number ?? 0))
      }
      if let blob = subtree(KHOTestRecord.subtreeName, of: survey) {
        let record = try KHOTestRecord(
          at: blob.subtree.address, byteCount: blob.byteCount, in: memory, geometry: geometry)
        #expect(record.folioCount == (expected.compatible == "kho-v4" ? 4 : 7))
        var folios = KHOTestFolios(of: record, in: memory, geometry: geometry)
        var lookup = PreservedPagesLookup(try #require(survey.pages), in: memory)
        var count: UInt32 = 0
        while let folio = try folios.next() {
          let isEntry = lookup.contains(folio)
          #expect(isEntry)
          count += 1
        }
        #expect(count == record.folioCount)
      }
    }
  }

  @Test(arguments: Fixture.all)
  func soundHandoversHaveNoFindings(in fixture: Fixture) throws {
    let memory = try fixture.open()
    for (survey, expected) in try readable(fixture, in: memory) {
      let findings = survey.checkRecords(in: memory)
      #expect(findings.findings == [])
      #expect(findings.errorCount == 0 && findings.omittedCount == 0)

      // Every folio, and beside them the region, chunks, areas and pages of records.
      var folioCount: UInt64 = 0
      var roles: Set<RecordReference.Role> = []
      survey.forEachReference(in: memory) { reference in
        roles.insert(reference.role)
        if reference.role == .folio, reference.order == nil { folioCount += 1 }
      }
      let expectedFolios = expected.luo?.sessions.flatMap(\.files).reduce(0) { $0 + $1.folios }
      #expect(folioCount == expectedFolios ?? 0)
      #expect(roles.contains(.region))
      if expected.subtrees?.keys.contains("kho_test") == true {
        #expect(roles.isSuperset(of: [.chunk, .area, .folio]))
      }
    }
  }

  @Test func aChunkThatIsPassedOverIsMissed() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-6.18-kho-v1").open())
    memory.flip(bit: 5, at: PhysicalAddress(0x703001))
    let survey = HandoverSurvey(.memory(PhysicalAddress(0x7a9000)), in: memory, geometry: geometry)
    #expect(survey.errorCount == 0)
    let findings = survey.checkRecords(in: memory)
    #expect(findings.errorCount > 0)
    var owners: Set<RecordOwner> = []
    for finding in findings.findings {
      guard case .notPreserved(let reference, _) = finding else {
        Issue.record("\(finding)")
        continue
      }
      owners.insert(reference.owner)
    }
    #expect(owners == [.subtree("kho_test"), .region("labtrace")])
  }

  @Test func anotherOrderThanNotedIsFound() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-6.18-kho-v1").open())
    // The first of the folios, of order 5.
    let place = PhysicalAddress(0x554000)
    let word = try #require(memory.word(at: place))
    #expect(word == 0x560000 | 5)
    memory.store(0x560000 | 3, at: place)
    let survey = HandoverSurvey(.memory(PhysicalAddress(0x7a9000)), in: memory, geometry: geometry)
    let entry = PhysicalBlock(address: PhysicalAddress(0x560000), order: PageOrder(5))
    let noted = PhysicalBlock(address: PhysicalAddress(0x560000), order: PageOrder(3))
    let reference = RecordReference(
      owner: .subtree("kho_test"), role: .folio, range: noted.range(in: geometry),
      order: PageOrder(3))
    let findings = survey.checkRecords(in: memory).findings
    #expect(findings.contains(.entryDiffers(reference, entry: entry)))
    // What is summed up is less than what the kernel summed up.
    #expect(findings.contains { if case .checksumWrong = $0 { true } else { false } })
    #expect(findings.count == 2)
  }

  @Test func aSecondPartOfAnEntryIsNoFolio() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    // The first folio of the first memfd: the second page of a block of kho_test's.
    let place = PhysicalAddress(0x7d8000)
    memory.store(3 << 52 | 0x5a1, at: place)
    let survey = HandoverSurvey(.memory(PhysicalAddress(5_328_896)), in: memory, geometry: geometry)
    let reference = RecordReference(
      owner: .file(session: "vm-alpha", token: 4096), role: .folio,
      range: geometry.page(at: PhysicalAddress(0x5a1000)))
    let entry = PhysicalBlock(address: PhysicalAddress(0x5a0000), order: PageOrder(4))
    #expect(
      survey.checkRecords(in: memory).findings == [.entryDiffers(reference, entry: entry)])
  }

  // MARK: Helpers

  private func readable(
    _ fixture: Fixture, in memory: MemoryImage
  ) throws -> [(HandoverSurvey, Fixture.Handover)] {
    try fixture.expectations().handovers.filter { $0.readable == true }.map {
      let address = PhysicalAddress($0.fdtAddress)
      return (HandoverSurvey(.memory(address), in: memory, geometry: geometry), $0)
    }
  }

  private func subtree(_ name: String, of survey: HandoverSurvey) -> HandoverSurvey.Subtree? {
    survey.subtrees.first { $0.subtree.name == name }
  }

  private func sessions(
    of record: LiveUpdateRecord, in memory: MemoryImage
  ) throws -> [(session: LiveUpdateSession, files: [LiveUpdateFile])] {
    var result: [(session: LiveUpdateSession, files: [LiveUpdateFile])] = []
    var sessions = try LiveUpdateSessions(of: record, in: memory, geometry: geometry)
    while let session = try sessions.next() {
      var files = try LiveUpdateFiles(
        of: session, record.format, in: memory, geometry: geometry)
      result.append((session, []))
      while let file = try files.next() { result[result.count - 1].files.append(file) }
    }
    return result
  }
}
