import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import KHOCommands

/// `kho extract`, and the digests of `kho inspect --checksums`.
@Suite struct ExtractTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func files(
    of fixture: Fixture
  ) throws -> [(session: String, file: Fixture.File)] {
    try fixture.expectations().handovers.compactMap(\.luo).flatMap(\.sessions).flatMap { session in
      session.files.map { (session.name, $0) }
    }
  }

  /// Files in the folder besides those named.
  private func strays(besides names: Set<String>) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
      .filter { !names.contains($0) }
  }

  @Test(arguments: Fixture.all)
  func filesEqualTheirDigests(of fixture: Fixture) throws {
    let output = folder.path("out")
    for (session, file) in try Self.files(of: fixture) {
      let name = "\(session):\(file.token)"
      let run = kho("extract", fixture.path, "--memfd", name)
      try #require(run.status == 0 && run.errors == "", "\(run.errors)")
      #expect(UInt64(run.output.count) == file.size)
      #expect(sha256(run.output) == file.sha256)
      let toFile = kho("extract", fixture.path, "--memfd", name, "--force", "-o", output)
      #expect(toFile.status == 0 && toFile.output.isEmpty && toFile.errors == "")
      #expect(try Array(Data(contentsOf: URL(filePath: output))) == run.output)
    }
    #expect(try strays(besides: ["out"]) == [])
  }

  @Test(arguments: Fixture.all)
  func digestsAreShown(of fixture: Fixture) throws {
    let report: RecordsJSON = try kho("inspect", "--json", "--checksums", fixture.path).json()
    let found = report.handovers.compactMap(\.luo).flatMap(\.sessions).flatMap(\.files)
    let expected = try Self.files(of: fixture)
    #expect(found.map(\.sha256) == expected.map(\.file.sha256))
    let text = kho("inspect", "--checksums", fixture.path).text
    for (_, file) in expected { #expect(text.contains(file.sha256)) }
    let plain: RecordsJSON = try kho("inspect", "--json", fixture.path).json()
    let without = plain.handovers.compactMap(\.luo).flatMap(\.sessions).flatMap(\.files)
    #expect(without.count == expected.count && without.allSatisfy { $0.sha256 == nil })
  }

  @Test func blobsRegionsAndRanges() throws {
    let fixture = Fixture(name: "linux-7.3-kho-v4")
    let memory = try fixture.open()
    func bytes(_ start: UInt64, _ count: UInt64) throws -> [UInt8] {
      try #require(
        memory.withBytes(in: PhysicalRange(start: PhysicalAddress(start), byteCount: count)) {
          $0.copiedBytes()
        })
    }
    let metadata = kho("extract", fixture.path, "--subtree", "kexec-metadata")
    #expect(metadata.status == 0)
    #expect(metadata.output == (try bytes(0x521000, 73)))
    let region = kho("extract", fixture.path, "--reserve-mem", "labtrace")
    #expect(region.output == (try bytes(0xb8b_7000, 128 << 10)))
    let range = kho("extract", fixture.path, "--range", "0x521004-0x521009")
    #expect(range.text == "7.3.4")
    // The size of a kho-v1 blob is in its own header.
    let old = kho("extract", Fixture(name: "linux-6.18-kho-v1").path, "--subtree", "memblock")
    #expect(old.output.count == 214)
  }

  /// Both handovers of the chained image have such a region; one of them cannot be read.
  @Test func anotherHandoverIsFound() throws {
    let path = Fixture(name: "linux-7.3-kho-v4-chained").path
    let run = kho("extract", path, "--reserve-mem", "labtrace")
    #expect(run.status == 0 && run.output.count == 128 << 10)
    let blob = kho("extract", path, "--subtree", "memblock")
    #expect(blob.status == 0 && blob.output.count == 214)
    #expect(blob.errors.contains("are outside memory"))
  }

  @Test func whatIsNotThereIsOneSentence() throws {
    let path = Fixture(name: "linux-7.3-kho-v4").path
    let output = folder.path("out")
    for arguments in [
      ["--memfd", "vm-alpha:1"], ["--memfd", "nobody:4096"], ["--subtree", "x"],
      ["--reserve-mem", "x"], ["--range", "0x0-0x10"], ["--range", "0xfffffffffffff000-0x1T"],
    ] {
      let run = CommandRun(["extract", path, "-o", output] + arguments)
      #expect(run.status == (arguments.last == "0xfffffffffffff000-0x1T" ? 2 : 3))
      #expect(run.output.isEmpty && run.errors.hasPrefix("kho: "))
    }
    for arguments in [
      [], ["--memfd", "vm-alpha"], ["--memfd", ":1"], ["--subtree", "a", "--reserve-mem", "b"],
      ["--json", "--subtree", "memblock"],
    ] {
      #expect(CommandRun(["extract", path] + arguments).status == 2)
    }
    #expect(kho("extract", path, "--subtree", "LUO", "-o", folder.path("no/out")).status == 4)
    #expect(try strays(besides: []) == [])
  }

  @Test func aTerminalGetsNoBytes() {
    var output: [UInt8] = []
    let console = Console(
      output: {
        output += $0
        return nil
      }, errors: { _ in }, writesToTerminal: true)
    let path = Fixture(name: "linux-7.3-kho-v4").path
    let status = KHOCommandLine.run(["extract", path, "--subtree", "LUO"], console: console)
    #expect(status == 2 && output.isEmpty)
  }

  // MARK: Hostile records

  private let memfd: UInt64 = 0x7d7000
  private let list: UInt64 = 0x7d8000

  private func image(_ change: (inout ImageBuilder) -> Void) throws -> String {
    var image = ImageBuilder(of: try Fixture(name: "linux-7.3-kho-v4").open())
    image.machine = 62
    change(&image)
    return try folder.write(image.elf())
  }

  /// A size that no disk has: a hole in a file, and nothing to standard output.
  @Test func hostileSizes() throws {
    let output = folder.path("out")
    for size in [1 << 40, 1 << 62, 1 << 63, .max] as [UInt64] {
      let path = try image { $0.setWord(at: memfd + 8, to: size) }
      let run = kho("extract", path, "--memfd", "vm-alpha:4096")
      #expect(run.status == 3 && run.output.isEmpty)
      let toFile = kho("extract", path, "--memfd", "vm-alpha:4096", "-o", output)
      #expect(toFile.output.isEmpty)
      if toFile.status == 0 {
        // Where the file system has files so large.
        let attributes = try FileManager.default.attributesOfItem(atPath: output)
        #expect(attributes[.size] as? UInt64 == size)
        try FileManager.default.removeItem(atPath: output)
      } else {
        #expect(size > 1 << 40 && toFile.errors.hasPrefix("kho: "))
      }
      #expect(try strays(besides: ["image"]) == [])
      // A reader does not want so many zeros either, and the other files are read.
      let report: RecordsJSON = try kho("inspect", "--json", "--checksums", path).json()
      let files = report.handovers.compactMap(\.luo).flatMap(\.sessions).flatMap(\.files)
      #expect(files.map { $0.sha256 == nil } == [true, false, false, false, false, false])
      #expect(files[0].bytes == size)
    }
  }

  @Test func holesAreZeros() throws {
    let path = try image {
      // Page 1 is a hole, page 2 is not up to date; a part of a page at the end.
      $0.setWord(at: list + 16, to: 0)
      $0.setWord(at: list + 32, to: $0.word(at: list + 32) & ~(1 << 53))
      $0.setWord(at: memfd + 8, to: 65536 + 5000)
    }
    let sound = kho(
      "extract", Fixture(name: "linux-7.3-kho-v4").path, "--memfd", "vm-alpha:4096"
    ).output
    var expected = sound + [UInt8](repeating: 0, count: 5000)
    for index in 4096..<(3 * 4096) { expected[index] = 0 }
    let run = kho("extract", path, "--memfd", "vm-alpha:4096")
    #expect(run.output == expected)
    let output = folder.path("out")
    #expect(kho("extract", path, "--memfd", "vm-alpha:4096", "-o", output).status == 0)
    #expect(try Array(Data(contentsOf: URL(filePath: output))) == expected)
    let report: RecordsJSON = try kho("inspect", "--json", "--checksums", path).json()
    let file = try #require(report.handovers[0].luo?.sessions[0].files[0])
    #expect(file.sha256 == sha256(expected))
    #expect(file.holeCount == 1 && file.staleFolioCount == 1 && file.folioCount == 16)
  }

  /// Nothing is written of a file that is damaged, and an older one stays.
  @Test func damagedFilesAreRefused() throws {
    let output = try folder.write([1, 2, 3], "out")
    let paths = [
      try image { $0.setWord(at: list + 5 * 16 + 8, to: 3) },
      try image { $0.setWord(at: list + 5 * 16, to: 3 << 52 | 1) },
      try image { $0.setWord(at: memfd + 32, to: 0x1000) },
    ]
    for path in paths {
      let run = kho("extract", path, "--memfd", "vm-alpha:4096", "--force", "-o", output)
      #expect(run.status == 3 && run.errors.hasPrefix("kho: "))
      #expect(try Array(Data(contentsOf: URL(filePath: output))) == [1, 2, 3])
      #expect(kho("extract", path, "--memfd", "vm-alpha:4097").status == 0)
    }
    #expect(try strays(besides: ["out", "image"]) == [])
  }

  /// An ELF segment that is longer in memory than in the file ends with zeros, and that is said.
  @Test func pagesLeftOutAsZeros() throws {
    var image = ImageBuilder(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let folio = (image.word(at: list + 9 * 16) & 0xf_ffff_ffff_ffff) << 12
    image.pages[folio] = nil
    image.absent.append((folio, 4096))
    let path = try folder.write(image.elf())
    let run = kho("extract", path, "--memfd", "vm-alpha:4096", "-o", folder.path("out"))
    #expect(run.status == 0 && run.errors.contains("4096 bytes are zeros that the dump leaves out"))
    let bytes = try Array(Data(contentsOf: URL(filePath: folder.path("out"))))
    #expect(bytes.count == 65536 && bytes[9 * 4096..<10 * 4096].allSatisfy { $0 == 0 })
  }

  // MARK: SHA-256

  @Test func theDigestEqualsAnother() {
    var generator = SeededGenerator(seed: 9)
    for count in Array(0...200) + [1000, 65536] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
      var hash = SHA256()
      var offset = 0
      while offset < count {
        let piece = Int.random(in: 1...max(1, count / 3), using: &generator)
        let end = min(count, offset + piece)
        Array(bytes[offset..<end]).withRawSpan { hash.append($0) }
        offset = end
      }
      #expect(hash.digest() == sha256(bytes), "seed 9, \(count) bytes")
    }
    #expect(
      SHA256().digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }
}

/// The records that `kho inspect --json` prints.
struct RecordsJSON: Decodable {
  let handovers: [Handover]

  struct Handover: Decodable {
    let memblock: Memblock?
    let kexecMetadata: KexecMetadata?
    let khoTest: KHOTest?
    let luo: LiveUpdate?
    let areas: [Area]
    let unknownBlobs: [UnknownBlob]
    let omittedRecordCount: UInt64
    let findings: [FindingJSON]
  }

  struct Memblock: Decodable {
    let regions: [Region]
  }

  struct Region: Decodable {
    let name: String
    let address: UInt64?
    let bytes: UInt64?
    let error: String?
  }

  struct KexecMetadata: Decodable {
    let previousRelease: String
    let kexecCount: UInt64
  }

  struct KHOTest: Decodable {
    let folioCount: UInt64
    let folios: [Folio]
    let area: Area
  }

  struct Folio: Decodable {
    let address: UInt64
    let order: UInt64
  }

  struct Area: Decodable {
    let name: String?
    let pageCount: UInt64
    let order: UInt64
    let chunkCount: UInt64
    let blockCount: UInt64
  }

  struct LiveUpdate: Decodable {
    let compatible: String
    let updateNumber: UInt64
    let sessionsAddress: UInt64
    let sharedDataAddress: UInt64
    let sessions: [Session]
    let error: String?
  }

  struct Session: Decodable {
    let name: String
    let fileCount: UInt64
    let files: [File]
    let error: String?
  }

  struct File: Decodable {
    let handler: String
    let token: UInt64
    let data: UInt64
    let position: UInt64?
    let bytes: UInt64?
    let seals: UInt32?
    let folioCount: UInt64?
    let holeCount: UInt64?
    let staleFolioCount: UInt64?
    let sha256: String?
    let pageMap: [Run]?
    let error: String?
  }

  struct Run: Decodable {
    let pageIndex: UInt64
    let address: UInt64
    let order: UInt64?
    let folioCount: UInt64
    let isDirty: Bool
    let isUpToDate: Bool
  }

  struct UnknownBlob: Decodable {
    let name: String
    let head: String
    let error: String?
  }
}
