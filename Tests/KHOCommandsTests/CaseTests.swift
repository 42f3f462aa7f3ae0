import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// Inputs in the formats that people have, each with the answer that was found independently of this project:
/// the rows of `Fixtures/cases/README.md`.
@Suite(.namesCombination) struct CaseTests {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/cases")

  private func path(_ name: String) -> String { Self.folder.appending(path: name).path }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Self.folder.appending(path: name)))
  }

  /// What is found in an image: where its handover is, how much it preserves, and the digest of its list of
  /// pages.
  private func expect(
    _ path: String, _ options: [String] = [], address: String, entries: UInt64, byteCount: UInt64,
    digest: String, status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let inspect = CommandRun(["inspect", "--json"] + options + [path])
    #expect(inspect.status == status, "\(inspect.errors)", sourceLocation: sourceLocation)
    let text = CommandRun(["inspect"] + options + [path]).text
    #expect(text.hasPrefix("handover at \(address): "), sourceLocation: sourceLocation)
    let pages = CommandRun(["pages", "--format", "plain"] + options + [path])
    #expect(pages.status == status, sourceLocation: sourceLocation)
    #expect(sha256(pages.output) == digest, sourceLocation: sourceLocation)
    let image = try JSONDecoder().decode(Report.self, from: Data(inspect.output))
    let handover = try #require(image.handovers.first, sourceLocation: sourceLocation)
    #expect(image.handovers.count == 1, sourceLocation: sourceLocation)
    #expect(handover.entryCount == entries, sourceLocation: sourceLocation)
    #expect(handover.preservedBytes == byteCount, sourceLocation: sourceLocation)
  }

  private struct Report: Decodable {
    struct Handover: Decodable {
      let entryCount: UInt64?
      let preservedBytes: UInt64?
    }
    let handovers: [Handover]
  }

  private func expectSound(
    _ path: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expect(
      path, address: "0x1016000", entries: 37, byteCount: 151_552,
      digest: "c8decf3b781ca3f0c882d1a624141971caf77e421f300a3005eed32db7b09834",
      sourceLocation: sourceLocation)
  }

  @Test func sound() throws { try expectSound(path("sound.elf")) }

  @Test func lzoAndZstdPages() throws {
    try expectSound(path("01-lzo.kdump"))
    try expectSound(path("01-zstd.kdump"))
  }

  @Test func lime() throws {
    let folder = try TemporaryFolder()
    // The memory of the reference, as one range.
    let image = try MemoryImage.open(FilePath(path("sound.elf")), base: nil)
    var dump: [UInt8] = []
    for range in try #require(image.readableMemory).ranges {
      var header = Array("EMiL".utf8) + [UInt8](repeating: 0, count: 28)
      header.put(1, at: 4, byteCount: 4)
      header.put(range.start.rawValue, at: 8, byteCount: 8)
      header.put(try #require(range.last).rawValue, at: 16, byteCount: 8)
      dump += header + (try #require(image.withBytes(in: range) { $0.copiedBytes() }))
    }
    try expectSound(try folder.write(dump))
  }

  @Test func compressed() throws { try expectSound(path("07-vmcore.gz")) }

  @Test func cutDumps() throws {
    for name in ["08-cut.elf", "08-cut-flattened.kdump"] {
      try expect(
        path(name), address: "0x110000", entries: 11, byteCount: 45_056,
        digest: "6da37ec3f303eee759d52f5ad0bbdfe60f818a8b3ad254ca456f4c66451aae5b", status: 3)
      let run = kho("inspect", path(name))
      #expect(run.errors.contains("incomplete") && run.errors.contains("missing from 0x"))
    }
    // Before its handover: nothing is found in the part that is there, and that is said.
    let folder = try TemporaryFolder()
    let cut = try folder.write(Array(try bytes("08-cut.elf").prefix(8192)))
    let run = kho("inspect", cut)
    #expect(run.status == 3)
    #expect(run.errors.contains("in the part that is there"))
  }

  private func unpacked(_ name: String, _ folder: TemporaryFolder) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["tar", "-xJSf", path(name + ".tar.xz"), "-C", folder.url.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return folder.path(name)
  }

  private static var canUnpack: Bool {
    ["tar", "xz"].allSatisfy { name in
      ["/usr/bin/", "/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + name) }
    }
  }

  @Test(.enabled(if: canUnpack, "tar or xz is not installed"))
  func memoryFileOfAVirtualMachine() throws {
    let folder = try TemporaryFolder()
    let file = try unpacked("04-vmm.ram", folder)
    for options in [
      ["--vmm", "cloud-hypervisor"], ["--base", "0", "--base", "3G=4G"],
      ["--base", "0xc0000000=0x100000000", "--base", "0=0"],
    ] {
      try expect(
        file, options, address: "0x108014000", entries: 12, byteCount: 4_235_264,
        digest: "c30ae39295f5b5571682704a8bf748832cdfc23c0b1362d5a93a1ae62ebf93e7")
    }
    // Without the hole, the handover is found where it was not; the way out is named.
    let run = kho("inspect", "--base", "0", file)
    #expect(run.errors.contains("hole") && run.errors.contains("--vmm"))
    #expect(kho("inspect", file).status == 3)
  }

  @Test(.enabled(if: canUnpack, "tar or xz is not installed"))
  func programHeadersOverTheSameBytes() throws {
    let folder = try TemporaryFolder()
    try expect(
      try unpacked("09-alias.elf", folder), address: "0x1007000", entries: 3, byteCount: 12_288,
      digest: "516cf3a6a3117de464cd4be3ce0eb7e8da98344e2efbd2de02f8a2fbb41434cc")
  }

  @Test func foreignFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let process = kho("inspect", path("13-process.core"))
    #expect(process.status == 3 && process.errors.contains("core of a process"))
    let stream = try folder.write(Array("QEVM".utf8) + [UInt8](repeating: 0, count: 5000))
    for options in [[], ["--base", "0"]] {
      let run = CommandRun(["inspect", stream] + options)
      #expect(run.status == 3)
      #expect(run.errors.contains("QEMU migration stream") && run.errors.contains("--memory-only"))
    }
    #expect(kho("inspect", stream, "--raw").errors.contains("no root device tree"))
  }

  @Test func zerosThatWereLeftOut() throws {
    let folder = try TemporaryFolder()
    let output = folder.path("zeros")
    let run = kho(
      "extract", "--range", "0x2000000-0x2200000", "-o", output, path("12-zeros-left-out.elf"))
    #expect(run.status == 0)
    #expect(run.errors.contains("2097152 bytes are zeros that the dump leaves out"))
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: output)))
    #expect(bytes.count == 2 << 20 && bytes.allSatisfy { $0 == 0 })
  }

  /// Bytes that a dump does not hold are not zeros, unless the user wants them to be.
  @Test func missingBytes() throws {
    let folder = try TemporaryFolder()
    let output = folder.path("bytes")
    let whole = try MemoryImage.open(FilePath(path("08-cut.elf")), base: nil)
    let first = try #require(whole.shortfall?.firstMissing).rawValue
    let range = "0x\(String(first - 5, radix: 16))-0x\(String(first + 5000, radix: 16))"
    let refused = kho("extract", "--range", range, "-o", output, path("08-cut.elf"))
    #expect(refused.status == 3)
    #expect(!FileManager.default.fileExists(atPath: output))
    let filled = kho(
      "extract", "--zero-missing", "--range", range, "-o", output, path("08-cut.elf"))
    #expect(filled.status == 3)
    #expect(filled.errors.contains("5000 bytes are missing in the dump"))
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: output)))
    #expect(bytes.count == 5005 && bytes[5...].allSatisfy { $0 == 0 })
    let stored = whole.withBytes(
      in: PhysicalRange(start: PhysicalAddress(first - 5), byteCount: 5)
    ) { $0.copiedBytes() }
    #expect(stored == Array(bytes[..<5]))
  }
}
