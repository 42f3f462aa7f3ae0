import Foundation
import HandoverTestSupport
import KexecHandover
import MemoryAccess
import Testing

@testable import KHOCommands

/// Every exit status of every command.
@Suite struct ExitStatusTests {
  private static let sound = Fixture(name: "linux-7.3-kho-v4").path
  private static let other = Fixture(name: "linux-7.1-kho-v3").path
  /// One of its two handovers cannot be read.
  private static let partial = Fixture(name: "linux-7.3-kho-v4-chained").path

  private static let reading = ["inspect", "pages", "check", "owners", "map"]

  /// Command lines and their status.
  private static let table: [([String], Int32)] = {
    var table: [([String], Int32)] = []
    func add(_ status: Int32, _ arguments: String...) { table.append((arguments, status)) }
    for command in reading {
      add(0, command, sound)
      add(3, command, "/nonexistent")
      add(3, command, "/dev/null")
      add(2, command)
      add(2, command, "--nonsense", sound)
    }
    add(3, "inspect", partial)
    add(3, "pages", partial)
    add(3, "owners", partial)
    add(1, "check", partial)
    add(0, "map", partial)
    add(0, "diff", sound, sound)
    add(1, "diff", sound, other)
    add(2, "diff", sound)
    add(3, "diff", sound, "/nonexistent")
    add(0, "compat", "7.3", "7.3")
    add(1, "compat", "7.1", "7.3")
    add(2, "compat", "7.1")
    add(3, "compat", "5.0", "7.3")
    add(3, "compat", sound, "/nonexistent")
    add(0, "extract", sound, "--subtree", "kexec-metadata")
    add(3, "extract", sound, "--subtree", "none")
    add(2, "extract", sound)
    add(4, "extract", sound, "--subtree", "kexec-metadata", "-o", "/nonexistent/out")
    add(2, "capture", sound)
    add(3, "capture", "/nonexistent", "-o", "/nonexistent/out")
    add(4, "capture", sound, "-o", "/nonexistent/out")
    add(4, "map", sound, "--svg", "/nonexistent/out")
    add(4, "map", sound, "--html", "/nonexistent/out")
    add(0, "plan", "--memory", "1G", "--blocks", "0:10")
    add(2, "plan")
    add(1, "plan", "--memory", "16M", "--blocks", "0:1000000")
    add(3, "plan", "--from", "/nonexistent")
    add(3, "plan", "--memory", "1G", "--blocks", "0:1", "--calibration", "/nonexistent")
    add(3, "plan", "--memory", "1G", "--meminfo", "/nonexistent")
    add(4, "plan", "--calibrate", "--calibration", "/nonexistent/out")
    add(0, "compat", "--list")
    add(2, "store")
    add(3, "store", "/nonexistent")
    add(3, "store", "/dev/null")
    add(3, "store", sound)
    add(2, "report", sound)
    add(3, "report", "/nonexistent", "-o", "/nonexistent/out")
    add(4, "report", sound, "-o", "/nonexistent/out")
    add(2, "update")
    add(3, "update", "--kernel", "/nonexistent")
    add(4, "replay", sound, "-o", "/nonexistent/out")
    add(3, "forge", "/nonexistent", "-o", "/nonexistent/out")
    add(2, "forge")
    add(3, "replay", "/nonexistent", "-o", "/nonexistent/out")
    add(2, "replay")
    add(4, "demo", "--file", "/nonexistent/out")
    add(2, "demo", "--memory", "1K")
    add(2, "nonsense")
    add(2, "--nonsense")
    add(0, "--help")
    add(0, "--version")
    add(0)
    return table
  }()

  @Test func theTable() {
    for (arguments, status) in Self.table {
      let run = CommandRun(arguments)
      #expect(run.status == status, "\(arguments): \(run.errors)")
      if status == 0 || status == 1 {
        #expect(!run.errors.hasPrefix("Error"), "\(arguments)")
      } else {
        #expect(run.errors.hasPrefix("kho: "), "\(arguments): \(run.errors)")
      }
    }
  }

  /// The same with `--json`: what is said on standard error is one object, with the status.
  @Test func theTableInJSON() {
    for (arguments, status) in Self.table
    where !arguments.isEmpty
      && !["extract", "update", "--help", "--version"].contains(arguments[0])
    {
      let run = CommandRun(arguments + ["--json"])
      #expect(run.status == status, "\(arguments): \(run.errors)")
      guard !run.errors.isEmpty else {
        #expect(status == 0 || status == 1, "\(arguments)")
        continue
      }
      let error = run.errorJSON
      #expect(error?.schema == "kho-error/1" && error?.status == status, "\(run.errors)")
      #expect(run.errors.count { $0 == "\n" } == 1 && run.errors.hasSuffix("\n"))
      if status > 1 { #expect(error?.error != nil, "\(arguments): \(run.errors)") }
    }
  }

  /// Standard output that takes nothing is status 4, whatever else is found.
  @Test func aFullStandardOutput() throws {
    for arguments in [
      ["inspect", Self.sound], ["pages", Self.sound], ["check", Self.sound],
      ["owners", Self.sound],
      ["map", Self.sound], ["diff", Self.sound, Self.other], ["compat", "7.1", "7.3"],
      ["compat", "--list"], ["extract", Self.sound, "--subtree", "kexec-metadata"],
      ["plan", "--memory", "1G", "--blocks", "0:10"], ["check", Self.partial], ["--help"],
      ["--version"],
    ] {
      for more in arguments[0].hasPrefix("-") || arguments[0] == "extract"
        ? [[]] : [[], ["--json"]]
      {
        let folder = try TemporaryFolder()
        let errors = folder.path("errors")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments =
          ["-c", #"exec "$@" > /dev/full 2> "$0""#, errors, BuiltTool.path] + arguments + more
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 4, "\(arguments + more)")
        let text = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(text.contains("standard output cannot be written"), "\(text)")
      }
    }
  }

  /// An image that is cut while it is read.
  @Test func aTruncatedImage() throws {
    let image = try [UInt8](Data(contentsOf: URL(filePath: Self.sound)))
    let folder = try TemporaryFolder()
    let path = try folder.write(Array(image[..<(image.count / 2)]), "short")
    for command in Self.reading { #expect(kho(command, path).status == 3) }
  }

  @Test func theNearestCommand() {
    for (typed, meant) in [
      ("inspekt", "inspect"), ("chek", "check"), ("page", "pages"), ("onwers", "owners"),
      ("dif", "diff"), ("extrakt", "extract"), ("captrue", "capture"), ("INSPECT", "inspect"),
      ("compatibility", "compat"), ("plna", "plan"), ("mpa", "map"),
    ] {
      let run = kho(typed, "image")
      #expect(run.status == 2 && run.output.isEmpty)
      #expect(
        run.errors.hasPrefix("kho: unknown command '\(typed)'")
          && run.errors.contains("'\(meant)'"),
        "\(run.errors)")
    }
    let far = kho("xylophone")
    #expect(far.status == 2 && far.errors.contains("the commands are inspect, "))
    #expect(kho("a\u{1b}[2J\u{202e}").errors.contains("\\u{1b}[2J\\u{202e}"))
  }

  @Test func whatIsInvalidIsExplained() {
    for (arguments, reason) in [
      (["inspect", "--base", "12Q", "a"], "decimal, or hexadecimal"),
      (["inspect", "--base", "16777216T", "a"], "larger than 2^64"),
      (["inspect", "--base", "99999999999999999999", "a"], "larger than 2^64"),
      (["inspect", "--page-size", "8K", "a"], "4K"), (["pages", "--range", "5", "a"], "not A-B"),
      (["pages", "--range", "6-5", "a"], "not above its start"),
      (["pages", "--order", "x", "a"], "not a number"),
      (["extract", "--memfd", "x", "a"], "SESSION:TOKEN"),
      (["plan", "--blocks", "0", "--memory", "1G"], "ORDER:COUNT"),
      (["plan", "--blocks", "0:1,0:2", "--memory", "1G"], "twice"),
      (["plan", "--kho-scratch", "x", "--memory", "1G"], "LOW,GLOBAL,PERNODE"),
      (["plan", "--boot-memory", "x", "--memory", "1G"], "LOW,HIGH"),
    ] {
      let run = CommandRun(arguments)
      #expect(run.status == 2 && run.errors.hasPrefix("kho: "), "\(run.errors)")
      #expect(run.errors.contains("is invalid") && run.errors.contains(reason), "\(run.errors)")
      #expect(run.errors.contains("Usage: kho"))
      let json = CommandRun(arguments + ["--json"]).errorJSON
      #expect(arguments[0] == "extract" || json?.error?.contains(reason) == true)
    }
  }

  /// Text of hostile images: by what Unicode says of each character, not by a list.
  @Test func textThatIsNotShownAsItself() {
    for value in [
      0, 0x1b, 0x7f, 0x85, 0x9b, 0xa0, 0xad, 0x61c, 0x200b, 0x200d, 0x200e, 0x202a, 0x202e, 0x2028,
      0x2029, 0x2066, 0x2069, 0x206f, 0x3000, 0xe000, 0xfeff, 0xfff9, 0xe0001, 0xe0020, 0x10ffff,
      0x378,
    ] as [UInt32] {
      let text = "a" + String(Unicode.Scalar(value)!) + "b"
      let shown = printable(text)
      #expect(shown == "a\\u{\(String(value, radix: 16))}b", "\(value)")
      let json = JSONValue.array([.string(text)]).text(isPretty: false)
      #expect(json.unicodeScalars.allSatisfy { (0x20..<0x7f).contains($0.value) }, "\(json)")
      #expect(try! JSONDecoder().decode([String].self, from: Data(json.utf8)) == [text])
    }
    for text in ["plain", "äöü", "日本語", "π≤∞", "naïve e\u{301}", "😀"] {
      #expect(printable(text) == text)
    }
    #expect(printable(#"\u{202e}"#) == #"\\u{202e}"#)
  }
}
