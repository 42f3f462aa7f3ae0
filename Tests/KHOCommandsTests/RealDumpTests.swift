import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

/// Dumps that QEMU and makedumpfile write, of a guest with the memory of a fixture.
@Suite(.enabled(if: tool("qemu-system-x86_64") != nil, "qemu-system-x86_64 is not installed"))
struct RealDumpTests {
  private func run(
    _ tool: URL, _ arguments: [String], input: [UInt8], in folder: TemporaryFolder
  ) throws {
    let process = Process()
    process.executableURL = tool
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.standardInput = try FileHandle(
      forReadingFrom: URL(filePath: try folder.write(input, "input")))
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test(arguments: ["linux-6.18-kho-v1", "linux-7.3-kho-v4"])
  func dumpsOfQEMU(name: String) throws {
    let qemu = try #require(tool("qemu-system-x86_64"))
    let fixture = Fixture(name: name)
    guard case .elf(let core) = try fixture.open() else { return }
    let folder = try TemporaryFolder()
    // The guest never runs: its memory is what is loaded into it, and it is dumped at once.
    var arguments = [
      "-M", "pc", "-accel", "tcg", "-m", "256M", "-S", "-display", "none", "-nodefaults",
      "-monitor", "stdio",
    ]
    for segment in core.segments {
      let bytes = core.withBytes(in: segment.range) { $0.copiedBytes() }
      _ = try folder.write(try #require(bytes), "segment-\(segment.index)")
      arguments += [
        "-device", "loader,file=segment-\(segment.index),addr=\(segment.range.start),force-raw=on",
      ]
    }
    let commands = "dump-guest-memory -z flattened\ndump-guest-memory elf\nquit\n"
    try run(qemu, arguments, input: Array(commands.utf8), in: folder)

    let expected = kho("inspect", "--json", fixture.path).output
    let flattened = folder.path("flattened")
    #expect(kho("inspect", "--json", flattened).output == expected)
    #expect(kho("check", flattened).status == 0)
    #expect(kho("inspect", "--json", folder.path("elf")).output == expected)

    guard let makedumpfile = tool("makedumpfile") else { return }
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: flattened)))
    try run(makedumpfile, ["-R", "plain"], input: bytes, in: folder)
    #expect(kho("inspect", "--json", folder.path("plain")).output == expected)
    #expect(kho("capture", "-o", folder.path("small"), folder.path("plain")).status == 0)
    #expect(kho("inspect", "--json", folder.path("small")).output == expected)
  }
}

/// The program of that name in PATH; nil where it is not installed.
private func tool(_ name: String) -> URL? {
  (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { URL(filePath: String($0)).appending(path: name) }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
}
