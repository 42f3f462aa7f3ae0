internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// `kho forge`: a handover that no kernel made, for a kernel to boot from.
struct Forge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forge",
    abstract: "Makes a handover out of a description or a folder, for a kernel to boot from.",
    discussion: """
      SOURCE is a JSON file, or a folder. Of a folder, each folder in it is a session of the Live Update \
      Orchestrator, and each file in that is a memfd: of a name that is a number, under that token; \
      otherwise under 1, 2, … in the order of the names. A JSON file can contain all of these, each optional:

        {"machine": "x86_64", "pageSize": "4K", "memory": "512M",
         "placement": [{"start": "0x8000000", "size": "32M"}], "scratch": [ … ],
         "metadata": {"release": "7.3.4", "count": 1}, "liveUpdate": 2,
         "sessions": [{"name": "vm", "files": [{"token": 1, "file": "state", "position": 0, "seals": 0,
           "folioOrder": 0}]}],
         "reserveMem": [{"name": "trace", "size": "1M", "file": "trace.bin"}],
         "blobs": [{"name": "note", "text": "hello"}],
         "test": {"orders": [0, 1, 9], "seed": 1, "wrongSum": false}}

      Bytes come from "file" (relative to the description) or "text". Addresses and sizes are numbers, or \
      text as on the command line.

      With --kernel, OUTPUT is one ELF file that boots: qemu-system-x86_64 -kernel OUTPUT -m SIZE. \
      Otherwise it is raw memory, and `forge` prints where to load it and what must point to it.

      Examples:
        kho forge --kernel bzImage --initramfs initramfs -o forged.elf sessions/
        kho forge --damage pointer-unaligned -o damaged.raw sessions.json
        kho forge --json -o memory.raw sessions.json

      \(ExitStatus.help)
      """)

  @Argument(
    help: ArgumentHelp("A JSON file, or a folder of sessions.", valueName: "source"),
    completion: .file())
  var source: String

  @OptionGroup var boot: BootOptions

  @Option(
    help: ArgumentHelp(
      "Damage it so that kho check reports CODE, to see what a kernel does.",
      valueName: "code"))
  var damage: DamageArgument?

  @Option(
    help: ArgumentHelp(
      "The machine's device tree, for arm64: OUTPUT.dtb is written with the handover's addresses in it.",
      valueName: "file"), completion: .file())
  var deviceTree: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if deviceTree != nil, boot.kernel != nil {
      throw ValidationError("--device-tree and --kernel exclude each other.")
    }
  }

  func run() throws {
    var description: ForgeDescription
    do throws(ForgeDescriptionError) {
      description = try ForgeDescription(reading: FilePath(source))
    } catch {
      throw CommandFailure.badInput("\(source): \(error)")
    }
    let contents = try boot.contents()
    if let contents {
      guard description.machine == .x86_64 else {
        throw CommandFailure.badInput("\(source): one ELF file boots only on x86-64")
      }
      do throws(ForgeError) {
        description.scratchByteCount = max(
          description.scratchByteCount, try contents.scratchByteCount())
      } catch {
        throw CommandFailure.badInput("\(boot.kernel ?? ""): \(error.description)")
      }
    }
    if let memory = boot.memory { description.memoryByteCount = memory.byteCount }
    description.damage = damage?.damage
    let handover: ForgedHandover
    do throws(ForgeError) { handover = try ForgedHandover(description) } catch {
      throw CommandFailure.badInput("\(source): \(error.description)")
    }
    let machineTree = try deviceTree.map { (path) throws(CommandFailure) in
      try Self.deviceTree(path, adding: handover)
    }
    var report = try boot.write(
      handover.memory, handover.announcedDeviceTree, handover.stored, handover.scratchAreas,
      machine: handover.machineMemory, setupData: handover.setupData,
      scratchArray: handover.scratchArray, contents, source,
      reading: [FilePath(source)] + [deviceTree].compactMap { $0.map { FilePath($0) } })
    if let machineTree {
      report.machineTreePath = try boot.write(machineTree, reading: source, deviceTree)
    }
    report.print(asJSON: json)
  }

  private static func deviceTree(
    _ path: String, adding handover: ForgedHandover
  ) throws(CommandFailure) -> [UInt8] {
    let bytes = try InputFile.read(path, atMost: Int(RootDeviceTree.largestByteCount))
    do throws(ForgeError) { return try handover.deviceTree(addingTo: bytes) } catch {
      throw .badInput("\(printable(path: path)): \(error.description)")
    }
  }
}

/// The code of a damage.
struct DamageArgument: ExpressibleByArgument {
  let damage: ForgeDamage

  init?(argument: String) {
    guard let damage = ForgeDamage(rawValue: argument) else { return nil }
    self.damage = damage
  }

  static var allValueStrings: [String] { ForgeDamage.allCases.map(\.rawValue) }
}
