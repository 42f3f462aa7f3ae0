import HandoverTestSupport
import KexecHandover
import Testing

private let geometry = PageGeometry.pages4KiB

/// What the blobs of real handovers hold, against what an independent reader found in them.
@Suite struct ContentsTests {
  private func contents(
    of fixture: Fixture, in memory: some PhysicalMemory, pageMaps: Bool = false
  ) throws -> [(contents: HandoverContents, survey: HandoverSurvey, expected: Fixture.Handover)] {
    var options = HandoverContents.Options()
    options.keepsPageMaps = pageMaps
    return try fixture.expectations().handovers.filter { $0.readable == true }.map {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress($0.fdtAddress)), in: memory, geometry: geometry)
      return (survey.contents(in: memory, options: options), survey, $0)
    }
  }

  private func liveUpdate(_ contents: HandoverContents) -> LiveUpdateContents? {
    for subtree in contents.subtrees {
      if case .liveUpdate(let record) = subtree.record { return record }
    }
    return nil
  }

  @Test(arguments: Fixture.all)
  func liveUpdateEqualsExpectations(of fixture: Fixture) throws {
    let memory = try fixture.open()
    for (contents, survey, expected) in try contents(of: fixture, in: memory, pageMaps: true) {
      #expect(contents.findings.findings == [] && contents.omittedRecordCount == 0)
      #expect(contents.subtrees.map(\.subtree) == survey.subtrees)
      #expect(contents.subtrees.allSatisfy { $0.error == nil && $0.record != nil })
      let found = liveUpdate(contents)
      #expect((found == nil) == (expected.luo == nil))
      guard let found, let expected = expected.luo else { continue }
      #expect(found.record.number == expected.liveupdate_number)
      #expect(found.sessions.map(\.session.name) == expected.sessions.map(\.name))
      for (session, expected) in zip(found.sessions, expected.sessions) {
        #expect(session.error == nil && session.blockCount == 1)
        #expect(session.files.map(\.file.token) == expected.files.map(\.token))
        for (file, expected) in zip(session.files, expected.files) {
          let memfd = try #require(file.memfd)
          #expect(file.error == nil && file.file.handler == expected.handler)
          #expect(memfd.record.byteSize == expected.size)
          #expect(memfd.folioCount == expected.folios && memfd.dirtyCount == expected.folios)
          #expect(memfd.holeCount == 0 && memfd.staleCount == 0)
          #expect(memfd.folioByteCount == expected.size)
          #expect(memfd.area.chunkCount == 1)
          #expect(memfd.area.blockCount == (expected.folios * 16 + 4095) / 4096)
          let pages = memfd.runs.reduce(0) { $0 + $1.folioCount * ($1.order?.frameCount ?? 0) }
          #expect(pages * 4096 == expected.size)
          #expect(try read(memfd.record, try #require(survey.pages), memory).count == expected.size)
        }
      }
    }
  }

  /// The content of a memfd.
  private func read(
    _ record: MemfdRecord, _ pages: PreservedPagesSurvey, _ memory: some PhysicalMemory
  ) throws -> [UInt8] {
    var extents = MemfdExtents(of: record, pages, in: memory)
    var content: [UInt8] = []
    while let extent = try extents.next() {
      switch extent {
      case .stored(let range): content += memory.withBytes(in: range) { $0.copiedBytes() } ?? []
      case .zeros(let count): content += [UInt8](repeating: 0, count: Int(count))
      }
    }
    return content
  }

  // Places in linux-7.3-kho-v4: the record and the list of folios of the first file.
  private let memfd = PhysicalAddress(0x7d7000)
  private let list = PhysicalAddress(0x7d8000)
  private let handover = PhysicalAddress(5_328_896)

  /// Holes, folios that are not up to date, a size that is not a multiple of a page.
  @Test func zerosStandForWhatIsNotThere() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    let pages = try #require(survey.pages)
    func record() throws -> MemfdRecord {
      try MemfdRecord(at: memfd, in: memory, geometry: geometry)
    }
    let whole = try read(try record(), pages, memory)
    try #require(whole.count == 65536)
    // Page 1 is a hole, page 2 not up to date; page 15 is 4 pages further on.
    memory.store(0, at: list.advanced(byBytes: 16))
    memory.flip(bit: 5, at: list.advanced(byBytes: 32 + 6))
    memory.store(19, at: list.advanced(byBytes: 15 * 16 + 8))
    memory.store(19 * 4096 + 100, at: memfd.advanced(byBytes: 8))
    let zeros = [UInt8](repeating: 0, count: 4096)
    var expected = whole[..<4096] + zeros + zeros + whole[(3 * 4096)..<(15 * 4096)]
    expected += zeros + zeros + zeros + zeros + whole[(15 * 4096)..<(15 * 4096 + 100)]
    #expect(try read(try record(), pages, memory) == Array(expected))
    let found = survey.contents(in: memory)
    let file = try #require(liveUpdate(found)?.sessions.first?.files.first?.memfd)
    #expect(file.holeCount == 1 && file.staleCount == 1 && file.folioCount == 15)
    // A file that goes on behind its last folio, and one that ends before it.
    memory.store(21 * 4096, at: memfd.advanced(byBytes: 8))
    #expect(try read(try record(), pages, memory).count == 21 * 4096)
    for byteCount in [10, 0] as [UInt64] {
      memory.store(byteCount, at: memfd.advanced(byBytes: 8))
      #expect(throws: RecordError.self) { try read(try record(), pages, memory) }
    }
  }

  @Test func hostileFilesEnd() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    let pages = try #require(survey.pages)
    // 2^64 − 1 bytes, in 17 stretches.
    memory.store(.max, at: memfd.advanced(byBytes: 8))
    let record = try MemfdRecord(at: memfd, in: memory, geometry: geometry)
    var extents = MemfdExtents(of: record, pages, in: memory)
    var stretches: [MemfdExtent] = []
    while let extent = try extents.next() { stretches.append(extent) }
    #expect(stretches.count == 17)
    #expect(stretches.last == .zeros(byteCount: .max - 65536))
    // A page index that no file has.
    memory.store(.max, at: list.advanced(byBytes: 15 * 16 + 8))
    func error() throws -> RecordError? {
      var extents = MemfdExtents(of: record, pages, in: memory)
      do throws(RecordError) {
        while try extents.next() != nil {}
        return nil
      } catch {
        return error
      }
    }
    guard case .folioBeyondEnd(_, pageIndex: .max) = try error() else {
      Issue.record("a page index that no file has is taken")
      return
    }
    // One that comes twice.
    memory.store(3, at: list.advanced(byBytes: 5 * 16 + 8))
    let folio = PhysicalAddress(
      (try #require(memory.word(at: list.advanced(byBytes: 5 * 16))) & 0xf_ffff_ffff_ffff) << 12)
    #expect(try error() == .folioOutOfOrder(folio, pageIndex: 3))
    memory.store(3 << 52 | 0x1, at: list.advanced(byBytes: 5 * 16))
    #expect(try error() == .folioNotPreserved(PhysicalAddress(0x1000)))
  }

  /// No more is kept than was asked for, and what is left out is counted.
  @Test func theLimitHolds() throws {
    let memory = try Fixture(name: "linux-7.3-kho-v4").open()
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    // 2 sessions of 3 files, 4 folios of the self-test.
    for limit in 0...13 {
      var options = HandoverContents.Options()
      options.recordLimit = limit
      let contents = survey.contents(in: memory, options: options)
      let found = try #require(liveUpdate(contents))
      var kept = found.sessions.count + found.sessions.reduce(0) { $0 + $1.files.count }
      for subtree in contents.subtrees {
        if case .khoTest(let test) = subtree.record { kept += test.folios.count }
      }
      #expect(kept == min(limit, 12))
      #expect(contents.omittedRecordCount == UInt64(12 - kept))
      #expect(contents.findings.findings == [])
    }
    var options = HandoverContents.Options()
    options.keptFile = .file(session: "cache-beta", token: 8193)
    let sessions = try #require(liveUpdate(survey.contents(in: memory, options: options))).sessions
    #expect(sessions.map(\.session.name) == ["cache-beta"])
    #expect(sessions[0].files.map(\.file.token) == [8193])
    #expect(sessions[0].files[0].memfd?.folioCount == 80)
  }

  @Test func unknownBlobsShowTheirHead() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    // The version of kexec-metadata.
    memory.store(7, at: PhysicalAddress(0x521000))
    let survey = HandoverSurvey(.memory(handover), in: memory, geometry: geometry)
    let contents = survey.contents(in: memory)
    let blob = try #require(
      contents.subtrees.first { $0.subtree.subtree.name == "kexec-metadata" })
    #expect(blob.record == nil && blob.error == .formatUnknown("version 7"))
    #expect(blob.head.count == 64 && blob.head.first == 7)
    #expect(contents.subtrees.count { $0.record == nil } == 1)
  }
}
