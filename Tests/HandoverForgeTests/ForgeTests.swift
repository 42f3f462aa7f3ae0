import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// What is forged, read back by the readers that trust nothing.
@Suite struct ForgeTests {
  private func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
  }

  private func everything() -> ForgeDescription {
    var description = ForgeDescription()
    description.metadata = KexecMetadata(previousRelease: "forged-1", kexecCount: 41)
    description.liveUpdateNumber = 42
    var large = ForgeDescription.File(token: 8, contents: .bytes(bytes(300_001, seed: 2)))
    large.folioOrder = PageOrder(4)
    large.position = 4711
    large.seals = 6
    description.sessions = [
      .init(
        name: "vm",
        files: [.init(token: 7, contents: .bytes(bytes(5000, seed: 1))), large]),
      .init(name: "empty", files: []),
      .init(
        name: String(repeating: "x", count: 63), files: [.init(token: .max, contents: .bytes([]))]),
    ]
    description.regions = [
      .init(name: "trace", byteCount: 1 << 20, contents: .bytes(bytes(10_000, seed: 3)))
    ]
    description.blobs = [.init(name: "state", contents: .bytes(bytes(100, seed: 4)))]
    description.test = .init(orders: [0, 0, 1, 5, 9, 10, 3].map { PageOrder($0) })
    return description
  }

  private func survey(_ handover: ForgedHandover) throws -> HandoverSurvey {
    let survey = HandoverSurvey(
      .memory(handover.deviceTree.start), in: handover.memory, geometry: handover.geometry)
    #expect(survey.error == nil)
    #expect(survey.findings.isEmpty)
    return survey
  }

  @Test func everyRecordIsReadBack() throws {
    let description = everything()
    let handover = try ForgedHandover(description)
    let memory = handover.memory
    let survey = try survey(handover)
    func subtree(_ name: String) throws -> (PhysicalAddress, UInt64?) {
      let found = try #require(survey.subtrees.first { $0.subtree.name == name })
      return (found.subtree.address, found.byteCount)
    }
    let (metadataAt, metadataSize) = try subtree("kexec-metadata")
    #expect(
      try KexecMetadata(at: metadataAt, byteCount: metadataSize, in: memory)
        == description.metadata)
    let (testAt, testSize) = try subtree("kho_test")
    let test = try KHOTestRecord(
      at: testAt, byteCount: testSize, in: memory, geometry: handover.geometry)
    var folios = KHOTestFolios(of: test, in: memory, geometry: handover.geometry)
    var sum = KHOTestChecksum(.x86_64)
    var orders: [PageOrder] = []
    while let folio = try folios.next() {
      memory.withBytes(in: folio.range(in: handover.geometry)) { sum.add($0) }
      orders.append(folio.order)
    }
    #expect(orders == description.test?.orders)
    #expect(sum.value == test.checksum)
    let (memblockAt, memblockSize) = try subtree("memblock")
    let region = try #require(
      try MemblockRecord(at: memblockAt, byteCount: memblockSize, in: memory).regions.first)
    let range = try region.result.get().range
    #expect(range.byteCount == 1 << 20)
    #expect(
      memory.withBytes(in: range) { $0.copiedBytes() }?.prefix(10_000)
        == bytes(10_000, seed: 3)[...])
    let (blobAt, blobSize) = try subtree("state")
    #expect(blobSize == 100)
    #expect(
      memory.withBytes(in: PhysicalRange(start: blobAt, byteCount: 100)) { $0.copiedBytes() }
        == bytes(100, seed: 4))
    let (luoAt, luoSize) = try subtree("LUO")
    let record = try LiveUpdateRecord(at: luoAt, byteCount: luoSize, in: memory)
    #expect(record.number == 42)
    var sessions = try LiveUpdateSessions(of: record, in: memory, geometry: handover.geometry)
    for expected in description.sessions ?? [] {
      let session = try #require(try sessions.next())
      #expect(session.name == expected.name)
      var files = try LiveUpdateFiles(
        of: session, record.format, in: memory, geometry: handover.geometry)
      for file in expected.files {
        let found = try #require(try files.next())
        #expect(found.token == file.token && found.isMemfd)
        guard case .bytes(let contents) = file.contents else { continue }
        try check(found, file, contents, handover)
      }
      #expect(try files.next() == nil)
    }
    #expect(try sessions.next() == nil)
    // The anchors.
    let anchors = try SetupDataRecord(at: handover.setupData, in: memory)
    #expect(anchors.deviceTree == handover.deviceTree.start)
    #expect(anchors.scratchAreas == handover.scratchArray)
    #expect(
      try ScratchArea.readArray(in: handover.scratchArray, of: memory) == handover.scratchAreas)
    #expect(handover.chosenProperties.map(\.value.count) == [16, 16])
  }

  private func check(
    _ found: LiveUpdateFile, _ file: ForgeDescription.File, _ contents: [UInt8],
    _ handover: ForgedHandover
  ) throws {
    let memory = handover.memory
    let record = try MemfdRecord(
      at: PhysicalAddress(found.data), in: memory, geometry: handover.geometry)
    #expect(record.byteSize == UInt64(contents.count))
    #expect(record.position == file.position && record.seals == file.seals)
    var folios = MemfdFolios(of: record, in: memory, geometry: handover.geometry)
    var read: [UInt8] = []
    let tree = try survey(handover)
    var blocks: [PhysicalAddress: PageOrder] = [:]
    tree.pages?.forEachBlock(in: memory) { blocks[$0.address] = $0.order }
    while let folio = try folios.next() {
      #expect(UInt64(read.count) == folio.pageIndex * 4096)
      let order = try #require(blocks[folio.address])
      let block = PhysicalBlock(address: folio.address, order: order)
      read += memory.withBytes(in: block.range(in: handover.geometry)) { $0.copiedBytes() } ?? []
    }
    #expect(read.prefix(contents.count) == contents[...])
    #expect(read.dropFirst(contents.count).allSatisfy { $0 == 0 })
  }

  /// All that is preserved, and its anchors, are in what is to be loaded, and nothing in scratch.
  @Test(arguments: [nil, 0x2000_0000 as UInt64])
  func placement(start: UInt64?) throws {
    var description = everything()
    if let start {
      description.placement = [
        PhysicalRange(start: PhysicalAddress(start), byteCount: 8 << 20),
        PhysicalRange(start: PhysicalAddress(start + (64 << 20)), byteCount: 32 << 20),
      ]
    }
    let handover = try ForgedHandover(description)
    let survey = try survey(handover)
    let stored = handover.stored
    survey.pages?.forEachRun(in: handover.memory) { run in
      let range = run.range(in: handover.geometry)
      #expect(!handover.scratchAreas.overlap(range))
      if !description.placement.isEmpty {
        #expect(description.placement.contains { $0.contains(range) })
      }
    }
    // A machine that has only what is loaded has the same handover.
    let machine = try AnonymousMemory(handover.machineMemory)
    for range in stored.ranges {
      let bytes = try #require(handover.memory.withBytes(in: range) { $0.copiedBytes() })
      machine.withMutableBytes(in: range) { target in
        for (index, byte) in bytes.enumerated() {
          target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
      }
    }
    let loaded = HandoverSurvey(
      .memory(handover.deviceTree.start), in: machine, geometry: handover.geometry)
    #expect(loaded.error == nil && loaded.findings.isEmpty)
    #expect(loaded.subtrees.map(\.subtree) == survey.subtrees.map(\.subtree))
  }

  @Test func refusals() throws {
    func refuses(_ error: ForgeError, _ change: (inout ForgeDescription) -> Void) {
      var description = ForgeDescription()
      change(&description)
      #expect(throws: error) { _ = try ForgedHandover(description) }
    }
    let full = String(repeating: "x", count: 64)
    refuses(.nameInvalid(full, limit: 63)) { $0.sessions = [.init(name: full, files: [])] }
    refuses(.nameInvalid("", limit: 63)) { $0.sessions = [.init(name: "", files: [])] }
    refuses(.repeated("the session \"a\"")) {
      $0.sessions = [.init(name: "a", files: []), .init(name: "a", files: [])]
    }
    refuses(.repeated("the token 1 of session \"a\"")) {
      let file = ForgeDescription.File(token: 1, contents: .bytes([1]))
      $0.sessions = [.init(name: "a", files: [file, file])]
    }
    refuses(.regionSizeInvalid(name: "r", byteCount: 4095)) {
      $0.regions = [.init(name: "r", byteCount: 4095)]
    }
    refuses(.regionSizeInvalid(name: "r", byteCount: 4096)) {
      $0.regions = [
        .init(name: "r", byteCount: 4096, contents: .bytes([UInt8](repeating: 1, count: 4097)))
      ]
    }
    refuses(.blobEmpty(name: "b")) { $0.blobs = [.init(name: "b", contents: .bytes([]))] }
    refuses(.cannotRead("/no/such/file", .noSuchFileOrDirectory)) {
      $0.blobs = [.init(name: "b", contents: .file("/no/such/file", byteCount: 10))]
    }
    let page = PhysicalRange(start: PhysicalAddress(0x1000_0000), byteCount: 4096)
    refuses(.rangeInvalid(page)) { $0.placement = [page, page] }
    refuses(.placeFull(frameCount: 1 << 10)) {
      $0.placement = [PhysicalRange(start: PhysicalAddress(0x1000_0000), byteCount: 1 << 20)]
      $0.test = .init(orders: [PageOrder(10)])
    }
    refuses(.rangeInvalid(PhysicalRange(start: PhysicalAddress(.max - 4095), byteCount: 4096))) {
      $0.placement = [PhysicalRange(start: PhysicalAddress(.max - 4095), byteCount: 4096)]
    }
  }

  /// Only folios of zeros have the sum 0. Both machines agree modulo 65535.
  @Test func checksums() {
    func sum(_ machine: KHOTestChecksum.Architecture, _ folios: [[UInt8]]) -> UInt32 {
      var checksum = KHOTestChecksum(machine)
      for folio in folios { folio.withRawSpan { checksum.add($0) } }
      return checksum.value
    }
    let zeros = [UInt8](repeating: 0, count: 4096)
    let ones = [UInt8](repeating: 0xff, count: 4096)
    #expect(sum(.x86_64, []) == 0 && sum(.x86_64, [zeros]) == 0)
    #expect(sum(.x86_64, [ones]) == 0xffff_ffff && sum(.x86_64, [zeros, ones]) == 0xffff_ffff)
    #expect(sum(.arm64, [ones, ones]) == 0x1_fffe)
    let folios = (1...20).map { bytes(4096 * $0, seed: UInt64($0)) }
    #expect(sum(.x86_64, folios) % 65535 == sum(.arm64, folios) % 65535)
    // The definition, word by word.
    var model: UInt64 = 0
    for folio in folios {
      for start in stride(from: 0, to: folio.count, by: 8) {
        let word = (0..<8).reduce(0 as UInt64) { $0 | UInt64(folio[start + $1]) << UInt64(8 * $1) }
        model = (model + word % 0xffff_ffff) % 0xffff_ffff
      }
    }
    #expect(UInt64(sum(.x86_64, folios)) % 0xffff_ffff == model)
  }
}
