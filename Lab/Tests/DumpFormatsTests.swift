import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

extension RealLinuxTests {
  /// One guest, dumped in every format that QEMU and makedumpfile write: one answer.
  @Suite(.enabled(if: Lab.extent == .all, "a part of Lab/all")) struct DumpFormatsTests {
    private static let kho = Lab.programs.appending(path: "kho").path
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func oneAnswer() throws {
      let guest = try Guest(memory: 256)
      try guest.run("head -c 3000000 /dev/urandom > /root/file")
      try guest.run("LabGuest preserve one /root/file /bin/busybox > /tmp/preserved &")
      try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      let place = try guest.run("cat /sys/kernel/vmcoreinfo").text
      try guest.stop()
      let plain = folder.url.appending(path: "plain")
      try guest.writeDump(to: plain)
      let expected = try answer(of: [plain.path])
      #expect(expected.contains("kho-v4"))

      var formats = 0
      for (format, paging) in [
        ("kdump-zlib", false), ("kdump-lzo", false), ("kdump-snappy", false), (nil, true),
      ] as [(String?, Bool)] {
        let file = folder.url.appending(path: "dump-\(format ?? "paging")")
        do {
          try guest.writeDump(to: file, format: format, paging: paging)
        } catch let failure as Guest.Failure where failure.description.contains("not available") {
          // A build of QEMU without that library.
          continue
        }
        formats += 1
        #expect(try answer(of: [file.path]) == expected, "\(format ?? "paging")")
        try FileManager.default.removeItem(at: file)
      }
      #expect(formats >= 2)
      // Not of a Windows guest.
      let windows = folder.url.appending(path: "windows")
      #expect(throws: Guest.Failure.self) { try guest.writeDump(to: windows, format: "win-dmp") }

      try makedumpfile(plain, place, expected)
    }

    /// What `makedumpfile` makes of the dump, once it has the kernel's notes.
    private func makedumpfile(_ plain: URL, _ place: String, _ expected: String) throws {
      guard let tool = Lab.program("makedumpfile") else { return }
      let vmcore = folder.path("vmcore")
      try writeVMCore(of: plain, notes: place, to: vmcore)
      #expect(try answer(of: [vmcore]) == expected)
      let version = try Run(tool.path, ["-v"]).text
      var count = 0
      for (option, library) in [("-c", ""), ("-l", "lzo"), ("-p", "snappy"), ("-z", "zstd")] {
        if !library.isEmpty, !version.contains("\(library)\tenabled") { continue }
        let file = folder.path("made\(option)")
        let made = try Run(tool.path, [option, "-d", "0", vmcore, file])
        try #require(made.status == 0, "makedumpfile \(option): \(made.text)")
        #expect(try answer(of: [file]) == expected, "makedumpfile \(option)")
        count += 1
      }
      #expect(count >= 1)
      // Zero pages left out; an ELF file; an ELF file with runs of zeros left out.
      for options in [["-c", "-d", "1"], ["-E", "-d", "0"], ["-E", "-d", "1"]] {
        let file = folder.path("made" + options.joined())
        #expect(try Run(tool.path, options + [vmcore, file]).status == 0)
        #expect(try answer(of: [file]) == expected, "makedumpfile \(options)")
        try FileManager.default.removeItem(atPath: file)
      }
      // As a stream.
      let flat = folder.path("flat")
      let piped = try Run("/bin/sh", ["-c", "\(tool.path) -c -F -d 0 \(vmcore) > \(flat)"])
      #expect(piped.status == 0)
      #expect(try answer(of: [flat]) == expected, "flattened")
      // In two parts, in either order.
      let parts = [folder.path("part-1"), folder.path("part-2")]
      #expect(try Run(tool.path, ["-c", "-d", "0", "--split", vmcore] + parts).status == 0)
      #expect(try answer(of: [parts[0], "--part", parts[1]]) == expected, "split")
      #expect(
        try answer(of: [parts[1], "--part", parts[0]]) == expected, "split, second part first")
    }

    /// What `kho` says of a dump: everything but its name.
    private func answer(of arguments: [String]) throws -> String {
      var text = ""
      for command in ["inspect", "check", "owners"] {
        let run = try Run(Self.kho, [command, "--json"] + arguments)
        #expect(run.status == 0, "\(command) \(arguments)")
        text += run.text
      }
      let pages = try Run(
        "/bin/sh",
        ["-c", #""$0" pages --format plain "$@" | sha256sum"#, Self.kho] + arguments)
      return text + pages.text
    }

    /// Writes the dump as /proc/vmcore presents it: headers without gaps, the kernel's mapping of memory, and
    /// VMCOREINFO, which QEMU adds only for kernels that have its device.
    private func writeVMCore(of plain: URL, notes place: String, to path: String) throws {
      let words = place.split(whereSeparator: \.isWhitespace)
      let start = try #require(UInt64(words[0].dropFirst(2), radix: 16))
      let size = try #require(UInt64(words[1], radix: 16))
      let memory = try MemoryImage.open(FilePath(plain.path), base: nil)
      let range = PhysicalRange(start: PhysicalAddress(start), byteCount: size)
      let note = try #require(memory.withBytes(in: range) { $0.copiedBytes() })
      let textByteCount = Int(note[4]) | Int(note[5]) << 8
      let existing = try #require(memory.existingMemory)
      // RAM alone: above it is the firmware's flash.
      let ram = MemoryMap([PhysicalRange(start: .zero, byteCount: 256 << 20)])
      var writer = CoreFileWriter(
        existing: existing.intersection(ram), stored: existing.intersection(ram))
      writer.machine = memory.machine
      writer.vmcoreInfo = Array(note[24..<24 + textByteCount])
      try writer.write(to: FilePath(path), replacing: false, from: memory)
      // p_vaddr of each PT_LOAD, in the direct mapping that the kernel's notes describe.
      let file = try FileHandle(forUpdating: URL(filePath: path))
      let header = try #require(try file.read(upToCount: 64 + 56 * 32))
      let text = String(decoding: writer.vmcoreInfo ?? [], as: UTF8.self)
      let base: UInt64 =
        text.contains("pgtable_l5_enabled)=1") ? 0xff11_0000_0000_0000 : 0xffff_8880_0000_0000
      for index in 0..<Int(header[56]) {
        let offset = 64 + 56 * index
        guard header[offset] == 1 else { continue }
        let address = (0..<8).reduce(UInt64(0)) {
          $0 | UInt64(header[offset + 24 + $1]) << UInt64(8 * $1)
        }
        try file.seek(toOffset: UInt64(offset + 16))
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: (base + address) >> UInt64(8 * $0)) }
        try file.write(contentsOf: Data(bytes))
      }
      try file.close()
    }
  }
}
