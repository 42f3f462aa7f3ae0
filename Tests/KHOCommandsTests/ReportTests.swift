import Foundation
import HandoverTestSupport
import Testing

/// `kho report`: the archive for a bug report.
@Suite struct ReportTests {
  private let folder: TemporaryFolder
  private let fixture = Fixture(name: "linux-7.3-kho-v4").path

  init() throws { folder = try TemporaryFolder() }

  private func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: path)))
  }

  private func unpack(_ tar: String) throws -> String {
    let place = folder.path("unpacked")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["tar", "-C", place, "-xf", tar]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return place
  }

  /// Each part is what its command prints, and the capture is one.
  @Test func aFolder() throws {
    let output = folder.path("report")
    let run = kho("report", "-o", output, fixture)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text.hasSuffix("\n" + kho("check", fixture).text))
    #expect(
      try names(output) == [
        "README.txt", "capture.elf", "check.json", "inspect.json", "map.html", "metrics.prom",
        "owners.json",
      ])
    for (name, arguments) in [
      ("inspect.json", ["inspect", "--json"]), ("check.json", ["check", "--json"]),
      ("owners.json", ["owners", "--json"]),
      ("metrics.prom", ["inspect", "--format", "openmetrics"]),
    ] {
      #expect(try bytes(output + "/" + name) == CommandRun(arguments + [fixture]).output, "\(name)")
    }
    let capture = folder.path("capture")
    #expect(kho("capture", fixture, "-o", capture).status == 0)
    #expect(try bytes(output + "/capture.elf") == bytes(capture))
    for name in try names(output) {
      let mode = try FileManager.default.attributesOfItem(atPath: output + "/" + name)[
        .posixPermissions]
      #expect(mode as? Int == 0o600)
    }
    let mode = try FileManager.default.attributesOfItem(atPath: output)[.posixPermissions]
    #expect(mode as? Int == 0o700)
    // It is there now.
    let again = kho("report", "-o", output, fixture)
    #expect(again.status == 4 && again.errors.contains("--force"))
    #expect(kho("report", "-o", output, "--force", fixture).status == 0)
  }

  @Test func aTarFile() throws {
    let output = folder.path("report.tar")
    let run = kho("report", "-o", output, "--json", fixture)
    #expect(run.status == 0, "\(run.errors)")
    struct Summary: Decodable {
      let schema: String
      let parts: [String]
      let errorCount: UInt64
    }
    let summary: Summary = try run.json()
    #expect(summary.schema == "kho-report/1" && summary.errorCount == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: output)[.posixPermissions]
    #expect(mode as? Int == 0o600)
    let place = try unpack(output)
    #expect(try names(place) == summary.parts.sorted())
    let other = folder.path("folder")
    #expect(kho("report", "-o", other, fixture).status == 0)
    for name in try names(place) {
      #expect(try bytes(place + "/" + name) == bytes(other + "/" + name), "\(name)")
    }
    // The same input gives the same bytes.
    let twin = folder.path("twin.tar")
    #expect(kho("report", "-o", twin, fixture).status == 0)
    #expect(try bytes(twin) == bytes(output))
  }

  @Test func statuses() throws {
    let damaged = kho(
      "report", "-o", folder.path("a"), Fixture.file("cases/03-folio-in-two-files.elf"))
    #expect(damaged.status == 1)
    #expect(try names(folder.path("a")).contains("check.json"))
    #expect(kho("report", "-o", folder.path("b"), Fixture.file("cases/08-cut.elf")).status == 3)
    #expect(try names(folder.path("b")).contains("capture.elf"))
    #expect(kho("report", "-o", folder.path("c"), folder.path("nowhere")).status == 3)
    #expect(!FileManager.default.fileExists(atPath: folder.path("c")))
    #expect(kho("report", fixture).status == 2)
    #expect(kho("report", "-o", folder.path("no/where"), fixture).status == 4)
    #expect(kho("report", "-o", folder.path("no/where.tar"), fixture).status == 4)
  }

  /// The lines of a log that are about KHO, without what a terminal would obey.
  @Test func logs() throws {
    let log = try folder.write(
      Array(
        "Linux version 7.3.4\nusb 1-1: new device\n[ 1.0] KHO: found \u{1b}[31m\nluo: x\n".utf8),
      "log")
    let output = folder.path("report")
    #expect(kho("report", "-o", output, "--dmesg", log, fixture).status == 0)
    let text = try String(contentsOfFile: output + "/dmesg.txt", encoding: .utf8)
    #expect(text.contains("KHO: found") && text.contains("luo: x") && !text.contains("usb"))
    #expect(!text.contains("\u{1b}"))
    #expect(
      kho("report", "-o", output, "--force", "--dmesg", folder.path("none"), fixture).status == 3)
  }

  /// An input in the folder is never written over, nor are other files left half-way.
  @Test func inputsAreSafe() throws {
    let place = folder.path("place")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: fixture, toPath: place + "/capture.elf")
    let before = try bytes(place + "/capture.elf")
    let run = kho("report", "-o", place, "--force", place + "/capture.elf")
    #expect(run.status == 4 && run.errors.contains("input"))
    #expect(try bytes(place + "/capture.elf") == before)
    #expect(try names(place) == ["capture.elf"])
    // A folder that cannot take all files: what was made is gone again.
    let new = folder.path("new")
    try FileManager.default.createDirectory(atPath: new, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: new + "/owners.json", withIntermediateDirectories: true)
    #expect(kho("report", "-o", new, "--force", fixture).status == 4)
    #expect(try names(new) == ["owners.json"])
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place)
    #expect(kho("report", "-o", link, fixture).status == 4)
  }
}
