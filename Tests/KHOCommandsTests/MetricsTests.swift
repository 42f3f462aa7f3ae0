import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import KHOCommands

/// A reader of metrics that refuses what OpenMetrics 1.0, or Prometheus's text format, does not allow.
private struct MetricsReader {
  var families: [String: [(labels: [String: String], value: String)]] = [:]

  struct Malformed: Error { let line: String }

  init(_ text: String) throws {
    guard text.hasSuffix("\n# EOF\n") else { throw Malformed(line: "no # EOF") }
    var current = ""
    var described: Set<String> = []
    for line in text.dropLast(7).split(separator: "\n", omittingEmptySubsequences: false) {
      func fail() -> Malformed { Malformed(line: String(line)) }
      if line.hasPrefix("# ") {
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count == 4, ["TYPE", "UNIT", "HELP"].contains(words[1]) else { throw fail() }
        if words[1] == "TYPE" {
          guard words[3] == "gauge", !described.contains(String(words[2])) else { throw fail() }
          current = String(words[2])
          described.insert(current)
        }
        guard words[2] == current else { throw fail() }
        if words[1] == "UNIT", !current.hasSuffix("_" + words[3]) { throw fail() }
        continue
      }
      let name = line.prefix { $0.isLetter || $0 == "_" }
      guard name == current else { throw fail() }
      var rest = line.dropFirst(name.count)
      var labels: [String: String] = [:]
      if rest.first == "{" {
        rest = rest.dropFirst()
        while rest.first != "}" {
          let key = rest.prefix { $0.isLetter || $0 == "_" }
          rest = rest.dropFirst(key.count)
          guard !key.isEmpty, rest.hasPrefix("=\"") else { throw fail() }
          rest = rest.dropFirst(2)
          var value = ""
          while let character = rest.first, character != "\"" {
            rest = rest.dropFirst()
            if character == "\\" {
              guard let escaped = rest.first,
                let plain = ["\\": "\\", "\"": "\"", "n": "\n"][escaped]
              else { throw fail() }
              value += plain
              rest = rest.dropFirst()
            } else {
              value.append(character)
            }
          }
          guard rest.first == "\"", labels.updateValue(value, forKey: String(key)) == nil else {
            throw fail()
          }
          rest = rest.dropFirst()
          if rest.first == "," {
            rest = rest.dropFirst()
          } else if rest.first != "}" {
            throw fail()
          }
        }
        rest = rest.dropFirst()
      }
      guard rest.first == " ", let value = UInt64(rest.dropFirst()) else { throw fail() }
      guard !(families[current] ?? []).contains(where: { $0.labels == labels }) else {
        throw fail()
      }
      families[current, default: []].append((labels, "\(value)"))
    }
  }

  func value(_ family: String, _ labels: [String: String] = [:]) -> UInt64? {
    families[family]?.first { sample in
      labels.allSatisfy { sample.labels[$0.key] == $0.value }
    }.flatMap { UInt64($0.value) }
  }
}

/// `kho inspect --format openmetrics`.
@Suite struct MetricsTests {
  @Test(arguments: Fixture.all) func fixtures(_ fixture: Fixture) throws {
    let run = kho("inspect", "--format", "openmetrics", fixture.path)
    #expect([0, 3].contains(run.status))
    let metrics = try MetricsReader(run.text)
    let expected = try fixture.expectations().handovers
    #expect(metrics.value("kho_handovers") == UInt64(expected.count))
    for handover in expected where handover.readable != false {
      let labels = ["handover": "0x" + String(handover.fdtAddress, radix: 16)]
      #expect(metrics.value("kho_preserved_bytes", labels) == handover.preservedBytes)
      #expect(metrics.value("kho_entries", labels) == handover.entryCount)
      #expect(
        metrics.value(
          "kho_handover_format",
          labels.merging(["compatible": handover.compatible ?? ""]) {
            $1
          }) == 1)
      // What the owners have is what is preserved.
      let owned = (metrics.families["kho_owner_bytes"] ?? []).filter {
        $0.labels["handover"] == labels["handover"]
      }.reduce(0) { $0 + (UInt64($1.value) ?? 0) }
      #expect(owned == handover.preservedBytes)
    }
  }

  @Test func findings() throws {
    let run = kho(
      "inspect", "--format", "openmetrics", Fixture.file("cases/03-folio-in-two-files.elf"))
    let metrics = try MetricsReader(run.text)
    let error = ["severity": "error"]
    let count = try #require(metrics.value("kho_findings", error.merging(["code": "any"]) { $1 }))
    #expect(count > 0 && metrics.value("kho_errors") == count)
    #expect(metrics.value("kho_findings", ["severity": "note", "code": "any"]) != nil)
  }

  @Test func names() throws {
    let hostile = "a\"b\\c\nd\u{1b}[31m\u{202e}é"
    var metrics = OpenMetrics()
    metrics.add("x", help: "one\ntwo\\", [.init(.max, [("name", hostile)]), .init(0, [])])
    metrics.add("y", help: "nothing", [])
    let read = try MetricsReader(metrics.text)
    #expect(read.value("x", ["name": "a\"b\\c\nd\\u{1b}[31m\\u{202e}é"]) == .max)
    #expect(read.families["y"] == nil)
  }

  /// The client library of Prometheus reads it, with both of its readers.
  @Test(
    .enabled(
      if: python(check: "import prometheus_client.openmetrics.parser"),
      "no python3-prometheus-client"))
  func clientLibrary() throws {
    let folder = try TemporaryFolder()
    let run = kho("inspect", "--format", "openmetrics", Fixture(name: "linux-7.3-kho-v4").path)
    let file = try folder.write(run.output, "metrics.prom")
    let script = """
      import sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
      from prometheus_client.parser import text_string_to_metric_families as plain
      text = open(sys.argv[1]).read()
      a = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in strict(text) for s in f.samples}
      b = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in plain(text) for s in f.samples}
      assert a == b and len(a) > 20, (len(a), len(b))
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script, file]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  private static func python(check script: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  @Test func usage() {
    let path = Fixture(name: "linux-7.3-kho-v4").path
    for arguments in [
      ["--format", "yaml"], ["--format", "openmetrics", "--json"],
      ["--format", "openmetrics", "--records"],
    ] {
      #expect(CommandRun(["inspect", path] + arguments).status == 2, "\(arguments)")
    }
    #expect(
      kho("inspect", path, "--format", "json").output == kho("inspect", path, "--json").output)
    #expect(kho("inspect", path, "--format", "text").output == kho("inspect", path).output)
  }
}
