import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import KHOCommands

private struct CompatJSON: Decodable {
  let schema: String
  let from: String
  let to: String
  let verdict: String
  let firstObstacle: String?
  let formats: [Row]

  struct Row: Decodable {
    let name: String
    let verdict: String
    let written: [String]?
    let writtenSource: String?
    let understood: [String]?
    let understoodSource: String?
    let consequence: String?
    let consequenceBasis: String?
  }

  func row(_ name: String) -> Row? { formats.first { $0.name == name } }
}

private func compat(_ arguments: String...) throws -> (status: Int32, report: CompatJSON) {
  let run = CommandRun(["compat", "--json"] + arguments)
  return (run.status, try run.json())
}

@Suite(.namesCombination) struct CompatTests {
  private static let v3 = Fixture(name: "linux-7.1-kho-v3")
  private static let v4 = Fixture(name: "linux-7.3-kho-v4")
  /// The fixtures, each with the release it was taken in.
  private static let fixtures = [
    ("linux-6.18-kho-v1", "6.18"), ("linux-7.1-kho-v3", "7.1"), ("linux-7.3-kho-v4", "7.3"),
  ]

  /// What the releases hand to each other, by the first obstacle; nil where all is understood, and
  /// "?" in front where the obstacle is only that nothing is known.
  @Test func releases() throws {
    let expected: [String: [String: String?]] = [
      "6.16": [
        "6.16": "?memblock", "6.17": "?memblock", "6.18": "kho-v1-bitmap", "6.19": "kho-v1-bitmap",
        "7.1": "kho", "7.2": "kho", "7.3": "kho",
      ],
      "6.18": [
        "6.16": "kho-v1-bitmap", "6.17": "kho-v1-bitmap", "6.18": nil, "6.19": "?memblock",
        "7.1": "kho", "7.2": "kho", "7.3": "kho",
      ],
      "7.1": ["6.19": "kho", "7.1": nil, "7.2": "kho", "7.3": "kho"],
      "7.2": ["6.16": "kho", "7.1": "kho", "7.2": nil, "7.3": nil],
      "7.3": ["6.18": "kho", "7.1": "kho", "7.2": nil, "7.3.4-1-amd64": nil],
    ]
    for (from, row) in expected {
      for (to, obstacle) in row {
        let (status, report) = try compat(from, to)
        let isUnknown = obstacle?.hasPrefix("?") == true
        #expect(report.schema == "kho-compat/1")
        #expect(status == (obstacle == nil ? 0 : isUnknown ? 3 : 1), "\(from) to \(to)")
        #expect(
          report.verdict
            == (obstacle == nil ? "compatible" : isUnknown ? "unknown" : "incompatible"))
        #expect(
          report.firstObstacle == obstacle.map { isUnknown ? String($0.dropFirst()) : $0 },
          "\(from) to \(to)")
        for row in report.formats {
          #expect((row.verdict == "compatible") == (row.consequence == nil), "\(row.name)")
          #expect((row.consequence == nil) == (row.consequenceBasis == nil))
          #expect((row.written == nil) == (row.writtenSource == nil))
          #expect((row.understood == nil) == (row.understoodSource == nil))
        }
      }
    }
  }

  /// Everything that the images hold is in the catalogue under their release, and the other way
  /// round.
  @Test func catalogueAgreesWithImages() throws {
    for (name, release) in Self.fixtures {
      let fixture = Fixture(name: name)
      let image = try HandoverImage.open(FilePath(fixture.path))
      let survey = try #require(image.surveys.first)
      let formats = KernelFormats(survey, in: image)
      let facts = try #require(FormatCatalogue.release(release)).facts
      for format in HandoverFormat.allCases where format != .chunkBitmap || release == "6.18" {
        // The size of the bitmaps shows in no image whose blocks are all aligned.
        if format == .chunkBitmap, formats.writes[format] == nil { continue }
        #expect(
          formats.writes[format]?.strings == facts[format]?.strings, "\(name) \(format.rawValue)")
      }
      #expect(formats.foreignBlobs == [])
      #expect(try compat(fixture.path, release).status == (release == "6.18" ? 3 : 0))
      #expect(try compat(release, fixture.path).status == (release == "6.18" ? 3 : 0))
    }
  }

  @Test func imagesAgainstEachOtherAndReleases() throws {
    let (status, report) = try compat(Self.v3.path, Self.v4.path)
    #expect(status == 1 && report.firstObstacle == "kho")
    #expect(report.row("kho")?.written == ["kho-v3"] && report.row("kho")?.understood == ["kho-v4"])
    #expect(report.row("page-size")?.verdict == "compatible")
    #expect(report.row("luo")?.verdict == "incompatible")
    #expect(report.row("luo-file")?.verdict == "compatible")
    // A chained image holds a handover that cannot be read, and one that can.
    let chained = Fixture(name: "linux-7.3-kho-v4-chained")
    let (again, other) = try compat(chained.path, "7.2")
    #expect(again == 0 && other.from.contains("0xd10000"))
    #expect(try compat("--fdt-address-a", "0xd10000", chained.path, "7.2").status == 0)
    let run = kho("compat", chained.path, "7.1")
    #expect(run.status == 1)
    #expect(run.text.contains("B does not understand") && run.text.contains("kho-v3"))
  }

  /// An image with a record of a format from elsewhere.
  @Test func aRecordThatNobodyTakes() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Self.v4)
    let luo = try #require(patient.subtrees.first { $0.subtree.name == "LUO" })
    patient.image.setByte(at: luo.subtree.address.rawValue + 5, to: UInt8(ascii: "9"))
    let path = try folder.write(patient.image.elf())
    let (status, report) = try compat(path, "7.3")
    #expect(status == 1 && report.firstObstacle == "luo")
    #expect(report.row("luo")?.written == ["luo-v9"])
    #expect(report.row("luo")?.consequenceBasis == "unknown")
    #expect(report.row("luo-file")?.written == nil)
    #expect(try compat("7.3", path).report.firstObstacle == "luo")
  }

  @Test func aBlobThatNobodyKnows() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Self.v4)
    let (map, deviceTree) = (patient.map, patient.deviceTree)
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "kho-v4")
      try writer.property("preserved-memory-map", nativeUInt64: map)
      try writer.beginNode("ghost\u{1b}[2J")
      try writer.property("preserved-data", nativeUInt64: deviceTree)
      try writer.property("blob-size", nativeUInt64: 64)
      try writer.endNode()
    }
    let path = try folder.write(patient.image.elf())
    let (status, report) = try compat(path, "7.3")
    #expect(status == 3 && report.firstObstacle == "blob ghost\u{1b}[2J")
    let run = kho("compat", path, "7.3")
    #expect(run.text.contains("ghost") && !run.text.contains("\u{1b}"))
  }

  @Test func list() throws {
    let run = kho("compat", "--list")
    #expect(run.status == 0)
    for release in FormatCatalogue.releases { #expect(run.text.contains("\n\(release.name) ")) }
    struct ListJSON: Decodable {
      let schema: String
      let releases: [Release]
      struct Release: Decodable {
        let release: String
        let formats: [String: Fact]
      }
      struct Fact: Decodable {
        let strings: [String]
        let source: String
      }
    }
    let report: ListJSON = try kho("compat", "--list", "--json").json()
    #expect(report.schema == "kho-compat-list/1")
    #expect(report.releases.map(\.release) == FormatCatalogue.releases.map(\.name))
    for release in report.releases {
      for fact in release.formats.values { #expect(!fact.source.isEmpty) }
      let version = try #require(release.formats["kho"]?.strings.first)
      #expect(ABIVersion(compatible: version) != nil)
    }
  }

  @Test func namesOfReleases() {
    for (text, name) in [
      ("7.3", "7.3"), ("7.3.4", "7.3"), ("v7.3", "7.3"), ("linux-7.3.4-1-amd64", "7.3"),
      ("Linux 6.18", "6.18"), ("7.3-rc1", "7.3"), ("07.03", "7.3"), ("7.10+deb14", "7.10"),
    ] {
      #expect(FormatCatalogue.releaseName(text) == name, "\(text)")
    }
    for text in ["", "7", "7.", ".3", "7.x", "a.b", "7.3x", "-7.3", "7.٣", "70000.1", "v", "7..3"] {
      #expect(FormatCatalogue.releaseName(text) == nil, "\(text)")
    }
  }

  @Test func refusals() {
    for arguments in [[], ["7.1"], ["--list", "7.1"], ["7.1", "7.2", "7.3"]] {
      #expect(CommandRun(["compat"] + arguments).status == 2, "\(arguments)")
    }
    let unknown = kho("compat", "7.0", "7.3")
    #expect(unknown.status == 3 && unknown.errors.contains("nothing is known"))
    for pair in [["nonsense", "7.3"], ["7.3", "/nonexistent"]] {
      let run = CommandRun(["compat"] + pair)
      #expect(run.status == 3 && run.output.isEmpty && run.errors.contains(pair.joined()) == false)
    }
  }
}
