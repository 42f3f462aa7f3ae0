internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// Where `kho plan` learns what a machine is like: files that its owner has.
struct PlanSourceOptions: ParsableArguments {
  @Option(
    name: .customLong("dmesg"),
    help: ArgumentHelp(
      "The kernel's log, as dmesg or journalctl -k prints it; - is standard input. With a second log "
        + "of the same machine, one with KHO off and one with KHO on, the areas' size is known exactly.",
      valueName: "file"),
    completion: .file())
  var logPaths: [String] = []

  @Option(
    name: .customLong("cmdline"),
    help: ArgumentHelp("The kernel's command line: /proc/cmdline.", valueName: "file"),
    completion: .file())
  var commandLinePath: String?

  @Option(
    name: .customLong("zoneinfo"),
    help: ArgumentHelp("The zones of memory: /proc/zoneinfo.", valueName: "file"),
    completion: .file())
  var zonesPath: String?

  @Option(
    name: .customLong("meminfo"),
    help: ArgumentHelp("What memory is left: /proc/meminfo, with --memory.", valueName: "file"),
    completion: .file())
  var memoryInfoPath: String?

  @Option(
    name: .customLong("scratch-len"),
    help: ArgumentHelp(
      "The sizes of the areas of a running kernel: kho/out/scratch_len of debugfs.",
      valueName: "file"),
    completion: .file())
  var lengthsPath: String?

  @Option(
    name: .customLong("scratch-phys"),
    help: ArgumentHelp("Where they are: kho/out/scratch_phys of debugfs.", valueName: "file"),
    completion: .file())
  var addressesPath: String?

  @Option(
    help: ArgumentHelp(
      "A scratch area of the running kernel, from A up to but not including B. Can be given several "
        + "times: low, global, and one of each node.",
      valueName: "a-b"))
  var scratch: [AddressFilter] = []

  @Flag(name: .customLong("live"), help: "Read all of these of the running system.")
  var isLive = false

  @Option(
    name: .customLong("initrd"),
    help: ArgumentHelp(
      "The size of the initial RAM disk, where the log does not contain it.", valueName: "size"))
  var initialRAMDisk: SizeArgument?

  @Option(
    name: .customLong("arch"),
    help: ArgumentHelp("The machine, where the log does not say it: x86_64 or arm64."))
  var architecture: ArchitectureArgument?

  @Option(
    name: .customLong("linux"),
    help: ArgumentHelp("The kernel's release, where the log does not say it.", valueName: "x.y"))
  var release: ReleaseArgument?

  @Option(
    name: .customLong("kho"),
    help: ArgumentHelp("Whether KHO was on when the log was written.", valueName: "on|off"))
  var isEnabled: SwitchArgument?

  func validate() throws {
    if addressesPath != nil, lengthsPath == nil {
      throw ValidationError(
        "--scratch-phys gives addresses of areas: give --scratch-len, their sizes.")
    }
    if !scratch.isEmpty, lengthsPath != nil {
      throw ValidationError("--scratch and --scratch-len both give the areas; give one.")
    }
    if scratch.count > ScratchArea.limit {
      throw ValidationError("--scratch can be given at most \(ScratchArea.limit) times.")
    }
    if logPaths.count > 2 {
      throw ValidationError("--dmesg can be given twice: a log with KHO off, and one with KHO on.")
    }
    if let initialRAMDisk, initialRAMDisk.byteCount > 1 << 40 {
      throw ValidationError("--initrd is a size up to 1T.")
    }
  }

  /// Whether the sources say how much memory the machine has.
  var describeMemory: Bool { isLive || !logPaths.isEmpty || zonesPath != nil }

  /// Whether the sources say what boot reserved.
  var describeBoot: Bool { describeMemory || memoryInfoPath != nil }

  var isEmpty: Bool { !describeBoot && lengthsPath == nil && scratch.isEmpty }

  /// The files that are read.
  var inputs: [FilePath] {
    let others = [commandLinePath, zonesPath, memoryInfoPath, lengthsPath, addressesPath]
    return (logPaths + others.compactMap(\.self)).map { FilePath($0) }
  }

  /// Reads the files.
  func read(_ root: LiveRoot) throws(CommandFailure) -> MachineSources {
    var sources = MachineSources()
    if isLive {
      do throws(LiveSystemError) {
        sources = try MachineSources(ofSystemAt: root.folder)
      } catch {
        throw .badInput("live: \(error.sentence)")
      }
    }
    if let first = logPaths.first {
      sources.log = try log(first)
      if logPaths.count > 1, !sources.pair(with: try log(logPaths[1])) {
        throw .badInput(
          "\(printable(path: logPaths[0])) and \(printable(path: logPaths[1])) are not of one machine with "
            + "KHO off and on: the lines \"Memory: …\" must agree in the size of memory, and one must "
            + "reserve more than the other")
      }
    }
    if let commandLinePath {
      let bytes = try InputFile.read(commandLinePath, atMost: KernelCommandLine.byteLimit)
      sources.commandLine = KernelCommandLine(String(decoding: bytes, as: UTF8.self))
    }
    if let zonesPath {
      sources.zones = try parsed(zonesPath, ZoneInfo.byteLimit, "a zone with memory") {
        ZoneInfo($0)
      }
    }
    if let memoryInfoPath {
      sources.memoryInfo = try parsed(memoryInfoPath, MemoryInfo.byteLimit, "a line MemTotal:") {
        MemoryInfo($0)
      }
    }
    if let lengthsPath {
      let limit = CurrentScratch.byteLimit
      let addresses = try addressesPath.map { (path) throws(CommandFailure) in
        try InputFile.read(path, atMost: limit)
      }
      sources.current = try parsed(lengthsPath, limit, "a hexadecimal number a line for each area")
      {
        CurrentScratch(lengths: $0, addresses: addresses)
      }
    }
    if !scratch.isEmpty { sources.current = CurrentScratch(scratch.map(\.range)) }
    sources.initialRAMDiskByteCount = initialRAMDisk?.byteCount
    sources.architecture = architecture?.architecture ?? sources.architecture
    sources.release = release?.release ?? sources.release
    sources.isEnabled = isEnabled?.isOn
    return sources
  }

  private func log(_ path: String) throws(CommandFailure) -> KernelLog {
    let log = KernelLog(try InputFile.read(path, atMost: KernelLog.byteLimit))
    guard log.memory != nil || !log.nodeRanges.isEmpty else {
      throw .badInput(
        "\(printable(path: path)) does not contain the line \"Memory: …K/…K available (… reserved …)\"; "
          + "give the log from the start of the boot: journalctl -k -b, or dmesg before it is full")
    }
    return log
  }

  private func parsed<Value>(
    _ path: String, _ limit: Int, _ expected: String, _ parse: ([UInt8]) -> Value?
  ) throws(CommandFailure) -> Value {
    guard let value = parse(try InputFile.read(path, atMost: limit)) else {
      throw .badInput("\(printable(path: path)): it does not contain \(expected)")
    }
    return value
  }
}

/// A kind of machine that has KHO.
struct ArchitectureArgument: ExpressibleByArgument {
  let architecture: KernelArchitecture

  init?(argument: String) {
    guard let architecture = KernelArchitecture(rawValue: argument) else { return nil }
    self.architecture = architecture
  }

  static var allValueStrings: [String] { KernelArchitecture.allCases.map(\.rawValue) }
}

/// A release of Linux: its first two numbers count.
struct ReleaseArgument: ExpressibleByArgument {
  let release: KernelRelease

  init?(argument: String) {
    guard let release = KernelRelease(parsing: argument) else {
      invalid("a release is two numbers, such as 7.3")
      return nil
    }
    self.release = release
  }
}

/// `on` or `off`.
struct SwitchArgument: ExpressibleByArgument {
  let isOn: Bool

  init?(argument: String) {
    guard argument == "on" || argument == "off" else { return nil }
    isOn = argument == "on"
  }

  static var allValueStrings: [String] { ["on", "off"] }
}
