import Foundation
import Testing

extension RealLinuxTests {
  /// `kho --live` in a guest, in the situations that a machine goes through, against `kho` on a dump of the
  /// same instant.
  @Suite(.enabled(if: Lab.extent == .all, "a part of Lab/all")) struct LiveCommandsTests {
    private static let kho = Lab.programs.appending(path: "kho").path

    /// Compares the list of pages that `kho` reads in a dump with that of another program, where `$KHO_LAB_ORACLE` names
    /// one: `ORACLE DUMP --fdt-phys HEX` prints a JSON array, in which `sha256` is that of the sorted lines "PHYS ORDER".
    ///
    /// - Returns: where the root device tree of the outgoing handover is, and the sum of the list.
    private func compareInDump(
      _ dump: URL, of guest: Guest, _ situation: String, in folder: TemporaryFolder
    ) throws -> (address: String, sum: String) {
      // The outgoing handover, as the guest itself names it.
      let inspected = try guest.attempt("kho inspect --live")
      let address = String(
        try #require(
          inspected.lines.last { $0.hasPrefix("handover at ") }?.split(separator: " ")[2].dropLast()
        ))
      let pages = folder.url.appending(path: "pages").path
      let host = try Run(
        "/bin/sh",
        ["-c", "\(Self.kho) pages --fdt-address \(address) --format plain \(dump.path) > \(pages)"])
      #expect(host.status == 0)
      let sum = String(try Run("/usr/bin/sha256sum", [pages]).text.prefix(64))
      if let oracle = ProcessInfo.processInfo.environment["KHO_LAB_ORACLE"] {
        let read = try Run("/usr/bin/env", ["python3", oracle, dump.path, "--fdt-phys", address])
        struct Found: Decodable { let sha256: String }
        let found = try JSONDecoder().decode([Found].self, from: Data(read.text.utf8))
        #expect(found.map(\.sha256) == [sum], "\(situation)")
      }
      return (address, sum)
    }

    /// Compares the list of pages that the guest reads of itself with what the host reads in a dump.
    ///
    /// - Returns: a line of the table of what it cost.
    private func compare(
      _ guest: Guest, _ situation: String, in folder: TemporaryFolder
    ) throws -> String {
      let live = try guest.attempt(
        "time -v -o /tmp/cost kho pages --live --format plain > /tmp/pages 2> /tmp/notes; echo $?; "
          + "sha256sum < /tmp/pages")
      #expect(live.lines.first == "0", "\(situation): \(live.text)")
      let dump = folder.url.appending(path: "dump.elf")
      try guest.dump(to: dump)
      defer { try? FileManager.default.removeItem(at: dump) }
      let (address, sum) = try compareInDump(dump, of: guest, situation, in: folder)
      #expect(live.lines.last?.prefix(64) == sum[...], "\(situation)")
      // And the sound state is sound in both.
      #expect(try guest.attempt("kho check --live").status == 0, "\(situation)")
      #expect(
        try Run(Self.kho, ["check", "--fdt-address", String(address), dump.path]).status == 0,
        "\(situation)")
      let cost = try guest.run("cat /tmp/cost").lines
      func value(_ name: String) -> String {
        cost.first { $0.contains(name) }?.split(separator: ": ").last.map(String.init) ?? ""
      }
      return "| \(situation) | \(value("wall clock")) | \(value("Maximum resident")) |\n"
    }

    @Test func sixSituations() throws {
      let folder = try TemporaryFolder()
      let guest = try Guest()
      var table = "| situation | time | resident, KiB |\n|---|---|---|\n"
      // Without debugfs: a sentence with the way out.
      let unmounted = try guest.attempt("kho check --live")
      #expect(unmounted.status == 3 && unmounted.text.contains("mount -t debugfs"))
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      // 1. Before the first preserve.
      table += try compare(guest, "before the first preserve", in: folder)
      // Not root.
      let user = try guest.attempt("su -s /bin/sh nobody -c 'kho check --live'")
      #expect(user.status == 3 && user.text.contains("root"), "\(user.text)")
      // 2. /dev/mem in the place of /proc/kcore: the same list. 3. Neither of them.
      try guest.run(
        "kho pages --live --format plain > /tmp/kcore; mount --bind /dev/null /proc/kcore")
      try guest.run("kho pages --live --format plain > /tmp/mem; cmp /tmp/kcore /tmp/mem")
      let neither = try guest.attempt("mount --bind /dev/null /dev/mem; kho check --live")
      #expect(neither.status == 3, "\(neither.text)")
      try guest.run("umount /dev/mem; umount /proc/kcore")
      // 4. With sessions.
      try guest.run("head -c 3000000 /dev/urandom > /root/file")
      try guest.run("LabGuest preserve one /root/file /bin/busybox > /tmp/preserved &")
      try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      table += try compare(guest, "with a session", in: folder)
      // Every command.
      for command in [
        "inspect", "inspect --json", "check", "check --json", "pages", "owners", "map --width 80",
        "capture -o /tmp/c.elf", "capture --with-contents -o /tmp/cc.elf",
      ] {
        let parts = command.split(separator: " ", maxSplits: 1)
        let rest = parts.count > 1 ? " " + parts[1] : ""
        let answer = try guest.attempt("kho \(parts[0]) --live\(rest)")
        #expect(answer.status == 0, "\(command): \(answer.text)")
      }
      for command in [
        "diff live /tmp/c.elf", "compat live 7.3", "plan --from live", "check /tmp/c.elf",
      ] {
        let answer = try guest.attempt("kho \(command)")
        #expect(answer.status == 0, "\(command): \(answer.text)")
      }
      try guest.run("rm /tmp/c.elf /tmp/cc.elf")
      // 5. After one kexec, and 6. after two: the incoming handover's memory is used again.
      for situation in ["after one kexec", "after two kexecs"] {
        try guest.kexec()
        try guest.run("mount -t debugfs none /sys/kernel/debug")
        table += try compare(guest, situation, in: folder)
        #expect(try guest.run("cat /tmp/notes").text.contains("is left out"))
      }
      try Lab.keep(table, as: "live.md")
      try guest.powerOff()
    }

    /// Reads a handover while the kernel preserves files and takes them back: what stays preserved is in every list,
    /// and a dump of any instant reads the same with `kho` and with the other program.
    @Test func whilePreservingGoesOn() throws {
      let folder = try TemporaryFolder()
      let guest = try Guest(processors: 2)
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      try guest.run("head -c 3000000 /dev/urandom > /root/file")
      try guest.run("kho pages --live --format plain | sort > /tmp/lasting")
      try guest.run(
        "LabGuest preserve-again /root/file /bin/busybox /etc/passwd > /tmp/again 2>&1 &")
      try guest.run("until grep -q preserved /tmp/again; do usleep 100000; done")
      var statuses: [String: [Int32: Int]] = [:]
      for _ in 0..<10 {
        for command in ["inspect", "check", "owners", "pages --format plain"] {
          let answer = try guest.attempt(
            "kho \(command.replacing(" ", with: " --live ", maxReplacements: 1))"
              + (command.contains(" ") ? "" : " --live") + " > /tmp/now 2> /tmp/complaint; "
              + "status=$?; cat /tmp/complaint; exit $status")
          statuses[command, default: [:]][answer.status, default: 0] += 1
          // What cannot be read may be due to changes, and is said to be.
          if answer.status == 3 {
            #expect(answer.text.contains("changes while it was read"), "\(command): \(answer.text)")
          } else if command != "check" {
            #expect(answer.status == 0, "\(command): \(answer.text)")
          }
          if command.hasPrefix("pages"), answer.status == 0 {
            let lost = try guest.attempt("grep -vxFf /tmp/now /tmp/lasting")
            #expect(lost.text.isEmpty, "\(lost.text)")
          }
        }
      }
      // The machine is stopped between two instructions.
      for _ in 0..<3 {
        let dump = folder.url.appending(path: "dump.elf")
        try guest.dump(to: dump)
        _ = try compareInDump(dump, of: guest, "while preserving goes on", in: folder)
        try FileManager.default.removeItem(at: dump)
      }
      let rounds = try guest.run("tail -1 /tmp/again").text
      #expect(!rounds.contains("LabGuest:"), "\(rounds)")
      try guest.run("kill $(pidof LabGuest)")
      #expect(try guest.attempt("kho check --live").status == 0)
      try Lab.keep("\(rounds)\(statuses)\n", as: "while-preserving.txt")
      try guest.powerOff()
    }

    /// A kernel that does not hand over says so in a sentence.
    @Test func kernelWithoutHandover() throws {
      let guest = try Guest(
        commandLine: Guest.commandLine.replacing("kho=on liveupdate=on ", with: ""))
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      let answer = try guest.attempt("kho inspect --live")
      #expect(answer.status == 3 && answer.text.contains("kho=on"), "\(answer.text)")
      #expect(answer.lines.count == 1)
      try guest.powerOff()
    }
  }
}
