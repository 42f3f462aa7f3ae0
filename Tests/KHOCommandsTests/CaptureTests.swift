import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@Suite struct CaptureTests {
  private static let commands = [
    ["inspect", "--json"], ["inspect"], ["inspect", "--records", "--json"], ["check", "--json"],
    ["check"], ["owners", "--json"], ["owners"],
  ]

  private func expectSame(
    _ path: String, as other: String, _ commands: [[String]] = commands,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for command in commands {
      let run = CommandRun(command + [path])
      let expected = CommandRun(command + [other])
      #expect(run.status == expected.status, "\(command)", sourceLocation: sourceLocation)
      #expect(run.output == expected.output, "\(command)", sourceLocation: sourceLocation)
      #expect(
        run.errors == expected.errors.replacing(other, with: path), "\(command)",
        sourceLocation: sourceLocation)
    }
  }

  private func size(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
  }

  @Test(arguments: Fixture.all)
  func readsAsTheImage(_ fixture: Fixture) throws {
    let folder = try TemporaryFolder()
    let small = folder.path("small")
    let run = kho("capture", fixture.path, "-o", small)
    #expect(run.status == 0)
    #expect(run.errors == "")
    #expect(run.text.hasPrefix("\(small): "))
    expectSame(small, as: fixture.path)
    expectSame(small, as: fixture.path, [["pages", "--json"]])
    // The contents are most of an image, and are not in it.
    #expect(try size(small) < size(fixture.path) * 2 / 3)

    let again = folder.path("again")
    #expect(kho("capture", "-o", again, small).status == 0)
    #expect(try Data(contentsOf: URL(filePath: again)) == Data(contentsOf: URL(filePath: small)))
  }

  /// `inspect` and `owners` read the records of a handover that lost entries, `check` does not.
  @Test func damagedHandoverReadsAsTheImage() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
    let block = try #require(patient.blocks.first { $0.order > .zero })
    let slots = patient.slots(to: block.address.rawValue, order: Int(block.order.rawValue))
    patient.image.setWord(at: try #require(slots.last), to: 1)
    let path = try folder.write(patient.image.elf())
    let report: RecordsJSON = try kho("inspect", "--json", path).json()
    #expect(report.handovers.compactMap(\.luo).flatMap(\.sessions).isEmpty == false)
    let small = folder.path("small")
    #expect(kho("capture", path, "-o", small).status == 0)
    expectSame(small, as: path)
  }

  @Test(arguments: Fixture.all)
  func contentsAreTheImages(_ fixture: Fixture) throws {
    let folder = try TemporaryFolder()
    let full = folder.path("full")
    #expect(kho("capture", "--with-contents", fixture.path, "-o", full).status == 0)
    expectSame(full, as: fixture.path)
    let original = try fixture.open()
    let capture = try MemoryImage.open(FilePath(full), base: nil)
    for address in HandoverScanner(original).addresses {
      let survey = HandoverSurvey(.memory(address), in: original, geometry: .pages4KiB)
      guard survey.error == nil else { continue }
      survey.pages?.forEachBlock(in: original) { block in
        let range = block.range(in: .pages4KiB)
        let bytes = original.withBytes(in: range) { $0.copiedBytes() }
        #expect(bytes != nil && capture.withBytes(in: range) { $0.copiedBytes() } == bytes)
      }
    }
    let again = folder.path("again")
    #expect(kho("capture", "--with-contents", "-o", again, full).status == 0)
    #expect(try Data(contentsOf: URL(filePath: again)) == Data(contentsOf: URL(filePath: full)))
    // Without contents, it is what the image itself gives.
    let small = folder.path("small")
    let direct = folder.path("direct")
    #expect(kho("capture", "-o", small, full).status == 0)
    #expect(kho("capture", "-o", direct, fixture.path).status == 0)
    #expect(try Data(contentsOf: URL(filePath: small)) == Data(contentsOf: URL(filePath: direct)))
  }

  /// From every format the same capture, and with its page size where only that format knew it.
  @Test func everyFormat() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(name: "linux-7.3-kho-v4")
    let direct = folder.path("direct")
    #expect(kho("capture", "-o", direct, fixture.path).status == 0)
    var builder = KdumpBuilder(of: try fixture.open())
    let dump = try folder.write(builder.built(), "dump")
    let ofDump = folder.path("of-dump")
    #expect(kho("capture", "-o", ofDump, dump).status == 0)
    #expect(try Data(contentsOf: URL(filePath: ofDump)) == Data(contentsOf: URL(filePath: direct)))

    // A VMCOREINFO stays.
    builder.vmcoreInfo = "OSRELEASE=7.3.4\nPAGESIZE=4096\n"
    let noted = try folder.write(builder.built(), "noted")
    let ofNoted = folder.path("of-noted")
    #expect(kho("capture", "-o", ofNoted, noted).status == 0)
    let core = try ELFCoreImage(opening: FilePath(ofNoted))
    #expect(core.vmcoreInfo == Array("OSRELEASE=7.3.4\nPAGESIZE=4096\n".utf8))
    #expect(core.vmcoreInfoPageByteCount == 4096)
    #expect(core.machine == .x86_64)
    expectSame(ofNoted, as: fixture.path)

    // Raw memory, which the user describes.
    let raw = folder.path("raw")
    let file = try FileHandle(forWritingTo: URL(filePath: try folder.write([], "raw")))
    try file.truncate(atOffset: 256 << 20)
    for (address, bytes) in ImageBuilder(of: try fixture.open()).pages {
      try file.seek(toOffset: address)
      try file.write(contentsOf: Data(bytes))
    }
    try file.close()
    let ofRaw = folder.path("of-raw")
    let run = kho("capture", "--base", "0", "--page-size", "4K", "-o", ofRaw, raw)
    #expect(run.status == 0)
    #expect(
      kho("inspect", "--json", ofRaw).output == kho("inspect", "--json", fixture.path).output)
    #expect(try ELFCoreImage(opening: FilePath(ofRaw)).vmcoreInfoPageByteCount == 4096)
    #expect(try size(ofRaw) < 1 << 20)
  }

  @Test func oneHandoverOfTwo() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(name: "linux-7.3-kho-v4-chained")
    let path = folder.path("one")
    let run = kho("capture", "--json", "--fdt-address", "0xd10000", "-o", path, fixture.path)
    #expect(run.status == 0)
    let report: CaptureJSON = try run.json()
    #expect(report.schema == "kho-capture/2")
    #expect(report.fdtAddresses == [0xd1_0000])
    #expect(report.storedBytes > 0 && report.storedBytes < report.memoryBytes)
    let inspected: InspectJSON = try kho("inspect", "--json", path).json()
    #expect(inspected.handovers.map(\.fdtAddress) == [0xd1_0000])
    #expect(inspected.handovers.first?.error == nil)
  }

  private struct CaptureJSON: Decodable {
    let schema: String
    let path: String
    let fdtAddresses: [UInt64]
    let storedBytes: UInt64
    let memoryBytes: UInt64
  }

  @Test func nothingIsOverwritten() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(name: "linux-6.18-kho-v1")
    let path = try folder.write([1, 2, 3], "there")
    let run = kho("capture", "-o", path, fixture.path)
    #expect(run.status == 4)
    #expect(run.output == [] && run.errors.contains("--force"))
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
    #expect(kho("capture", "--force", "-o", path, fixture.path).status == 0)
    expectSame(path, as: fixture.path)
    // Never over the input.
    #expect(kho("capture", "--force", "-o", path, path).status == 4)
    expectSame(path, as: fixture.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["there"])
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func whatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(name: "linux-6.18-kho-v1")
    let missing = folder.path("no/such/folder")
    let run = kho("capture", "-o", missing, fixture.path)
    #expect(run.status == 4)
    #expect(run.errors.hasPrefix("kho: \(missing): cannot be made"))
    #expect(kho("capture", fixture.path).status == 2)

    // The bytes of a device tree that the image does not contain.
    let tree = try folder.write(
      try #require(ImageBuilder(of: try fixture.open()).pages[0x55_2000]), "tree")
    let nowhere = kho("capture", "--fdt", tree, "-o", folder.path("x"), fixture.path)
    #expect(nowhere.status == 3)
    #expect(nowhere.errors.contains("--fdt-address"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("x")))
  }
}
