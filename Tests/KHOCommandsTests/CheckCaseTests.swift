import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// What Linux refuses, and what it accepts: rows of `Fixtures/cases/README.md`, and single changes in the memfd
/// records of a fixture.
@Suite(.namesCombination) struct CheckCaseTests {
  private func path(_ name: String) -> String {
    URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/cases/\(name)").path
  }

  private func codes(_ arguments: [String]) throws -> [String] {
    let run = CommandRun(["check", "--json"] + arguments)
    struct Report: Decodable {
      struct Handover: Decodable {
        struct Finding: Decodable {
          let code: String
          let severity: String
        }
        let errorCount: UInt64
        let findings: [Finding]
      }
      let handovers: [Handover]
    }
    let report: Report = try run.json()
    let errorCount = report.handovers.reduce(0) { $0 + $1.errorCount }
    #expect(run.status == (errorCount > 0 ? 1 : 0), "\(run.errors)")
    return report.handovers.flatMap { $0.findings.map { "\($0.severity) \($0.code)" } }
  }

  /// debugfs of a running 7.3 shows the first 233 bytes of a tree of 345.
  @Test func deviceTreeThatIsCutOff() throws {
    let arguments = ["--fdt", path("02-live-out-fdt"), path("02-live-memory.elf")]
    #expect(try codes(arguments).filter { $0.hasPrefix("error") } == [])
    #expect(kho("inspect", arguments[0], arguments[1], arguments[2]).text.contains("0x4c0000"))
  }

  @Test func folioInTwoFiles() throws {
    #expect(try codes([path("03-folio-in-two-files.elf")]).contains("error record-refers-twice"))
  }

  @Test func twoNodesOfOneName() throws {
    #expect(try codes([path("10-node-twice.elf")]).contains("error blob-repeated"))
  }

  @Test func blockInScratch() throws {
    let image = path("11-in-scratch.elf")
    #expect(!(try codes([image]).contains("error block-in-scratch")))
    let areas = ["--scratch", "0x26000000-0x2ac00000", "--scratch", "0x2ac00000-0x30000000"]
    #expect(try codes([image] + areas).contains("error block-in-scratch"))
    #expect(kho("check", image, areas[0], areas[1]).text.contains("0x26001000"))
    #expect(
      !(try codes([image, "--scratch", "0x2ac00000-0x30000000"]).contains("error block-in-scratch"))
    )
    // The first byte of an area, and the one before it.
    #expect(
      try codes([image, "--scratch", "0x26001fff-0x26002000"]).contains("error block-in-scratch"))
    #expect(
      !(try codes([image, "--scratch", "0x26002000-0x26003000"]).contains("error block-in-scratch"))
    )
  }

  @Test func emptyChunkAfterAFullOne() throws {
    let image = path("21-full-vmalloc-chunk.elf")
    #expect(try codes([image]).filter { $0.hasPrefix("error") } == [])
    #expect(!kho("inspect", image).text.contains("malformed"))
  }

  // The memfd of token 4096 in session vm-alpha.

  private struct Memfd {
    var file: [UInt8]
    let core: ELFCoreImage
    /// Where in the file the record is, and the list of its folios.
    let record: Int
    let folios: Int
    let folioCount: Int

    init() throws {
      let fixture = Fixture(name: "linux-7.3-kho-v4")
      file = [UInt8](try Data(contentsOf: URL(filePath: fixture.path)))
      let image = try HandoverImage.open(FilePath(fixture.path))
      guard case .elf(let core) = image.memory else { throw MemoryImageError.elfMagicMissing }
      self.core = core
      let survey = try #require(image.surveys.first { $0.error == nil && $0.subtrees.count > 1 })
      var place: PhysicalAddress?
      survey.forEachReference(in: image.memory) { reference in
        if case .file("vm-alpha", 4096) = reference.owner, reference.role == .records {
          place = reference.range.start
        }
      }
      let address = try #require(place)
      let memfd = try MemfdRecord(at: address, in: image.memory, geometry: .pages4KiB)
      folioCount = Int(memfd.folioCount)
      var blocks = VmallocBlocks(memfd.folios, in: image.memory, geometry: .pages4KiB)
      var first: PhysicalAddress?
      while first == nil, let step = try blocks.next() {
        if case .block(let block) = step { first = block.address }
      }
      record = try Self.offset(of: address, in: core)
      folios = try Self.offset(of: try #require(first), in: core)
    }

    private static func offset(of address: PhysicalAddress, in core: ELFCoreImage) throws -> Int {
      let segment = try #require(core.segments.first { $0.range.contains(address) })
      return Int(segment.fileOffset + address.rawValue - segment.range.start.rawValue)
    }

    func word(_ offset: Int) -> UInt64 {
      file[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  private func codes(
    _ memfd: Memfd, _ change: (inout [UInt8]) -> Void
  ) throws -> (codes: [String], extracted: CommandRun) {
    let folder = try TemporaryFolder()
    var file = memfd.file
    change(&file)
    let image = try folder.write(file)
    return (try codes([image]), kho("extract", "--memfd", "vm-alpha:4096", image))
  }

  @Test func sizesThatNoFileHas() throws {
    let memfd = try Memfd()
    for size in [memfd.word(memfd.record + 8) | 1 << 63, .max] as [UInt64] {
      let found = try codes(memfd) { $0.put(size, at: memfd.record + 8, byteCount: 8) }
      #expect(found.codes.contains("error memfd-size"))
      #expect(found.extracted.status != 0)
    }
  }

  @Test func indicesBehindTheEnd() throws {
    let memfd = try Memfd()
    try #require(memfd.folioCount >= 4)
    for bit in [40, 52, 60, 63] as [UInt64] {
      let place = memfd.folios + 16 + 8
      let index = memfd.word(place) | 1 << bit
      let found = try codes(memfd) { $0.put(index, at: place, byteCount: 8) }
      #expect(found.codes.contains("error memfd-index"))
      // Not silently zeros.
      #expect(found.extracted.status != 0)
    }
  }

  @Test func equalIndices() throws {
    let memfd = try Memfd()
    for other in [0, 2, 3] {
      let index = memfd.word(memfd.folios + other * 16 + 8)
      let found = try codes(memfd) { $0.put(index, at: memfd.folios + 16 + 8, byteCount: 8) }
      #expect(found.codes.contains("error memfd-overlap"))
      #expect(found.extracted.status != 0)
    }
  }

  @Test func oneFolioTwice() throws {
    let memfd = try Memfd()
    let folio = memfd.word(memfd.folios)
    let found = try codes(memfd) { $0.put(folio, at: memfd.folios + 16, byteCount: 8) }
    #expect(found.codes.contains("error record-refers-twice"))
    #expect(found.extracted.status != 0)
  }

  /// A folio whose place is behind the end leaves a gap, and `check` says which page that is.
  @Test func pageThatIsNotListed() throws {
    let memfd = try Memfd()
    for folio in 0..<memfd.folioCount {
      let place = memfd.folios + folio * 16 + 8
      let index = memfd.word(place)
      let folder = try TemporaryFolder()
      var file = memfd.file
      file.put(index | 1 << 40, at: place, byteCount: 8)
      let text = kho("check", try folder.write(file)).text
      #expect(text.contains("\"vm-alpha\": page \(index) of the file is not listed"), "\(text)")
    }
  }

  /// Linux puts each folio where its record says: the order of the list is a note, and the content is right.
  @Test func anotherOrder() throws {
    let memfd = try Memfd()
    let expected = try codes(memfd) { _ in }
    try #require(expected.extracted.status == 0)
    #expect(expected.codes.filter { $0.contains("memfd") } == [])
    let order = [3, 1, 2, 0] + Array(4..<memfd.folioCount)
    let found = try codes(memfd) { file in
      for (position, from) in order.enumerated() {
        for word in [0, 8] {
          file.put(
            memfd.word(memfd.folios + from * 16 + word), at: memfd.folios + position * 16 + word,
            byteCount: 8)
        }
      }
    }
    #expect(found.codes.filter { $0.hasPrefix("error") } == [])
    #expect(found.codes.contains("note memfd-order"))
    #expect(found.extracted.status == 0)
    #expect(found.extracted.output == expected.extracted.output)
  }

  @Test func sealsAndFlags() throws {
    let memfd = try Memfd()
    for (offset, bit) in [(16, 6), (16, 31), (20, 5), (20, 31)] {
      let found = try codes(memfd) { $0[memfd.record + offset + bit / 8] ^= 1 << (bit % 8) }
      #expect(found.codes.contains("error memfd-flags"))
    }
  }
}
