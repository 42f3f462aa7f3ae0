import Foundation
import Testing

private let kho = Lab.programs.appending(path: "kho").path

extension RealLinuxTests {
  /// One guest, dumped in every format that QEMU and makedumpfile write: `kho` gives one answer.
  @Suite(.enabled(if: Lab.extent == .all, "a part of Lab/all")) struct DumpFormatsTests {
    /// Enough for the kernel and its initramfs; the test writes and reads this much for each format.
    private static let mebibytes = 256

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func oneAnswer() throws {
      let guest = try Guest(
        memory: Self.mebibytes,
        commandLine: Guest.commandLine.replacing("16M,160M,32M", with: "8M,32M,8M"))
      try guest.run("head -c 1000000 /dev/urandom > /root/file")
      try guest.run("LabGuest preserve one /root/file /bin/busybox > /tmp/preserved &")
      try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      let notes = try guest.run("cat /sys/kernel/vmcoreinfo").text
      try guest.stop()

      let plain = folder.url.appending(path: "plain")
      try guest.writeDump(to: plain)
      let subject = try Subject(plain.path)
      let expected = try answer(about: subject, in: [plain.path])
      #expect(expected.contains("kho-v4"))
      #expect(expected.contains("\"luo\": {"))

      for format in ["kdump-zlib", "kdump-lzo", "kdump-snappy"] {
        let file = folder.url.appending(path: format)
        do {
          try guest.writeDump(to: file, format: format)
        } catch let failure as Guest.Failure where failure.description.contains("not available") {
          print("skipped: this QEMU was built without \(format)")
          continue
        }
        try compare([file.path], subject, expected)
        try FileManager.default.removeItem(at: file)
      }
      let mapped = folder.url.appending(path: "paging")
      try guest.writeDump(to: mapped, paging: true)
      try compare([mapped.path], subject, expected)
      try FileManager.default.removeItem(at: mapped)
      try refuseWindows(guest)

      try compareMakedumpfile(plain.path, notes, subject, expected)
    }

    /// QEMU writes this format only for Windows guests, and `kho` names it.
    private func refuseWindows(_ guest: Guest) throws {
      let file = folder.url.appending(path: "windows")
      #expect(throws: Guest.Failure.self) { try guest.writeDump(to: file, format: "win-dmp") }
      // The header that QEMU writes: a signature and 8 KiB of fields.
      try Data("PAGEDU64".utf8 + [UInt8](repeating: 0, count: 8184)).write(to: file)
      let run = try Run("/bin/sh", ["-c", #""$0" inspect "$1" 2>&1"#, kho, file.path])
      #expect(run.status == 3)
      #expect(run.text.contains("a Windows crash dump"), "\(run.text)")
    }

    /// Compares what makedumpfile writes of the dump.
    private func compareMakedumpfile(
      _ plain: String, _ notes: String, _ subject: Subject, _ expected: String
    ) throws {
      guard let tool = Lab.program("makedumpfile")?.path else {
        print("skipped: makedumpfile is not installed")
        return
      }
      let vmcore = folder.path("vmcore")
      try VMCore(of: plain, mebibytes: Self.mebibytes, notes: notes).write(to: vmcore)
      try compare([vmcore], subject, expected)

      let version = try Run(tool, ["-v"]).text
      for (option, library) in [("-c", nil), ("-l", "lzo"), ("-p", "snappy"), ("-z", "zstd")] {
        if let library, !version.contains("\(library)\tenabled") {
          print("skipped: this makedumpfile was built without \(library)")
          continue
        }
        try make(tool, [option, "-d", "0"], vmcore, subject, expected)
      }
      // Without the pages of zeros; as an ELF file, with all pages and without those of zeros.
      for options in [["-c", "-d", "1"], ["-E", "-d", "0"], ["-E", "-d", "1"]] {
        try make(tool, options, vmcore, subject, expected)
      }
      let flat = folder.path("flat")
      let pipe = try Run(
        "/bin/sh", ["-c", #""$0" -c -F -d 0 "$1" > "$2""#, tool, vmcore, flat])
      #expect(pipe.status == 0)
      try compare([flat], subject, expected)
      try FileManager.default.removeItem(atPath: flat)

      let parts = [folder.path("part-1"), folder.path("part-2")]
      #expect(try Run(tool, ["-c", "-d", "0", "--split", vmcore] + parts).status == 0)
      try compare([parts[0], "--part", parts[1]], subject, expected)
      try compare([parts[1], "--part", parts[0]], subject, expected)
    }

    private func make(
      _ tool: String, _ options: [String], _ vmcore: String, _ subject: Subject, _ expected: String
    ) throws {
      let file = folder.path("made" + options.joined())
      let made = try Run(tool, options + [vmcore, file])
      #expect(made.status == 0, "makedumpfile \(options): \(made.text)")
      try compare([file], subject, expected)
      try FileManager.default.removeItem(atPath: file)
    }

    private func compare(_ files: [String], _ subject: Subject, _ expected: String) throws {
      let answer = try answer(about: subject, in: files)
      #expect(answer == expected, "\(files)")
    }

    /// What `kho` prints about the handover in `files`, and digests of its preserved memory.
    private func answer(about subject: Subject, in files: [String]) throws -> String {
      var text = ""
      for command in [["inspect", "--records"], ["check"], ["owners"], ["pages"]] {
        let run = try Run(
          kho, command + ["--json", "--fdt-address", subject.address] + files)
        #expect(run.status == 0, "\(command) \(files)")
        text += run.text
      }
      for range in subject.ranges {
        let run = try Run(
          "/bin/sh",
          [
            "-c", #""$0" extract --range "$@" | sha256sum"#, kho, range, "--fdt-address",
            subject.address,
          ] + files)
        text += run.text
      }
      return text
    }
  }

  /// Which handover is compared, and which memory of it.
  private struct Subject {
    /// Where the root device tree is. A search is needed once: it would take most of the time.
    let address: String
    /// The largest ranges of preserved pages: of the files of the session.
    let ranges: [String]

    init(_ plain: String) throws {
      let found = try Run(kho, ["inspect", "--json", plain])
      let document = try JSONDecoder().decode(Document.self, from: Data(found.text.utf8))
      try #require(document.handovers.count == 1)
      address = "\(document.handovers[0].fdtAddress)"
      let runs = try Run(
        kho, ["pages", "--json", "--format", "ranges", "--fdt-address", address, plain])
      let pages = try JSONDecoder().decode(Pages.self, from: Data(runs.text.utf8))
      let largest = pages.handovers[0].ranges.sorted { $0.bytes > $1.bytes }.prefix(6)
      ranges = largest.map { "\($0.address)-\($0.address + $0.bytes)" }
      // The busybox is 2 MB, and the file one.
      try #require(largest.reduce(0) { $0 + $1.bytes } > 1 << 20)
    }

    private struct Document: Decodable {
      struct Handover: Decodable { let fdtAddress: UInt64 }
      let handovers: [Handover]
    }

    private struct Pages: Decodable {
      struct Handover: Decodable { let ranges: [Range] }
      struct Range: Decodable {
        let address: UInt64
        let bytes: UInt64
      }
      let handovers: [Handover]
    }
  }
}
