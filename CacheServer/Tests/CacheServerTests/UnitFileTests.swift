import Foundation
import Testing

/// The unit that systemd starts the server from: a user of its own, and a sandbox.
@Suite struct UnitFileTests {
  private static let unit = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../systemd/cache-server.service").standardizedFileURL

  @Test func userAndSandbox() throws {
    let lines = Set(
      try String(contentsOf: Self.unit, encoding: .utf8).split(separator: "\n").map(String.init))
    for line in [
      "DynamicUser=yes", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict",
      "ProtectHome=yes", "RestrictNamespaces=yes", "MemoryDenyWriteExecute=yes",
    ] {
      #expect(lines.contains(line), "\(line)")
    }
  }

  private static let analyzer = "/usr/bin/systemd-analyze"

  /// systemd's own rating is at most 2.5 of 10, in which 10 is a unit without any restriction.
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: analyzer), "systemd-analyze is missing"))
  func rating() throws {
    let process = Process()
    process.executableURL = URL(filePath: Self.analyzer)
    process.arguments = ["security", "--offline=true", "--threshold=25", Self.unit.path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
