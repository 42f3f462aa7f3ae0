import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

/// Every place that a command can write to, and every command that writes: what is there is safe.
@Suite struct OutputTableTests {
  private let folder: TemporaryFolder
  private let fixture = Fixture(name: "linux-7.3-kho-v4").path

  init() throws { folder = try TemporaryFolder() }

  /// A command that writes a file.
  struct Writer: Sendable, CustomTestStringConvertible {
    let name: String
    /// The command line for an input and an output.
    let arguments: @Sendable (_ input: String, _ output: String) -> [String]
    /// Whether only the owner may read the file.
    let isSecret: Bool
    /// Whether two runs write the same bytes.
    var isRepeatable = true
    var testDescription: String { name }
  }

  static let writers = [
    Writer(name: "capture", arguments: { ["capture", $0, "-o", $1] }, isSecret: true),
    Writer(
      name: "extract", arguments: { ["extract", $0, "--subtree", "kexec-metadata", "-o", $1] },
      isSecret: true),
    Writer(name: "report", arguments: { ["report", $0, "--tar", "-o", $1] }, isSecret: true),
    Writer(name: "map --svg", arguments: { ["map", $0, "--svg", $1] }, isSecret: false),
    Writer(name: "map --html", arguments: { ["map", $0, "--html", $1] }, isSecret: false),
    Writer(name: "forge", arguments: { ["forge", $0 + ".json", "-o", $1] }, isSecret: true),
    Writer(name: "replay", arguments: { ["replay", $0 + ".full", "-o", $1] }, isSecret: true),
    Writer(
      name: "plan --calibration",
      arguments: { ["plan", "--from", $0, "--calibrate", "--calibration", $1] }, isSecret: false,
      isRepeatable: false),
  ]

  /// The input of all commands: an image, a description beside it, and a capture with contents.
  private func input() throws -> String {
    let path = folder.path("input")
    if !FileManager.default.fileExists(atPath: path) {
      try FileManager.default.copyItem(atPath: fixture, toPath: path)
      _ = try folder.write(
        Array(#"{"memory": "1G", "blobs": [{"name": "a", "text": "b"}]}"#.utf8), "input.json")
      let full = kho("capture", path, "--with-contents", "-o", path + ".full")
      try #require(full.status == 0, "\(full.errors)")
    }
    return path
  }

  private func source(_ writer: Writer, _ input: String) -> String {
    switch writer.name {
    case "forge": input + ".json"
    case "replay": input + ".full"
    default: input
    }
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  /// Runs the command; leaves no unfinished file.
  private func run(_ writer: Writer, to output: String, _ more: [String] = []) throws -> BuiltTool {
    let run = try BuiltTool(writer.arguments(try input(), output) + more)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(!names.contains { $0.hasPrefix(".") }, "\(names)")
    return run
  }

  private func expectRefusal(_ run: BuiltTool, _ part: String) {
    #expect(run.status == 4, "\(run.errors)")
    #expect(run.errors.hasPrefix("kho: ") && run.errors.contains(part), "\(run.errors)")
    #expect(run.output.isEmpty)
  }

  @Test(arguments: writers) func aNewFile(_ writer: Writer) throws {
    let output = folder.path("out")
    let first = try run(writer, to: output)
    #expect(first.status == 0, "\(first.errors)")
    let written = try bytes(output)
    #expect(!written.isEmpty)
    let mode = try FileManager.default.attributesOfItem(atPath: output)[.posixPermissions]
    let mask = umask(0)
    umask(mask)
    #expect(mode as? Int == (writer.isSecret ? 0o600 : 0o666 & ~Int(mask)))

    // It exists now.
    try Data([1, 2, 3]).write(to: URL(filePath: output))
    expectRefusal(try run(writer, to: output), "--force")
    #expect(try bytes(output) == Data([1, 2, 3]))
    #expect(try run(writer, to: output, ["--force"]).status == 0)
    #expect(try bytes(output) == written || !writer.isRepeatable && bytes(output).count > 3)
  }

  @Test(arguments: writers) func anInput(_ writer: Writer) throws {
    let input = source(writer, try input())
    let before = try bytes(input)
    let twin = folder.path("twin")
    #expect(unsafe link(input, twin) == 0)
    let symbolic = folder.path("symbolic")
    #expect(unsafe symlink(input, symbolic) == 0)
    for output in [
      input, twin, symbolic, folder.url.path + "/./" + (input as NSString).lastPathComponent,
    ] {
      for more in [[], ["--force"]] {
        expectRefusal(try run(writer, to: output, more), "input")
        #expect(try bytes(input) == before && bytes(twin) == before)
      }
    }
  }

  /// `plan` reads several files.
  @Test func anInputOfAPlan() throws {
    let input = try folder.write(Array("MemTotal: 1000000 kB\n".utf8), "meminfo")
    let before = try bytes(input)
    let run = try BuiltTool([
      "plan", "--memory", "1G", "--meminfo", input, "--calibrate", "--calibration", input,
      "--force",
    ])
    expectRefusal(run, "input")
    #expect(try bytes(input) == before)
  }

  @Test(arguments: writers) func symbolicLinks(_ writer: Writer) throws {
    let target = try folder.write([7], "target")
    let there = folder.path("there")
    let dangling = folder.path("dangling")
    #expect(unsafe symlink(target, there) == 0)
    #expect(unsafe symlink(folder.path("none"), dangling) == 0)
    for output in [there, dangling] {
      for more in [[], ["--force"]] {
        expectRefusal(try run(writer, to: output, more), "symbolic link")
        #expect(
          try SystemCalls.status(at: FilePath(output), followsLinks: false).kind == .symbolicLink)
      }
    }
    #expect(try bytes(target) == Data([7]))
    #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
  }

  /// A FIFO, a device and a descriptor are written into, and are still there.
  @Test(arguments: writers, ["fifo", "/dev/stdout", "/dev/fd/1", "link to fifo"])
  func streams(_ writer: Writer, _ place: String) throws {
    let reference = folder.path("reference")
    try #require(try run(writer, to: reference).status == 0)
    let fifo = folder.path("fifo")
    #expect(unsafe mkfifo(fifo, 0o600) == 0)
    let link = folder.path("link")
    #expect(unsafe symlink(fifo, link) == 0)
    let output = place == "fifo" ? fifo : place == "link to fifo" ? link : place
    let received = folder.path("received")
    let tool = BuiltTool.path
    // A command prints its report behind the bytes where both go to standard output.
    let script =
      place.hasPrefix("/dev") ? #""$@" | cat > "$0""# : #"cat "\#(fifo)" > "$0" & "$@" && wait"#
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments =
      ["-c", "set -o pipefail; " + script, received, tool] + writer.arguments(try input(), output)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try SystemCalls.status(at: FilePath(fifo)).kind == .fifo)
    #expect(!(try bytes(received)).isEmpty)
    guard writer.isRepeatable else { return }
    #expect(try bytes(received).starts(with: bytes(reference)))
    if !place.hasPrefix("/dev") { #expect(try bytes(received) == bytes(reference)) }
  }

  /// Standard output that is a file: what the command writes to `/dev/stdout` is appended to the file.
  @Test func standardOutputIsAFile() throws {
    let output = try folder.write(Array("before\n".utf8), "out")
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments =
      ["-c", #"exec "$@" >> "$0""#, output, BuiltTool.path]
      + Self.writers[1].arguments(try input(), "/dev/stdout")
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let written = try bytes(output)
    #expect(written.count == 7 + 73 && written.starts(with: Data("before\n".utf8)))
  }

  /// A device node of this test's own, as /dev/null and /dev/full are.
  private func device(_ minor: UInt) -> String? {
    let path = folder.path("device-\(minor)")
    guard unsafe mknod(path, S_IFCHR | 0o666, 1 << 8 | minor) == 0,
      FileHandle(forWritingAtPath: path) != nil
    else { return nil }
    return path
  }

  private static let canMakeDevices: Bool = {
    guard let tests = try? OutputTableTests() else { return false }
    return tests.device(3) != nil
  }()

  @Test(.enabled(if: canMakeDevices, "only root can make device nodes"), arguments: writers)
  func devices(_ writer: Writer) throws {
    let null = try #require(device(3))
    let full = try #require(device(7))
    for more in [[], ["--force"]] {
      #expect(try run(writer, to: null, more).status == 0)
      expectRefusal(try run(writer, to: full, more), "no space is left")
    }
    for path in [null, full] {
      #expect(
        try SystemCalls.status(at: FilePath(path), followsLinks: false).kind == .characterDevice)
    }
  }

  @Test(arguments: writers) func placesThatCannotBe(_ writer: Writer) throws {
    let closed = folder.path("closed")
    try FileManager.default.createDirectory(
      atPath: closed, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555])
    var places = [
      (folder.url.path, "directory"), (folder.path("new") + "/", "directory"),
      ("", "cannot be made"),
      (folder.path("none/out"), "cannot be made"), (folder.path("input/out"), "cannot be made"),
      (folder.path(String(repeating: "n", count: 256)), "cannot be made"),
      ("/proc/kho-out", "cannot be made"),
    ]
    if SystemCalls.effectiveUserID != 0 { places.append((closed + "/out", "cannot be made")) }
    let socket = folder.path("s")
    #expect(unsafe mknod(socket, S_IFSOCK | 0o600, 0) == 0)
    places.append((socket, "cannot be made"))
    for (output, part) in places { expectRefusal(try run(writer, to: output), part) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: closed) == [])
  }

  /// A limit on the size of files is an error, and not the end of the process.
  @Test func theLimitOnFileSizes() throws {
    let process = Process()
    let errors = folder.path("errors")
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments =
      ["-c", #"ulimit -f 1; exec "$@" 2> "$0""#, errors, BuiltTool.path]
      + Self.writers[0].arguments(try input(), folder.path("out"))
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 4)
    #expect(String(decoding: try bytes(errors), as: UTF8.self).contains("ulimit -f"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
  }

  /// A command that is interrupted says what it did, leaves nothing behind, and ends by the signal. It
  /// waits for the reader of a FIFO, which reads nothing.
  @Test(.timeLimit(.minutes(1)), arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruptedWork(_ signal: Int32) throws {
    let output = folder.path("fifo")
    #expect(unsafe mkfifo(output, 0o600) == 0)
    let reader = try FileDescriptor.open(FilePath(output), .readOnly, options: .nonBlocking)
    defer { try? reader.close() }
    let errors = try folder.write([], "errors")
    let process = Process()
    // A shell that runs tests in the background ignores some signals, and the command would inherit that.
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "--default-signal", BuiltTool.path, "extract", fixture, "--reserve-mem", "labtrace", "-o",
      output,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
    try process.run()
    // The pipe is full, and the command waits.
    while !SystemCalls.text(of: FilePath("/proc/\(process.processIdentifier)/stat"), atMost: 4096)
      .contains(") S "), process.isRunning
    {
      sched_yield()
    }
    SystemCalls.signal(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == signal)
    let text = String(decoding: try bytes(errors), as: UTF8.self)
    #expect(text == "kho: interrupted; \(output) has none of the output, or a part of it\n")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        == ["errors", "fifo"])
  }
}
