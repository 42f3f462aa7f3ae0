import Handover
public import MemoryAccess
import PageAllocation

/// What is known about a machine: its kernel's log, files of `/proc` and debugfs, and what the user knows.
///
/// A property that is nil is unknown. ``machine()`` combines the others.
public struct MachineSources: Sendable {
  /// The kernel's log.
  public var log: KernelLog?
  /// The log of the same machine with KHO on, if ``log`` is that with KHO off: see ``pair(with:)``.
  private var logWithHandover: KernelLog?
  /// The kernel's command line, `/proc/cmdline`.
  public var commandLine: KernelCommandLine?
  /// The zones, `/proc/zoneinfo`.
  public var zones: ZoneInfo?
  /// The memory that the page allocator got, `/proc/meminfo`.
  public var memoryInfo: MemoryInfo?
  /// The scratch areas of the running kernel.
  public var current: CurrentScratch?
  /// The machine's memory in bytes, as the user says; at most 2^52.
  public var memoryByteCount: UInt64?
  /// The number of NUMA nodes, as the user says.
  public var nodeCount: Int?
  /// What boot allocates below and above 4 GiB, in bytes, as the user says.
  public var bootMemory: (low: UInt64, high: UInt64)?
  /// The size of the initial RAM disk, in bytes.
  public var initialRAMDiskByteCount: UInt64?
  /// The kind of machine, if the log does not contain it.
  public var architecture: KernelArchitecture?
  /// The kernel's release; nil for that in the log.
  public var release: KernelRelease?
  /// Whether KHO was on when the log was written, as the user says.
  public var isEnabled: Bool?
  /// The page size.
  public var geometry = PageGeometry.pages4KiB

  /// Nothing is known.
  public init() {}

  /// The size of all scratch areas, in bytes: what the kernel with KHO on reserved beyond the kernel with KHO off;
  /// nil without a second log, see ``pair(with:)``.
  public var scratchByteCount: UInt64? {
    guard let off = log?.memory?.reserved, let on = logWithHandover?.memory?.reserved, on > off
    else { return nil }
    return on - off
  }

  /// Adds a second log of the same machine: one of the two logs was written with KHO off, the other with KHO on.
  ///
  /// The log that reserves more memory is taken as the one with KHO on. ``log`` becomes the other.
  ///
  /// - Returns: whether the logs are of one machine, with KHO off and on; if not, nothing is changed.
  public mutating func pair(with other: KernelLog) -> Bool {
    guard let log, let first = log.memory, let second = other.memory, first.total == second.total,
      first.reserved != second.reserved, !log.isSuccessor, !other.isSuccessor
    else { return false }
    let isOtherOn = second.reserved > first.reserved
    for (log, isOn) in [(log, !isOtherOn), (other, isOtherOn)] {
      guard log.isWhole, let isEnabled = log.commandLine?.isEnabled else { continue }
      guard isEnabled == isOn else { return false }
    }
    self.log = isOtherOn ? log : other
    logWithHandover = isOtherOn ? other : log
    return true
  }

  /// The machine that the sources describe; nil if the size of its memory is unknown.
  ///
  /// - Precondition: ``memoryByteCount`` and ``nodeCount`` are as `MachineModel` requires.
  public func machine() -> KnownMachine? {
    guard let bare = bareMachine() else { return nil }
    let model = BootModel(
      architecture: architecture ?? log?.architecture ?? .x86, rules: bare.rules,
      geometry: geometry, nodeByteCounts: bare.nodeByteCounts, highByteCount: bare.highByteCount,
      log: log, initialRAMDisk: initialRAMDiskByteCount)
    var basis: [String] = []
    let allocations = allocations(of: bare, model, &basis)
    return KnownMachine(
      machine: allocations.map { bare.booting(with: $0) } ?? bare,
      commandLineScratch: effectiveCommandLine?.scratch,
      isBootRead: allocations != nil && (log != nil || zones != nil || memoryInfo != nil),
      basis: basis)
  }

  private func bareMachine() -> MachineModel? {
    let rules = ScratchRules(release ?? log?.release, geometry)
    let limit = log?.lowLimit ?? zoneLimit ?? ScratchPlan.standardLowLimit
    if let memoryByteCount {
      return MachineModel(
        memoryByteCount: memoryByteCount, nodeCount: nodeCount ?? 1, geometry: geometry,
        rules: rules)
    }
    if let log, !log.nodeRanges.isEmpty {
      return MachineModel(
        memory: log.nodeRanges.map { (NodeID(UInt32($0.node)), $0.range) }, geometry: geometry,
        rules: rules, lowLimit: limit)
    }
    if let zones {
      let shift = UInt64(geometry.shift)
      return MachineModel(
        memory: zones.zones.map { zone in
          let range = PhysicalRange(
            start: PhysicalAddress(zone.firstFrame << shift),
            byteCount: zone.presentFrameCount << shift)
          return (NodeID(UInt32(zone.node)), range)
        }, geometry: geometry, rules: rules, lowLimit: limit)
    }
    guard let total = log?.memory?.total else { return nil }
    return MachineModel(
      memoryByteCount: total, nodeCount: nodeCount ?? 1, geometry: geometry, rules: rules)
  }

  /// With two logs, the command line with KHO on: it chooses how large the areas are.
  private var effectiveCommandLine: KernelCommandLine? {
    logWithHandover?.commandLine ?? log?.commandLine ?? commandLine
  }

  /// Where the low zones end.
  private var zoneLimit: PhysicalAddress? {
    let shift = UInt64(geometry.shift)
    return zones?.zones.filter(\.isForShortAddresses).map {
      PhysicalAddress(($0.firstFrame &+ $0.presentFrameCount) << shift)
    }.max().map { max($0, ScratchPlan.standardLowLimit) }
  }

  /// Whether a zone has low memory. A kernel without the zones DMA and DMA32 has all memory in one zone,
  /// and Linux's limit for such a kernel is 4 GiB.
  private func isLow(_ zone: ZoneInfo.Zone) -> Bool {
    zone.isForShortAddresses
      || zone.firstFrame << UInt64(geometry.shift) < ScratchPlan.standardLowLimit.rawValue
  }

  private func allocations(
    of machine: MachineModel, _ model: BootModel, _ basis: inout [String]
  ) -> BootAllocations? {
    if let bootMemory {
      return model.allocations(counted: bootMemory.low &+ bootMemory.high, low: bootMemory.low)
    }
    if log?.isSuccessor == true {
      basis.append(
        "the log is of a kernel that another one handed over to: it inherited its scratch areas, "
          + "and kho_scratch= has no effect; --scratch-len gives their sizes")
      return nil
    }
    if let scratchByteCount, let memory = log?.memory {
      basis.append(
        "the two logs: boot reserved \(byteText(memory.reserved)) with KHO off, and "
          + "\(byteText(memory.reserved &+ scratchByteCount)) with KHO on; the areas have the "
          + "difference, \(byteText(scratchByteCount))")
      let request = effectiveCommandLine?.scratch ?? .standard
      guard case .percentage = request else {
        return model.allocations(reserved: memory.reserved)
      }
      return model.allocations(
        counted: model.counted(
          scratch: scratchByteCount, request, of: memory.reserved, nodes: machine.nodes,
          lowLimit: machine.lowLimit))
    }
    if let memory = log?.memory {
      let reserved = withoutScratch(memory.reserved, of: machine, model, &basis)
      return model.allocations(reserved: reserved)
    }
    // What was freed after boot was reserved when the areas were made.
    let freed = (initialRAMDiskByteCount ?? 0) &+ BootModel.freedImageByteCount
    let shift = UInt64(geometry.shift)
    if let zones {
      let reserved = zones.zones.reduce(freed) { $0 &+ ($1.reservedFrameCount << shift) }
      let low = zones.zones.reduce(freed) {
        isLow($1) ? $0 &+ ($1.reservedFrameCount << shift) : $0
      }
      basis.append(
        "/proc/zoneinfo: \(byteText(reserved)) of memory never got to the page allocator")
      noteFreed(&basis)
      return model.allocations(reserved: reserved, low: low)
    }
    if let memoryInfo, machine.memoryByteCount > memoryInfo.total {
      let reserved = machine.memoryByteCount - memoryInfo.total &+ freed
      basis.append(
        "\(byteText(machine.memoryByteCount)) less MemTotal of /proc/meminfo: "
          + "\(byteText(reserved)) never got to the page allocator")
      noteFreed(&basis)
      return model.allocations(reserved: reserved)
    }
    return nil
  }

  private func noteFreed(_ basis: inout [String]) {
    guard initialRAMDiskByteCount == nil else { return }
    basis.append(
      "the initial RAM disk was freed after boot and is not in that number: --initrd adds its size")
  }

  /// What boot reserved beside the scratch areas.
  private func withoutScratch(
    _ reserved: UInt64, of machine: MachineModel, _ model: BootModel, _ basis: inout [String]
  ) -> UInt64 {
    let line = "the log: boot reserved \(byteText(reserved))"
    let request = effectiveCommandLine?.scratch ?? .standard
    let rest = model.reservedWithoutScratch(
      reserved, request, nodes: machine.nodes, lowLimit: machine.lowLimit)
    var isOn = isEnabled ?? effectiveCommandLine?.isEnabled
    if log?.hasNoScratch == true { isOn = false }
    if let current {
      // The areas are among what the log of that kernel counts; a log that counts less is of another boot.
      let holdsAreas = current.byteCount < reserved
      if !holdsAreas, isOn != false {
        basis.append(
          "the areas have \(byteText(current.byteCount)), more than this log reserves: it was written with "
            + "KHO off")
      }
      isOn = holdsAreas ? isOn ?? true : false
    }
    if isOn == nil {
      isOn = Self.isMoreLikely(rest, than: reserved, of: machine, model)
      basis.append(
        isOn == true
          ? "the log does not say whether KHO was on; it reserves too much for a machine without "
            + "scratch areas, so it is taken as on (--kho off says otherwise)"
          : "the log does not say whether KHO was on; it is taken as off (--kho on says otherwise)")
    }
    guard isOn == true else {
      basis.append(line + " without scratch areas")
      return reserved
    }
    if let current {
      basis.append(
        line + ", scratch areas of \(byteText(current.byteCount)) among it (scratch_len)")
      return reserved - current.byteCount
    }
    basis.append(
      line + ", scratch areas among it: \(byteText(rest)) without them")
    return rest
  }

  /// Whether what boot reserved is nearer to what such a machine needs if the areas are among it.
  private static func isMoreLikely(
    _ rest: UInt64, than reserved: UInt64, of machine: MachineModel, _ model: BootModel
  ) -> Bool {
    // Page structures, what has no node, the kernel, and 16 MiB for the rest.
    let expected =
      machine.memoryByteCount >> UInt64(machine.geometry.shift) &* 70
      &+ model.nodelessLow &+ model.nodelessHigh &+ model.firstNode &+ model.uncounted
      &+ 16 << 20
    // An initial RAM disk of the usual size does not make up the difference.
    return reserved / 5 > expected / 2 && rest < reserved / 2
  }
}
