internal import ArgumentParser
internal import KexecHandover
internal import Platform
internal import SystemPackage

/// `kho plan`: what a handover costs, before there is one.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Computes what a handover costs in metadata, scratch memory and time.",
    discussion: """
      Metadata: of a workload that is given (--memory, --blocks), placed by a model: the blocks of \
      each order lie in runs of equal length that are spread evenly over memory, from one run \
      (--fragmentation 0) to as many as there can be (1), each order as if it were alone. Of an image \
      (--from), for the blocks that are really there. Node counts are exact for those places.

      Scratch: the areas that Linux makes, and what to give as kho_scratch=. Linux takes 200 % of what \
      early boot allocated; that is estimated from the kernel's log (--dmesg, whole, from its start; with \
      KHO on, the areas themselves are among what "Memory: … reserved" says), or from /proc/zoneinfo. \
      --scratch-len and --scratch-phys read the areas of a running kernel from debugfs, kho/out; --live \
      reads all of these on this machine. --boot-memory gives what boot allocates for the kernel below \
      and above 4 GiB. Without a memory map, memory begins at 0, without holes, on equal NUMA nodes.

      Time: what a walk over the tree takes. --calibrate measures it on this machine, with this tool; \
      without that no time is printed. A kernel walks in early boot, with caches and clocks of its own: \
      take it as an estimate.

      Examples:
        kho plan --memory 1T --blocks 0:1000000,9:400000 --fragmentation 0.1
        kho plan --from image.elf --calibrate
        dmesg | kho plan --dmesg - --payload 80M
        kho plan --live
        kho plan --zoneinfo /proc/zoneinfo --cmdline /proc/cmdline
        kho plan --memory 256G --nodes 2 --boot-memory 300M,4G --payload 80M
        kho plan --memory 64G --kho-scratch 256M,1G,512M

      What does not fit into the machine ends with 1. \(ExitStatus.help)
      """)

  @Option(help: ArgumentHelp("The machine's memory.", valueName: "size"))
  var memory: SizeArgument?

  @Option(
    help: ArgumentHelp("The machine's page size; 4K, or that of the image.", valueName: "size"))
  var pageSize: PageSizeArgument?

  @Option(help: ArgumentHelp("The number of NUMA nodes, 1 to 16.", valueName: "n"))
  var nodes: Int?

  @Option(
    help: ArgumentHelp(
      "The blocks to preserve: ORDER:COUNT, and more after commas.", valueName: "list"))
  var blocks: WorkloadArgument?

  @Option(
    help: ArgumentHelp(
      "How scattered the blocks are, from 0, in one run, to 1, as much as can be.",
      valueName: "f"))
  var fragmentation = 0.0

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp(
      "Take the blocks of the handover in IMAGE, or of live, the running system.",
      valueName: "image"),
    completion: .file())
  var image: String?

  @Option(
    name: .customLong("fdt-address"),
    help: ArgumentHelp("Which handover of the image.", valueName: "addr"))
  var deviceTreeAddress: AddressArgument?

  @Option(
    help: ArgumentHelp(
      "The value of kho_scratch=: LOW,GLOBAL,PERNODE or PERCENT%.", valueName: "value"))
  var khoScratch: ScratchArgument?

  @Option(
    help: ArgumentHelp("What boot reserves below and above 4 GiB.", valueName: "low,high"))
  var bootMemory: BootMemoryArgument?

  @Option(
    help: ArgumentHelp(
      "The size of the next kernel with its initial RAM disk.", valueName: "size"))
  var payload: SizeArgument?

  @OptionGroup var sources: PlanSourceOptions

  @OptionGroup var liveRoot: LiveRoot

  @Flag(help: "Measure how fast this machine walks trees.")
  var calibrate = false

  @Option(
    help: ArgumentHelp(
      "With --calibrate, write the measurement to FILE; without, take it from there.",
      valueName: "file"),
    completion: .file())
  var calibration: String?

  @OptionGroup var forced: ForceOption

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if blocks != nil, image != nil { throw ValidationError("Give --blocks or --from, not both.") }
    if blocks != nil, memory == nil {
      throw ValidationError("--blocks need the machine's memory: give --memory.")
    }
    if khoScratch != nil || bootMemory != nil, memory == nil, !sources.describeMemory {
      throw ValidationError(
        "Scratch areas need the machine's memory: give --memory, or the log with --dmesg.")
    }
    if case .percentage = khoScratch?.request, bootMemory == nil, !sources.describeBoot {
      throw ValidationError(
        "A percentage is of what boot reserves: give --dmesg, --zoneinfo or --boot-memory.")
    }
    if !(0...1).contains(fragmentation) {
      throw ValidationError("--fragmentation is a number from 0 to 1.")
    }
    if let nodes, !(1...MachineModel.nodeLimit).contains(nodes) {
      throw ValidationError("--nodes is a number from 1 to \(MachineModel.nodeLimit).")
    }
    if let memory, !(16 << 20...1 << 52).contains(memory.byteCount) {
      throw ValidationError("--memory is a size from 16M to 4096T.")
    }
    if let payload, payload.byteCount > 1 << 52 {
      throw ValidationError("--payload is a size up to 4096T.")
    }
    if deviceTreeAddress != nil, image == nil {
      throw ValidationError("--fdt-address chooses in an image: give --from.")
    }
    if sources.memoryInfoPath != nil, memory == nil, !sources.describeMemory {
      throw ValidationError("MemTotal is what is left of the machine's memory: give its --memory.")
    }
    if blocks == nil, image == nil, khoScratch == nil, bootMemory == nil, !calibrate,
      sources.isEmpty
    {
      throw ValidationError(
        "Nothing to plan: give --dmesg, --live, --zoneinfo, --scratch-len, --blocks, --from, "
          + "--kho-scratch, --boot-memory or --calibrate.")
    }
  }

  func run() throws {
    let workload = try self.workload()
    var calibration: WalkCalibration?
    if calibrate {
      let measured: WalkCalibration
      do throws(MemoryImageError) { measured = try WalkCalibration.measure() } catch {
        throw CommandFailure.badInput("no memory is left for the trees to walk: \(error)")
      }
      if let path = self.calibration {
        try measured.write(
          to: path,
          OutputRules(
            isForced: forced.force, reading: sources.inputs + (image.map { [FilePath($0)] } ?? [])))
      }
      calibration = measured
    } else if let path = self.calibration {
      calibration = try WalkCalibration.read(path)
    }
    let geometry = workload?.footprint.geometry ?? pageSize?.geometry ?? .pages4KiB
    var sources = try self.sources.read(liveRoot)
    sources.geometry = geometry
    sources.memoryByteCount = memory?.byteCount
    sources.nodeCount = nodes
    sources.bootMemory = bootMemory.map { ($0.low, $0.high) }
    let known = sources.machine()
    let scratch = try known.map { try scratchAreas(of: $0) }
    let result = PlanResult(
      machine: known?.machine, workload: workload, scratch: scratch, calibration: calibration,
      current: sources.current, basis: known?.basis ?? [])
    if json {
      Console.current.printJSON(JSONDocument.plan(result))
    } else {
      for line in result.description { Console.current.print(line) }
    }
  }

  private func workload() throws(CommandFailure) -> PlannedWorkload? {
    if let image {
      var options = HandoverImage.Options()
      options.pageSize = pageSize?.geometry
      if let deviceTreeAddress { options.deviceTree = .address(deviceTreeAddress.address) }
      let loaded = try HandoverImage.load(image, options, liveRoot)
      let survey = try loaded.firstReadable(choosingWith: "--fdt-address")
      do throws(HandoverImageError) { return try PlannedWorkload(of: survey, in: loaded) } catch {
        throw .badInput("\(loaded.name): \(error.sentence)")
      }
    }
    guard let blocks, let memory else { return nil }
    do throws(PlanError) {
      return try PlannedWorkload(
        blocks.counts, fragmentation: fragmentation, memoryByteCount: memory.byteCount,
        geometry: pageSize?.geometry ?? .pages4KiB)
    } catch {
      throw .findings(error.sentence)
    }
  }

  private func scratchAreas(of machine: KnownMachine) throws(CommandFailure) -> PlannedScratch {
    do throws(PlanError) {
      return try PlannedScratch(
        for: machine, request: khoScratch?.request, payloadByteCount: payload?.byteCount ?? 0)
    } catch {
      throw .findings(error.sentence)
    }
  }
}
