import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

/// A running system that is a folder: an ELF file as `/proc/kcore`, and files for debugfs.
@Suite struct LiveTests {
  static let v4 = Fixture(name: "linux-7.3-kho-v4")
  private static let chained = Fixture(name: "linux-7.3-kho-v4-chained")

  final class System {
    let folder: TemporaryFolder
    var root: String { folder.url.path }

    init() throws {
      folder = try TemporaryFolder()
      try put("debugfs /sys/kernel/debug debugfs rw 0 0\n", "proc/mounts")
    }

    func put(_ bytes: [UInt8], _ path: String) throws {
      let url = folder.url.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }

    func put(_ text: String, _ path: String) throws { try put(Array(text.utf8), path) }

    /// The memory of a fixture as /proc/kcore, and the handover at `address` as the outgoing one.
    convenience init(_ fixture: Fixture, outgoing address: UInt64?, incoming: UInt64? = nil) throws
    {
      try self.init()
      let image = ImageBuilder(of: try fixture.open())
      try put([UInt8](Data(contentsOf: URL(filePath: fixture.path))), "proc/kcore")
      if let address { try put(Self.tree(address, image), "sys/kernel/debug/kho/out/fdt") }
      if let incoming { try put(Self.tree(incoming, image), "sys/kernel/debug/kho/in/fdt") }
    }

    /// The device tree at the start of the page, as long as its header says.
    private static func tree(_ address: UInt64, _ image: ImageBuilder) throws -> [UInt8] {
      let page = try #require(image.pages[address])
      let count = page[4..<8].reduce(0) { $0 << 8 | Int($1) }
      return Array(page[..<count])
    }
  }

  private func live(_ system: System, _ arguments: String...) -> CommandRun {
    CommandRun([arguments[0], "--live", "--live-root", system.root] + arguments.dropFirst())
  }

  @Test func outgoingHandover() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    for command in ["inspect", "check", "pages"] {
      for json in [[], ["--json"]] {
        let run = CommandRun([command, "--live", "--live-root", system.root] + json)
        let expected = CommandRun([command] + json + [Self.v4.path])
        #expect(run.status == 0 && run.errors == "")
        #expect(run.output == expected.output)
      }
    }
  }

  /// Commands that take more than one image know it by a name.
  @Test func byName() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    let root = ["--live-root", system.root]
    let same = CommandRun(["diff", Self.v4.path, "live"] + root)
    #expect(same.status == 0 && same.errors == "")
    #expect(CommandRun(["diff", "live", Self.chained.path] + root).status == 1)
    #expect(CommandRun(["diff", "--base-b", "0", Self.v4.path, "live"] + root).status == 2)
    let compat = CommandRun(["compat", "live", "7.3"] + root)
    #expect(compat.status == 0)
    let plan = CommandRun(["plan", "--memory", "8G", "--from", "live"] + root)
    #expect(plan.status == 0)
    // The first line names the image.
    let expected = CommandRun(["plan", "--memory", "8G", "--from", Self.v4.path]).output
    let end = UInt8(ascii: "\n")
    #expect(plan.output.drop { $0 != end } == expected.drop { $0 != end })
  }

  /// The incoming one is left out, with a sentence, once its nodes were reused; before that, it comes
  /// first, as it is stored where the boot loader's data says.
  @Test(arguments: ["setup_data", "device tree", "nothing"])
  func incomingHandover(shown: String) throws {
    let system = try System(Self.chained, outgoing: 0xd1_0000, incoming: 0x51_5000)
    switch shown {
    case "setup_data":
      let folder = "sys/kernel/boot_params/setup_data"
      try system.put("0x1\n", "\(folder)/0/type")
      try system.put("0xa\n", "\(folder)/1/type")
      var data = [UInt8](repeating: 0, count: 32)
      data.put(0x51_5000, at: 0, byteCount: 8)
      try system.put(data, "\(folder)/1/data")
    case "device tree":
      try system.put(
        [0, 0, 0, 0, 0, 0x51, 0x50, 0, 0, 0, 0, 0, 0, 0, 0x10, 0],
        "sys/firmware/devicetree/base/chosen/linux,kho-fdt")
    default: break
    }
    let run = live(system, "inspect", "--json")
    #expect(run.status == 0)
    #expect(
      run.errors.contains(shown == "nothing" ? "received is left out" : "at 0x515000, is left out"))
    let report: InspectJSON = try run.json()
    #expect(report.handovers.map(\.fdtAddress) == [0xd1_0000])
    #expect(report.handovers.map { $0.error == nil } == [true])
    #expect(
      live(system, "check").status
        == kho("check", "--fdt-address", "0xd10000", Self.chained.path).status)
  }

  /// A received handover that is still whole is shown.
  @Test func incomingHandoverThatIsWhole() throws {
    let system = try System(Self.v4, outgoing: nil, incoming: 0x51_5000)
    let run = live(system, "inspect", "--json")
    #expect(run.status == 0 && run.errors == "")
    let report: InspectJSON = try run.json()
    #expect(report.handovers.count == 1)
  }

  /// Linux 7.3 shows only as many bytes as the root device tree had at first: the whole is found among the
  /// entries, also where the file is given beside a dump.
  @Test(arguments: [233, 120, 104])
  func cutDeviceTree(byteCount: Int) throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    let path = "sys/kernel/debug/kho/out/fdt"
    let file = system.folder.url.appending(path: path)
    let whole = [UInt8](try Data(contentsOf: file))
    try #require(whole.count > byteCount)
    try system.put(Array(whole.prefix(byteCount)), path)
    for command in ["inspect", "check", "pages", "owners"] {
      let run = live(system, command)
      #expect(run.status == 0 && run.errors == "")
      #expect(run.output == kho(command, Self.v4.path).output)
      let given = kho(command, "--fdt", file.path, Self.v4.path)
      #expect(given.status == 0 && given.errors == "")
      #expect(given.output == run.output)
    }
    // Of another machine's memory, only the entries are there.
    let foreign = kho("pages", "--fdt", file.path, Self.chained.path)
    #expect(foreign.errors.contains("cut off after \(byteCount) bytes") || foreign.status == 1)
  }

  /// Too little to read anything of it.
  @Test func deviceTreeCutBeforeTheMap() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    let path = "sys/kernel/debug/kho/out/fdt"
    let whole = [UInt8](try Data(contentsOf: system.folder.url.appending(path: path)))
    for byteCount in [1, 39, 56, 80, 103] {
      try system.put(Array(whole.prefix(byteCount)), path)
      #expect(live(system, "check").status == 1)
    }
  }

  /// A kernel that came up by a kexec shows no root device tree of the handover that it prepares: memory is
  /// searched for the one that is an entry of its own.
  @Test func searchedDeviceTree() throws {
    let system = try System(Self.v4, outgoing: nil)
    try system.put("0x1000000\n", "sys/kernel/debug/kho/out/scratch_phys")
    let run = live(system, "inspect", "--json")
    #expect(run.status == 0)
    #expect(run.output == kho("inspect", "--json", Self.v4.path).output)
    // If memory contains none, a sentence says so.
    let image = ImageBuilder(of: try Self.v4.open())
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.v4.path)))
    for index in bytes.indices.dropLast(4)
    where bytes[index..<index + 4].elementsEqual([0xd0, 0x0d, 0xfe, 0xed]) {
      bytes[index] = 0
    }
    #expect(!image.pages.isEmpty)
    try system.put(bytes, "proc/kcore")
    expectFailure(live(system, "inspect"), "out/fdt", "none was found in memory")
  }

  @Test func captureOfTheRunningSystem() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    let path = system.folder.path("capture")
    #expect(live(system, "capture", "-o", path).status == 0)
    #expect(
      kho("inspect", "--json", path).output == kho("inspect", "--json", Self.v4.path).output)
    #expect(kho("check", path).status == 0)
  }

  @Test func deviceTreeByAddress() throws {
    let system = try System(Self.v4, outgoing: nil)
    let run = live(system, "inspect", "--json", "--fdt-address", "0x515000")
    #expect(run.status == 0)
    #expect(run.output == kho("inspect", "--json", Self.v4.path).output)
  }

  /// Without /proc/kcore, /dev/mem has the bytes and /proc/iomem says where.
  @Test func deviceMemory() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    let image = ImageBuilder(of: try Self.v4.open())
    try FileManager.default.removeItem(atPath: system.folder.path("proc/kcore"))
    try system.put([], "dev/mem")
    let file = try FileHandle(forWritingTo: URL(filePath: system.folder.path("dev/mem")))
    try file.truncate(atOffset: 256 << 20)
    for (address, bytes) in image.pages {
      try file.seek(toOffset: address)
      try file.write(contentsOf: Data(bytes))
    }
    try file.close()
    try system.put(
      """
      00000000-00000fff : Reserved
      00001000-0009ffff : System RAM
      000a0000-000fffff : PCI Bus 0000:00
      00100000-0fffffff : System RAM
        01000000-01ffffff : Kernel code
      fee00000-fee00fff : Local APIC

      """, "proc/iomem")
    let run = live(system, "inspect", "--json")
    #expect(run.status == 0)
    #expect(run.output == kho("inspect", "--json", Self.v4.path).output)

    try system.put("00000000-00000000 : System RAM\n", "proc/iomem")
    expectFailure(live(system, "inspect"), "CONFIG_PROC_KCORE", "/proc/iomem shows addresses")
    try system.put("00000000-0009ffff : System RAM\n20000000-2fffffff : System RAM\n", "proc/iomem")
    expectFailure(live(system, "inspect"), "CONFIG_STRICT_DEVMEM")
    try FileManager.default.removeItem(atPath: system.folder.path("proc/iomem"))
    expectFailure(live(system, "inspect"), "/proc/iomem cannot be read")
    try FileManager.default.removeItem(atPath: system.folder.path("dev/mem"))
    expectFailure(live(system, "inspect"), "CONFIG_PROC_KCORE", "CONFIG_DEVMEM")
  }

  private func expectFailure(
    _ run: CommandRun, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(run.status == 3, sourceLocation: sourceLocation)
    #expect(run.output == [], sourceLocation: sourceLocation)
    #expect(run.errors.hasPrefix("kho: live: "), "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.errors.count { $0 == "\n" } == 1, sourceLocation: sourceLocation)
    for part in parts {
      #expect(run.errors.contains(part), "\(run.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test func kcoreThatCannotBeUsed() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.v4.path)))
    let count = Int(bytes[56]) | Int(bytes[57]) << 8
    for index in 0..<count { bytes.put(.max, at: 64 + 56 * index + 24, byteCount: 8) }
    try system.put(bytes, "proc/kcore")
    expectFailure(live(system, "inspect"), "no physical addresses", "CONFIG_DEVMEM")
    try system.put("no kcore", "proc/kcore")
    expectFailure(live(system, "inspect"), "is not an ELF file")
    // The program headers are missing.
    try system.put(Array(bytes[..<64]), "proc/kcore")
    expectFailure(live(system, "inspect"), "is not an ELF file")
  }

  @Test func debugfsThatShowsNothing() throws {
    let system = try System(Self.v4, outgoing: nil)
    expectFailure(live(system, "inspect"), "CONFIG_KEXEC_HANDOVER_DEBUGFS", "kho=on")
    try system.put("1\n", "sys/kernel/debug/kho/out/finalize")
    expectFailure(live(system, "inspect"), "finalize")
    try system.put([], "sys/kernel/debug/kho/out/fdt")
    expectFailure(live(system, "pages"), "finalize")
    try system.put([UInt8](repeating: 0, count: 2 << 20 | 1), "sys/kernel/debug/kho/out/fdt")
    expectFailure(live(system, "inspect"), "larger than")
    try system.put("proc /proc proc rw 0 0\n", "proc/mounts")
    expectFailure(live(system, "inspect"), "mount -t debugfs", "CONFIG_DEBUG_FS")
  }

  /// debugfs may be mounted elsewhere.
  @Test func debugfsElsewhere() throws {
    let system = try System(Self.v4, outgoing: 0x51_5000)
    try FileManager.default.moveItem(
      atPath: system.folder.path("sys/kernel/debug"), toPath: system.folder.path("d"))
    try system.put("none /d debugfs rw 0 0\n", "proc/mounts")
    #expect(live(system, "check").status == 0)
    try FileManager.default.removeItem(atPath: system.folder.path("proc/mounts"))
    expectFailure(live(system, "inspect"), "sys/kernel/debug/kho")
  }

  @Test func imageOrLive() {
    #expect(kho("inspect").status == 2)
    #expect(kho("inspect", "--live", Self.v4.path).status == 2)
    #expect(kho("inspect", "--live", "--base", "0").status == 2)
  }
}
