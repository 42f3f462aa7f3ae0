import Foundation
import HandoverDemo
import HandoverTestSupport
import KHOCommands
import Testing

private struct SourcedPlan: Decodable {
  let memoryBytes: UInt64?
  let basis: [String]
  let boot: Boot?
  let current: Current?
  let scratch: Areas?
  let recommendation: Recommendation?

  struct Boot: Decodable {
    let lowBytes: UInt64
    let highBytes: UInt64
    let nodeBytes: [UInt64]
  }

  struct Current: Decodable {
    let bytes: UInt64
    let areas: [CurrentArea]
  }

  struct CurrentArea: Decodable {
    let name: String
    let address: UInt64?
    let bytes: UInt64
  }

  struct Areas: Decodable {
    let bytes: UInt64
    let areas: [Area]
  }

  struct Area: Decodable {
    let name: String
    let bytes: UInt64
  }

  struct Recommendation: Decodable {
    let option: String
    let scratch: Areas
  }
}

private func plan(_ arguments: [String]) throws -> SourcedPlan {
  let run = CommandRun(["plan", "--json"] + arguments)
  try #require(run.status == 0, "\(run.errors)")
  return try run.json()
}

/// Whether `estimate` is within 5 % of `truth`.
private func isNear(_ estimate: UInt64, _ truth: UInt64) -> Bool {
  (estimate > truth ? estimate - truth : truth - estimate) <= truth / 20
}

/// What `kho plan` makes of what a machine's owner has, against what the kernel computed there.
@Suite(.namesCombination) struct PlanSourceTests {
  private static let machines = ["x86_64-800M", "x86_64-6G", "x86_64-6G-2-nodes", "arm64-800M"]

  private func path(_ name: String) -> String {
    Fixture.file("plan/\(name)")
  }

  private func truth(_ machine: String) throws -> UInt64 {
    try String(contentsOfFile: path(machine + ".scratch_len"), encoding: .utf8)
      .split(separator: "\n").reduce(0) { $0 + (UInt64($1.dropFirst(2), radix: 16) ?? 0) }
  }

  /// A whole log, with KHO off and on, the line about memory alone, and the zones.
  @Test(arguments: machines) func realMachines(_ machine: String) throws {
    let folder = try TemporaryFolder()
    let truth = try truth(machine)
    for state in ["off", "on"] {
      let log = path("\(machine)-\(state).log")
      let whole = try plan(["--dmesg", log])
      #expect(isNear(whole.scratch?.bytes ?? 0, truth), "\(state): \(whole.basis)")
      // What is recommended is of the same size.
      #expect(isNear(whole.recommendation?.scratch.bytes ?? 0, truth) || machine.contains("nodes"))
      // On arm64, what was loaded is not counted, and the line does not contain its size.
      guard !machine.hasPrefix("arm64") else { continue }
      let line = try #require(
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").first {
          $0.hasPrefix("Memory: ")
        })
      let short = try folder.write(Array("[    0.412] \(line)\n".utf8), "line-\(state)")
      let nodes = machine.contains("nodes") ? "2" : "1"
      let estimate = try plan(["--dmesg", short, "--nodes", nodes])
      #expect(isNear(estimate.scratch?.bytes ?? 0, truth), "\(state): \(estimate.basis)")
    }
    let zones = try plan(["--zoneinfo", path("\(machine)-on.zoneinfo"), "--initrd", "1940K"])
    // On arm64, the size of the kernel image is in the log only.
    #expect(
      isNear(zones.scratch?.bytes ?? 0, truth) || machine.hasPrefix("arm64"), "\(zones.basis)")
    // The areas themselves, as debugfs shows them.
    let lengths = ["--scratch-len", path(machine + ".scratch_len")]
    let sizes = try plan(lengths)
    #expect(sizes.current?.bytes == truth && sizes.current?.areas.first?.address == nil)
    let placed = try plan(lengths + ["--scratch-phys", path(machine + ".scratch_phys")])
    #expect(placed.current?.areas.first?.address ?? 0 > 0)
    #expect(placed.current?.areas.map(\.name).prefix(3) == ["low", "global", "node 0"])
    // With both, what boot reserved is known exactly.
    let both = try plan(["--dmesg", path("\(machine)-on.log")] + lengths)
    #expect(isNear(both.scratch?.bytes ?? 0, truth) && both.current?.bytes == truth)
    // The log of a boot with KHO off does not count the areas, whatever is said of it.
    for options in [[], ["--kho", "on"], ["--kho", "off"]] {
      let off = try plan(["--dmesg", path("\(machine)-off.log")] + lengths + options)
      #expect(isNear(off.scratch?.bytes ?? 0, truth), "\(options) \(off.basis)")
    }
  }

  /// The public reports: a machine, what its log says was reserved, and the areas that it really had.
  @Test(
    arguments: [
      ("818680K", "41628K", 160), ("818680K", "205468K", 160), ("6290936K", "202656K", 636),
      ("6290936K", "853928K", 636),
    ] as [(String, String, UInt64)]) func reports(
      _ memory: String, _ reserved: String, _ truth: UInt64
    )
    throws
  {
    let folder = try TemporaryFolder()
    let line =
      "Memory: 1K/\(memory) available (4383K kernel code, 898K rwdata, 1464K rodata, 1016K init, "
      + "284K bss, \(reserved) reserved, 0K cma-reserved)"
    for prefix in ["", "[    0.123456] ", "6,212,412000,-;", "Nov 29 12:00:00 host kernel: "] {
      let log = try folder.write(Array((prefix + line).utf8), "log")
      let estimate = try #require(try plan(["--dmesg", log]).scratch).bytes
      #expect(isNear(estimate, truth << 20), "\(prefix)")
    }
  }

  /// The same reports, of both kernels: the areas are the difference, and nothing is estimated.
  @Test(
    arguments: [
      ("818680K", "41628K", "205468K", 160, "x86_64"),
      ("6290936K", "202656K", "853928K", 636, "x86_64"),
      ("819200K", "96588K", "233864K", 134, "arm64"),
    ] as [(String, String, String, UInt64, String)]) func pairs(
      _ memory: String, _ off: String, _ on: String, _ truth: UInt64, _ architecture: String
    ) throws
  {
    let folder = try TemporaryFolder()
    let logs = try [off, on].map { reserved in
      try folder.write(
        Array("Memory: 1K/\(memory) available (4383K kernel code, \(reserved) reserved)\n".utf8),
        "log-\(reserved)")
    }
    for logs in [logs, logs.reversed()] {
      let arguments = logs.flatMap { ["--dmesg", $0] } + ["--arch", architecture]
      let estimate = try plan(arguments)
      #expect(isNear(estimate.scratch?.bytes ?? 0, truth << 20), "\(estimate.basis)")
      #expect(estimate.basis.contains { $0.hasPrefix("the two logs") })
    }
    // Not a pair: the same log twice, logs of two machines, and two logs with KHO on.
    let other = try folder.write(
      Array("Memory: 1K/1818680K available (4383K kernel code, 1000K reserved)\n".utf8), "other")
    let on = path("x86_64-800M-on.log")
    let text = try String(contentsOfFile: on, encoding: .utf8)
    let alsoOn = try folder.write(
      Array(text.replacing("K reserved", with: "1K reserved").utf8), "also-on")
    for (first, second) in [(logs[0], logs[0]), (logs[0], other), (on, alsoOn)] {
      let run = kho("plan", "--dmesg", first, "--dmesg", second)
      #expect(run.status == 3 && run.errors.contains("KHO off and on"), "\(run.errors)")
    }
    #expect(kho("plan", "--dmesg", "a", "--dmesg", "b", "--dmesg", "c").status == 2)
  }

  @Test(arguments: machines) func pairsOfLogs(_ machine: String) throws {
    let logs = ["off", "on"].flatMap { ["--dmesg", path("\(machine)-\($0).log")] }
    let estimate = try plan(logs)
    #expect(isNear(estimate.scratch?.bytes ?? 0, try truth(machine)), "\(estimate.basis)")
  }

  /// A workstation of 128 GB with an area of 192 MiB, one of 4.68 GiB, and one of 4.49 GiB.
  @Test func workstation() throws {
    let report = try plan(["--memory", "128G", "--arch", "arm64", "--boot-memory", "96M,2396M"])
    let truth = (192 << 20) + UInt64((4.68 + 4.49) * 1_073_741_824)
    #expect(isNear(try #require(report.recommendation).scratch.bytes, truth))
    let folder = try TemporaryFolder()
    let lengths = try folder.write(
      Array("0xc000000\n0x12b800000\n0x11f800000\n".utf8), "scratch_len")
    let exact = try plan(["--scratch-len", lengths])
    #expect(isNear(try #require(exact.current).bytes, truth))
  }

  @Test func commandLines() throws {
    let folder = try TemporaryFolder()
    let log = path("x86_64-800M-off.log")
    func scratch(_ commandLine: String) throws -> [UInt64]? {
      // The log has a command line of its own, which counts before another.
      let text = try String(contentsOfFile: log, encoding: .utf8)
        .replacing("ommand line: console=ttyS0 panic=-1", with: "ommand line: " + commandLine)
      let file = try folder.write(Array(text.utf8), "log")
      return try plan(["--dmesg", file]).scratch?.areas.map { $0.bytes >> 20 }
    }
    #expect(try scratch("kho_scratch=16M,64M,32M") == [16, 64, 32])
    #expect(try scratch("kho_scratch=1M,0,5M quiet") == [4, 8])
    // Malformed, as Linux takes it: not there.
    #expect(try scratch("kho_scratch=1M,2M") == [60, 56])
    #expect(try scratch("kho_scratch=100%")?.reduce(0, +) == 60)
    // The kernel's options end at --.
    #expect(try scratch("a -- kho_scratch=16M,64M,32M") == [60, 56])
    let file = try folder.write(Array("quiet kho=on kho_scratch=100%\n".utf8), "cmdline")
    let zones = path("x86_64-800M-on.zoneinfo")
    let report = try plan(["--zoneinfo", zones, "--cmdline", file, "--initrd", "1940K"])
    #expect(report.scratch?.bytes == 60 << 20)
    // With fixed sizes, what is left of what is reserved is what boot needed.
    let fixed = try folder.write(
      Array(
        """
        Linux version 7.3.4
        Command line: kho=on kho_scratch=16M,64M,32M
        Memory: 1K/818680K available (4383K kernel code, 144804K reserved, 0K cma-reserved)
        """.utf8), "fixed")
    let boot = try #require(try plan(["--dmesg", fixed]).boot)
    #expect(boot.lowBytes + boot.highBytes == (144_804 - 112 * 1024) << 10)
  }

  /// A kernel that took over inherits the areas: nothing can be computed from its log.
  @Test func successor() throws {
    let folder = try TemporaryFolder()
    let text = try String(contentsOfFile: path("x86_64-800M-on.log"), encoding: .utf8)
    let log = try folder.write(Array((text + "KHO: found kexec handover data.\n").utf8), "log")
    let report = try plan(["--dmesg", log])
    #expect(report.scratch == nil && report.recommendation == nil)
    #expect(report.basis.contains { $0.contains("inherited") })
    // Of several boots, the last one counts.
    let again = try folder.write(
      Array((text + "KHO: found kexec handover data.\n" + text).utf8), "again")
    #expect(try plan(["--dmesg", again]).scratch?.bytes == 116 << 20)
  }

  /// Up to 7.1 areas are multiples of 2 MiB; since 7.3 huge pages do not count.
  @Test func versions() throws {
    let log = path("x86_64-800M-off.log")
    let text = try String(contentsOfFile: log, encoding: .utf8)
    let folder = try TemporaryFolder()
    func sizes(_ release: String) throws -> [UInt64]? {
      let file = try folder.write(
        Array(text.replacing("Linux version 7.3.4", with: "Linux version \(release)").utf8), "log")
      return try plan(["--dmesg", file]).scratch?.areas.map { $0.bytes >> 20 }
    }
    #expect(try sizes("7.3.4") == [60, 56])
    #expect(try sizes("7.2.13") == [60, 56])
    #expect(try sizes("6.18.15")?.allSatisfy { $0 % 2 == 0 } == true)
    let huge = text.replacing(
      "1.00 GiB page size, pre-allocated 0 pages", with: "1.00 GiB page size, pre-allocated 1 pages"
    )
    let file = try folder.write(
      Array(huge.replacing("30120K reserved", with: "\(30120 + (1 << 20))K reserved").utf8), "huge")
    // More is reserved than there is memory: the line is not one of a real machine.
    #expect(kho("plan", "--dmesg", file).status == 0)
  }

  @Test func live() throws {
    let folder = try TemporaryFolder()
    let machine = "x86_64-6G"
    for (name, source) in [
      ("dev/kmsg", "\(machine)-on.log"), ("proc/zoneinfo", "\(machine)-on.zoneinfo"),
      ("proc/meminfo", "\(machine).meminfo"),
      ("sys/kernel/debug/kho/out/scratch_len", "\(machine).scratch_len"),
      ("sys/kernel/debug/kho/out/scratch_phys", "\(machine).scratch_phys"),
    ] {
      let target = folder.url.appending(path: name)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: path(source), toPath: target.path)
    }
    let root = folder.url.path
    let report = try plan(["--live", "--live-root", root])
    let truth = try truth(machine)
    #expect(report.current?.bytes == truth && isNear(report.scratch?.bytes ?? 0, truth))
    try FileManager.default.removeItem(atPath: root + "/dev")
    let zones = try plan(["--live", "--live-root", root, "--initrd", "1940K"])
    #expect(zones.current?.bytes == truth && isNear(zones.scratch?.bytes ?? 0, truth))
    try FileManager.default.removeItem(atPath: root + "/proc")
    let nothing = kho("plan", "--live", "--live-root", root)
    #expect(nothing.status == 3 && nothing.errors.contains("zoneinfo"))
  }

  /// What cannot be used is named; nothing traps, whatever the numbers.
  @Test func hostileSources() throws {
    let folder = try TemporaryFolder()
    for text in [
      "", "Memory: ", "Memory: K/K available (K reserved)", "no line of interest\n",
      "Memory: 1K/2K available (9999999999999999999999K reserved)",
      "Memory: 1K/2K available (3K reserved)",
    ] {
      let log = try folder.write(Array(text.utf8), "log")
      let run = kho("plan", "--dmesg", log)
      #expect(run.status == 3 && run.errors.contains("Memory:"), "\(text)")
    }
    for text in [
      "Memory: 1K/4398046511104K available (4398046511104K kernel code, 4398046511104K reserved)",
      "Memory: 0K/0K available (0K reserved)",
      "  node 65535: [mem 0x0000000000000000-0x000fffffffffffff]\n"
        + "  node   1: [mem 0x0000000000000000-0x000fffffffffffff]\n"
        + "Memory: 1K/2K available (1K reserved)",
      "  node   0: [mem 0x1000-0x0]\nMemory: 1K/2K available (1K reserved)",
      "  node   0: [mem 0x000ffffffffffff0-0x000fffffffffffff]\n"
        + "Memory: 1K/2K available (1K reserved)",
      "Linux version 999.999.\nCommand line: kho=on kho_scratch=4294967295%\n"
        + "Memory: 1K/4398046511104K available (4398046511104K reserved)",
      "Linux version 7.3\nsoftware IO TLB: mapped [mem 0x0-0x000fffffffffffff] (64MB)\n"
        + "Memory: 1K/818680K available (41628K reserved)",
      "HugeTLB: registered 1.00 GiB page size, pre-allocated 99999999999999999999 pages\n"
        + "Memory: 1K/818680K available (41628K reserved)",
    ] {
      let log = try folder.write(Array(text.utf8), "log")
      for arguments in [[], ["--kho", "on"], ["--kho", "off", "--arch", "arm64"]] {
        let run = CommandRun(["plan", "--dmesg", log] + arguments)
        #expect([0, 1].contains(run.status), "\(text) \(arguments)")
      }
    }
    var generator = SplitMix(seed: 20_261_129)
    let log = try [UInt8](Data(contentsOf: URL(filePath: path("x86_64-800M-on.log"))))
    for round in 0..<100 {
      var damaged = log
      for _ in 0..<40 {
        damaged[Int(generator.next() % UInt64(damaged.count))] = UInt8(
          truncatingIfNeeded: generator.next())
      }
      let file = try folder.write(damaged, "log")
      #expect([0, 1, 3].contains(kho("plan", "--dmesg", file).status), "round \(round)")
    }
    for (option, content) in [
      ("--zoneinfo", ""), ("--zoneinfo", "Node 0, zone DMA\n present 0\n managed 0\n"),
      ("--scratch-len", "0x"), ("--scratch-len", ""), ("--scratch-len", "0xffffffffffffffff\n"),
    ] {
      let file = try folder.write(Array(content.utf8), "source")
      #expect(kho("plan", option, file).status == 3, "\(option) \(content)")
    }
    #expect(kho("plan", "--dmesg", folder.path("nowhere")).status == 3)
    for arguments in [
      ["--scratch-phys", "a"], ["--meminfo", "a"], ["--scratch-len", "a", "--scratch", "0-1"],
      ["--dmesg", "a", "--kho", "maybe"], ["--dmesg", "a", "--arch", "vax"],
      ["--dmesg", "a", "--linux", "seven"],
    ] {
      #expect(CommandRun(["plan"] + arguments).status == 2, "\(arguments)")
    }
  }

  @Test func memoryThatIsLeft() throws {
    // The machine's memory as its log says it.
    let report = try plan([
      "--memory", "6290936K", "--meminfo", path("x86_64-6G.meminfo"), "--initrd", "1940K",
      "--kho-scratch", "200%",
    ])
    #expect(isNear(report.scratch?.bytes ?? 0, try truth("x86_64-6G")), "\(report.basis)")
  }

  @Test func givenAreas() throws {
    let report = try plan([
      "--scratch", "0x26000000-0x2ac00000", "--scratch", "0x2ac00000-0x30000000",
    ])
    #expect(report.current?.areas.map(\.address) == [0x2600_0000, 0x2ac0_0000])
    let text = kho("plan", "--scratch", "0x26000000-0x2ac00000").text
    #expect(text.contains("scratch areas of the running kernel"))
  }
}
