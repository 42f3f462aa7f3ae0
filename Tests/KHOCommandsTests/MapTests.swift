import Foundation
import FoundationXML
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import KHOCommands

private struct MapJSON: Decodable {
  let schema: String
  let fdtAddress: UInt64?
  let cellBytes: UInt64
  let cells: [Cell]

  struct Cell: Decodable {
    let address: UInt64
    let bytesByOrder: [String: UInt64]
    let nodeCount: UInt64
    let holdsDeviceTree: Bool
    let isScratch: Bool
  }
}

/// The data inside a page.
struct MapPageJSON: Decodable {
  let pageShift: Int
  let view: [UInt64]
  let orders: [Int]
  let unowned: Int
  let owners: [Owner]
  let segments: [Int64]
  let nodes: [Int64]
  let scratch: [[UInt64]]

  struct Owner: Decodable {
    let title: String
    let entryCount: UInt64
    let byteCount: UInt64

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      title = try container.decode(String.self)
      entryCount = try container.decode(UInt64.self)
      byteCount = try container.decode(UInt64.self)
    }
  }

  struct Segment {
    let first: UInt64
    let count: UInt64
    let used: UInt64
    let order: Int
    let owner: Int
  }

  init(html: String) throws {
    let begin = try #require(html.range(of: "id=\"data\">"))
    let end = try #require(html.range(of: "</script>", range: begin.upperBound..<html.endIndex))
    let json = html[begin.upperBound..<end.lowerBound]
    self = try JSONDecoder().decode(MapPageJSON.self, from: Data(json.utf8))
  }

  static func unpack(_ numbers: [Int64]) -> [Segment] {
    var position: Int64 = 0
    return stride(from: 0, to: numbers.count, by: 5).map { index in
      let first = position + numbers[index]
      let count = numbers[index + 1]
      position = first + count
      let used = numbers[index + 2] == 0 ? count : numbers[index + 2]
      return Segment(
        first: UInt64(first), count: UInt64(count), used: UInt64(used),
        order: Int(numbers[index + 3]), owner: Int(numbers[index + 4]) - 1)
    }
  }
}

@Suite(.namesCombination) struct MapTests {
  private static let v4 = Fixture(name: "linux-7.3-kho-v4")
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The cells hold just what is preserved, whatever their size.
  @Test(arguments: Fixture.all) func cellsHoldWhatIsPreserved(_ fixture: Fixture) throws {
    let expected = try #require(
      try fixture.expectations().handovers.first { $0.readable == true })
    for (width, height) in [(20, 8), (64, 64), (300, 200)] {
      let run = kho("map", "--json", "--width", "\(width)", "--height", "\(height)", fixture.path)
      try #require(run.status == 0)
      let report: MapJSON = try run.json()
      #expect(report.schema == "kho-map/2" && report.fdtAddress == expected.fdtAddress)
      var sums: [String: UInt64] = [:]
      for cell in report.cells {
        for (order, byteCount) in cell.bytesByOrder { sums[order, default: 0] += byteCount }
        #expect(cell.address % report.cellBytes == 0)
      }
      for (order, count) in try #require(expected.orders) {
        let size = UInt64(4096) << (UInt64(order) ?? 0)
        #expect(sums[order] == count * size)
      }
      #expect(sums.count == expected.orders?.count)
      let nodes = try #require(expected.nodesByLevel).reduce(0, +)
      #expect(report.cells.reduce(0) { $0 + $1.nodeCount } == nodes)
      #expect(report.cells.contains { $0.holdsDeviceTree })
    }
  }

  @Test(arguments: Fixture.all) func thePictureFitsTheWindow(_ fixture: Fixture) {
    for (width, height) in [(20, 8), (80, 24), (200, 60)] {
      let run = kho("map", "--width", "\(width)", "--height", "\(height)", fixture.path)
      #expect(run.status == 0)
      let lines = run.lines
      #expect(lines.count <= height)
      for line in lines where line.hasPrefix("0x") { #expect(line.count <= width) }
      #expect(run.text.contains("#") && run.text.contains("D"))
      #expect(!run.text.contains("\u{1b}"))
    }
  }

  @Test func coloursOnlyWhereTheyAreTaken() throws {
    func text(isColored: Bool) -> String {
      final class Output { var bytes: [UInt8] = [] }
      let output = Output()
      let console = Console(
        output: {
          output.bytes += $0
          return nil
        }, errors: { _ in }, showsProgress: false, writesToTerminal: true,
        window: WindowSize(width: 90, height: 30),
        isColored: isColored)
      #expect(KHOCommandLine.run(["map", Self.v4.path], console: console) == 0)
      return String(decoding: output.bytes, as: UTF8.self)
    }
    let plain = text(isColored: false)
    let colored = text(isColored: true)
    #expect(plain.split(separator: "\n").count <= 30)
    #expect(colored.contains("\u{1b}[0;30;48;5;62m"))
    // The colours are all that differs, and none is left on at the end of a line.
    let codes = try Regex("\u{1b}\\[[0-9;]*m")
    #expect(colored.replacing(codes, with: "") == plain)
    for line in colored.split(separator: "\n") where line.contains("\u{1b}") {
      let last = try #require(line.ranges(of: codes).last)
      #expect(line[last] == "\u{1b}[0m")
    }
  }

  @Test func aRangeAndScratchAreShown() throws {
    let run = kho(
      "map", "--json", "--range", "0x580000-0x600000", "--scratch", "0x5f0000-0x5f8000",
      Self.v4.path)
    let report: MapJSON = try run.json()
    #expect(report.cells.allSatisfy { (0x580000..<0x600000).contains($0.address) })
    #expect(report.cells.count { $0.isScratch } == 8)
    let text = kho(
      "map", "--range", "0x580000-0x600000", "--scratch", "0x5f0000-0x5f8000", Self.v4.path)
    #expect(text.text.contains("ssss") && text.text.contains("scratch"))
    let empty = kho("map", "--range", "0-0x1000", Self.v4.path)
    #expect(empty.status == 0 && empty.text.contains("·"))
  }

  // MARK: Pages

  private func page(_ image: String, _ more: String...) throws -> String {
    let path = folder.path("map.html")
    let run = CommandRun(["map", "--force", "--html", path] + more + [image])
    try #require(run.status == 0, "\(run.errors)")
    #expect(run.output == [])
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  /// The page holds each entry, with its order and an owner.
  @Test(arguments: Fixture.all) func pagesHoldEveryEntry(_ fixture: Fixture) throws {
    let data = try MapPageJSON(html: page(fixture.path))
    let image = try HandoverImage.open(FilePath(fixture.path))
    let survey = try #require(image.surveys.first { $0.error == nil })
    let pages = try #require(survey.pages)
    var expected: [UInt64: Int] = [:]
    pages.forEachBlock(in: image.memory) { block in
      for page in 0..<(1 as UInt64) << UInt64(block.order.rawValue) {
        expected[block.address.rawValue >> 12 + page] = Int(block.order.rawValue)
      }
    }
    var found: [UInt64: Int] = [:]
    var byteCounts = [UInt64](repeating: 0, count: data.owners.count)
    for segment in MapPageJSON.unpack(data.segments) {
      #expect(segment.used == segment.count)
      for page in 0..<segment.count { found[segment.first + page] = segment.order }
      try #require(data.owners.indices.contains(segment.owner))
      byteCounts[segment.owner] += segment.count * 4096
    }
    #expect(found == expected)
    #expect(byteCounts == data.owners.map(\.byteCount))
    #expect(data.owners.reduce(0) { $0 + $1.entryCount } == pages.entryCount)
    let nodePages = MapPageJSON.unpack(data.nodes).reduce(0) { $0 + $1.count }
    #expect(nodePages == UInt64(pages.nodes.count))
  }

  /// A page must not fetch anything, and say so to the browser.
  @Test func pagesNeedNothingElse() throws {
    let html = try page(Self.v4.path, "--scratch", "0x1000000-0x1400000")
    #expect(html.contains("default-src 'none'"))
    for word in ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "XMLHttp"] {
      #expect(!html.contains(word), "\(word)")
    }
    #expect(try MapPageJSON(html: html).scratch == [[0x1000, 0x400]])
  }

  static let hostileNames = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><b>&amp;", "]]>-->",
    "\u{2028}\u{2029}\\u003c\\", "a\u{1b}[2Jb",
  ]

  /// An image in which a session has that name, of up to 63 bytes.
  static func image(withSession name: String, in folder: TemporaryFolder) throws -> String {
    var patient = try Patient(v4)
    let luo = try #require(patient.subtrees.first { $0.subtree.name == "LUO" })
    // Behind the header of the block: the first record, which begins with the name.
    let session = patient.image.word(at: luo.subtree.address.rawValue + 16) + 16
    let bytes = Array(name.utf8.prefix(63))
    for index in 0..<64 {
      patient.image.setByte(
        at: session + UInt64(index), to: index < bytes.count ? bytes[index] : 0)
    }
    return try folder.write(patient.image.elf())
  }

  @Test func namesFromImagesAreOnlyText() throws {
    for name in Self.hostileNames {
      let path = try Self.image(withSession: name, in: folder)
      let html = try page(path)
      // Just the two scripts of the page itself, and no markup of the name's.
      #expect(html.components(separatedBy: "<script").count == 3, "\(name)")
      #expect(html.components(separatedBy: "</script").count == 3, "\(name)")
      #expect(!html.contains("<img") && !html.contains("<b>"), "\(name)")
      #expect(!html.contains("\u{1b}"))
      // These end a line of a script.
      let begin = try #require(html.range(of: "<script"))
      #expect(!html[begin.lowerBound...].contains { "\u{2028}\u{2029}".contains($0) })
      let data = try MapPageJSON(html: html)
      #expect(data.owners.contains { $0.title.contains("session \(printable(name))") }, "\(name)")
    }
  }

  @Test func picturesAreXML() throws {
    let awkward = try folder.write(
      try Data(contentsOf: URL(filePath: Self.v4.path)).map { $0 }, "<a>&'\"\u{7}.elf")
    for image in Fixture.all.map(\.path) + [awkward] {
      let path = folder.path("map.svg")
      let run = kho("map", "--force", "--svg", path, "--scratch", "0x1000000-0x1400000", image)
      try #require(run.status == 0, "\(run.errors)")
      let parser = XMLParser(data: try Data(contentsOf: URL(filePath: path)))
      #expect(parser.parse(), "\(image): \(String(describing: parser.parserError))")
    }
  }

  /// A link stays a link, and a device a device.
  @Test func linksAndDevices() throws {
    let real = try folder.write([1, 2, 3], "real")
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
    #expect(kho("map", "--force", "--svg", link, Self.v4.path).status == 4)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == real)
    let null = folder.path("null")
    try FileManager.default.createSymbolicLink(atPath: null, withDestinationPath: "/dev/null")
    #expect(kho("map", "--html", null, Self.v4.path).status == 0)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: null) == "/dev/null")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(Set(names) == ["real", "link", "null"])
  }

  /// A file appears whole or not at all, and what was there stays where it cannot.
  @Test func filesThatCannotBeWritten() throws {
    let nowhere = kho("map", "--html", folder.path("no/map.html"), Self.v4.path)
    #expect(nowhere.status == 4 && nowhere.errors.contains("cannot be made"))
    try FileManager.default.createDirectory(
      atPath: folder.path("folder"), withIntermediateDirectories: false)
    let run = kho("map", "--svg", folder.path("folder"), Self.v4.path)
    #expect(run.status == 4 && run.errors.contains("directory"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["folder"])
    for arguments in [
      ["--width", "19"], ["--height", "2001"], ["--range", "5-5"], ["--scratch", "1"],
    ] {
      #expect(CommandRun(["map"] + arguments + [Self.v4.path]).status == 2, "\(arguments)")
    }
    #expect(kho("map", "/nonexistent").status == 3)
  }
}
