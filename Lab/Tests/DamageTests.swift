import Foundation
import KexecHandover
import Testing

extension RealLinuxTests {
  /// What Linux does with a handover that is wrong, for each kind of damage that can be forged, or for those whose codes
  /// `$KHO_LAB_DAMAGES` names, separated by commas. The table goes to `$KHO_LAB_LOGS/damage.md`, and what each kernel
  /// printed to `damage-CODE.log`; the documentation has the table.
  @Suite(.enabled(if: Lab.extent == .all, "a part of Lab/all")) struct DamageTests {
    private static let kho = Lab.programs.appending(path: "kho").path

    /// What became of a boot.
    private struct Outcome {
      var end = "boots"
      var handover = ""
      var test = ""
      /// What became of the file of the first session, and of that of the second.
      var files = ["–", "–"]
      var lines: [String] = []
    }

    @Test func everyDamage() throws {
      let folder = try TemporaryFolder()
      let state = folder.url.appending(path: "state")
      try Data((0..<300_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }).write(to: state)
      let sum = try Run("/usr/bin/sha256sum", [state.path]).text.prefix(64)
      let description = folder.url.appending(path: "description.json")
      try #"""
      {"metadata": {"release": "forged", "count": 1}, "liveUpdate": 2,
       "sessions": [{"name": "vm", "files": [{"token": 1, "file": "state"}]},
         {"name": "other", "files": [{"token": 1, "file": "state"}]}],
       "reserveMem": [{"name": "forged", "size": "1M"}],
       "test": {"orders": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 3]}}
      """#.write(to: description, atomically: true, encoding: .utf8)
      let initramfs = folder.url.appending(path: "initramfs")
      try Guest.initramfs().whole.write(to: initramfs)
      var table =
        "| damage | boots | handover | self-test | first file | second file | the kernel's words |\n"
        + "|---|---|---|---|---|---|---|\n"
      let chosen = ProcessInfo.processInfo.environment["KHO_LAB_DAMAGES"]?.split(separator: ",")
      let damages = ForgeDamage.allCases.filter { chosen?.contains($0.rawValue[...]) ?? true }
      for damage in [nil] + damages.map(Optional.some) {
        let image = folder.url.appending(path: "boot.elf")
        let made = try Run(
          Self.kho,
          ["forge", description.path] + (damage.map { ["--damage", $0.rawValue] } ?? []) + [
            "--kernel", Lab.parts.kernel.path, "--initramfs", initramfs.path, "--append",
            Guest.commandLine + " reserve_mem=1M:4096:forged", "-o", image.path, "--force",
          ])
        try #require(made.status == 0)
        let name = damage?.rawValue ?? "none"
        let outcome = try boot(image, sum: String(sum), name)
        if damage == nil {
          #expect(
            outcome.end == "boots" && outcome.test == "succeeded"
              && outcome.files == ["right", "right"])
        }
        table +=
          "| \(name) | \(outcome.end) | \(outcome.handover) | \(outcome.test) "
          + "| \(outcome.files.joined(separator: " | ")) | \(outcome.lines.joined(separator: "<br>")) |\n"
        try Lab.keep(table, as: "damage.md")
      }
    }

    private func boot(_ image: URL, sum: String, _ name: String) throws -> Outcome {
      let guest = try Guest(.whole(image), memory: 448, patience: 120, waitsUntilReady: false)
      defer { try? Lab.keep(guest.log, as: "damage-\(name).log") }
      var outcome = Outcome()
      var isReady = false
      do {
        // A kernel that prints its first line goes on, or says why not.
        try guest.expect("Linux version")
        guest.patience = Guest.patience
        try guest.waitUntilReady()
        isReady = true
        guest.patience = 120
        for (index, session) in ["vm", "other"].enumerated() {
          outcome.files[index] = "no answer"
          let taken = try guest.attempt("LabGuest retrieve \(session) 1")
          let found = try guest.attempt("sha256sum /tmp/\(session)-1").text.prefix(64)
          outcome.files[index] = taken.status != 0 ? "lost" : found == sum ? "right" : "wrong"
        }
        try guest.powerOff()
      } catch is Guest.Failure {
        let end =
          guest.log.contains("Kernel panic")
          ? "panics"
          : (guest.isRunning ? "hangs" : "resets") + (guest.log.isEmpty ? ", silent" : "")
        outcome.end = isReady ? "boots, then \(end)" : end
      }
      let log = guest.log
      outcome.handover =
        log.contains("disabling KHO revival") || log.contains("disabling KHO")
        ? "disabled" : log.contains("found kexec handover data") ? "taken" : "not seen"
      outcome.test =
        log.contains("KHO restore succeeded")
        ? "succeeded" : log.contains("KHO restore failed") ? "failed" : "not run"
      let telling = [
        "KHO: ", "luo: ", "memfd_luo: ", "test_kho: ", "Kernel panic", "BUG:", "RIP: ",
        "for KHO: -",
      ]
      let usual = [
        "found kexec handover data", "exec from: ", "restore succeeded", "scratch areas",
        "ommand line", "number: ",
      ]
      let words = log.split(separator: "\n").filter { line in
        telling.contains { line.contains($0) } && !usual.contains { line.contains($0) }
      }
      outcome.lines = words.prefix(4).map { String($0).replacing("|", with: "/") }
      return outcome
    }
  }
}
