package import Handover
package import MemoryAccess
package import PageAllocation

/// How what boot reserved is divided: a model of what Linux allocates early, filled in with what the
/// machine's own log says.
///
///     reserved in all
///     ├ not counted   arm64: kernel image, initial RAM disk and device tree; 1 GiB pages since 7.3
///     ├ no node       bounce buffers, hash tables, crash kernel, the log's buffer
///     └ by node       the array of page structures by the node's memory; the rest on the first node
package struct BootModel {
  package let architecture: KernelArchitecture
  package let rules: ScratchRules
  /// Of the whole machine and of each node.
  let memoryByteCount: UInt64
  let nodeByteCounts: [UInt64]
  /// Whether all memory is low.
  let isAllLow: Bool
  /// What is reserved and not counted.
  let uncounted: UInt64
  /// What is allocated without a node: low, and anywhere.
  let nodelessLow: UInt64
  let nodelessHigh: UInt64
  /// What is in low memory beside that.
  let otherLow: UInt64
  /// What is on the first node, whatever the nodes' sizes.
  let firstNode: UInt64

  /// What every boot reserves beside what is modelled: real-mode code, page tables, the log's buffer;
  /// measured on 7.3.4.
  private static let lowRest: UInt64 = 1 << 20
  private static let nodelessRest: UInt64 = 640 << 10

  /// What is freed of the kernel image after boot, where the log does not say it; measured on 7.3.4.
  package static let freedImageByteCount: UInt64 = 3360 << 10

  /// - Parameter log: the machine's log; nil where it is not known.
  package init(
    architecture: KernelArchitecture, rules: ScratchRules, geometry: PageGeometry,
    nodeByteCounts: [UInt64], highByteCount: UInt64, log: KernelLog?,
    initialRAMDisk: UInt64?
  ) {
    self.architecture = architecture
    self.rules = rules
    self.nodeByteCounts = nodeByteCounts
    memoryByteCount = nodeByteCounts.reduce(0, &+)
    isAllLow = highByteCount == 0
    let isKnown = log?.isWhole ?? false
    let image = log?.memory?.kernelImage ?? 0
    let disk = initialRAMDisk ?? log?.initialRAMDiskByteCount ?? 0
    let hugePages = rules.ignoresHugePages ? log?.hugePageByteCount ?? 0 : 0
    let bounce = isKnown ? log?.bounceByteCount ?? 0 : highByteCount > 0 ? 64 << 20 : 0
    // Beside each slot of 2 KiB there are 24 bytes.
    let slots = bounce / 2048 * 24
    let crash = log?.crashKernelByteCount ?? 0
    // On several nodes, Linux spreads the tables over them, after early boot.
    let hashes =
      isKnown
      ? log?.hashByteCount ?? 0
      : nodeByteCounts.count > 1 ? 0 : Self.hashByteCount(memoryByteCount: memoryByteCount)
    var low = bounce
    var high = hashes &+ slots &+ Self.nodelessRest
    // arm64 maps memory page by page, so that it can protect each: its page tables take 8 bytes for a page.
    if architecture == .arm64 { high &+= memoryByteCount >> UInt64(geometry.shift - 3) }
    // A crash kernel's memory is looked for below 4 GiB first.
    low &+= crash
    if isAllLow {
      low &+= high
      high = 0
    }
    nodelessLow = low
    nodelessHigh = high
    switch architecture {
    case .x86:
      uncounted = hugePages
      let isDiskLow = log?.isInitialRAMDiskLow ?? true
      let isImageLow = log?.commandLine?.hasFixedAddress ?? false
      otherLow = (isDiskLow ? disk : 0) &+ (isImageLow ? image : 0) &+ Self.lowRest
      firstNode = image &+ disk
    case .arm64:
      // The machine's device tree is part of what was loaded.
      uncounted = hugePages &+ image &+ disk &+ (log?.deviceTreeByteCount ?? 0)
      otherLow = Self.lowRest
      firstNode = 0
    }
  }

  /// The hash tables for directory entries and inodes: 8 bytes for each 8 and 16 KiB of memory, a
  /// power of two; beyond 64 GiB, half as much for each four times the memory.
  static func hashByteCount(memoryByteCount: UInt64) -> UInt64 {
    var halvings: UInt64 = 0
    var limit: UInt64 = 64 << 30
    while limit < memoryByteCount, halvings < 32 {
      halvings += 1
      limit = limit &<< 2
      if limit == 0 { break }
    }
    func table(_ shift: UInt64) -> UInt64 {
      let wanted = max(memoryByteCount >> (shift + halvings), 512)
      // A power of two, rounded up.
      let rounded: UInt64 = wanted <= 1 ? 1 : 1 << UInt64(64 - (wanted - 1).leadingZeroBitCount)
      return min(rounded, 1 << 31) * 8
    }
    return table(13) + table(14)
  }

  /// Divides what boot reserved without scratch areas.
  ///
  /// - Parameter low: how much of it is low, where that is known.
  package func allocations(reserved: UInt64, low knownLow: UInt64? = nil) -> BootAllocations {
    let counted = reserved > uncounted ? reserved - uncounted : 0
    return allocations(counted: counted, low: knownLow.map { min($0, counted) })
  }

  /// Divides what boot allocated for the kernel.
  package func allocations(counted: UInt64, low knownLow: UInt64? = nil) -> BootAllocations {
    let low = knownLow ?? (isAllLow ? counted : min(nodelessLow &+ otherLow, counted))
    let nodeless = min(nodelessLow &+ nodelessHigh, counted)
    let placed = counted - nodeless
    let fixed = min(firstNode, placed)
    let shared = placed - fixed
    var byNode = nodeByteCounts.map { share -> UInt64 in
      guard memoryByteCount > 0 else { return 0 }
      let product = shared.multipliedFullWidth(by: share)
      return memoryByteCount.dividingFullWidth(product).quotient
    }
    if !byNode.isEmpty { byNode[0] &+= fixed }
    return BootAllocations(low: low, high: counted - low, byNode: byNode)
  }

  /// How many bytes Linux counted when it computed the sizes of its areas, for a kernel whose areas have `scratch`
  /// bytes in all and that reserved `reserved` bytes beside them.
  ///
  /// The areas grow with what is counted, so the answer is unique, and halving finds it. The two kernels differ by a
  /// few pages, and the areas are multiples of the alignment, so `scratch` is rounded to one.
  package func counted(
    scratch: UInt64, _ request: ScratchRequest, of reserved: UInt64, nodes: [NodeID],
    lowLimit: PhysicalAddress
  ) -> UInt64 {
    let mask = (1 as UInt64) << UInt64(rules.log2Alignment) - 1
    let wanted = (scratch &+ mask / 2) & ~mask
    func whole(_ counted: UInt64) -> UInt64 {
      let plan = try? rules.plan(
        request, for: allocations(counted: counted), nodes: nodes, lowLimit: lowLimit)
      return plan?.byteCount ?? .max
    }
    return Self.least(upTo: reserved) { whole($0) >= wanted }
  }

  /// The least number up to `limit` that `isEnough`, or `limit` if none below it is.
  private static func least(upTo limit: UInt64, where isEnough: (UInt64) -> Bool) -> UInt64 {
    var (below, above) = (0 as UInt64, limit)
    while below < above {
      let middle = below + (above - below) / 2
      if isEnough(middle) { above = middle } else { below = middle + 1 }
    }
    return above
  }

  /// What boot reserved beside the scratch areas, of a kernel that counts them as reserved.
  ///
  /// The areas grow with what is reserved, so the answer is unique, and halving finds it.
  package func reservedWithoutScratch(
    _ reserved: UInt64, _ request: ScratchRequest, nodes: [NodeID], lowLimit: PhysicalAddress
  ) -> UInt64 {
    func whole(_ rest: UInt64) -> UInt64 {
      let plan = try? rules.plan(
        request, for: allocations(reserved: rest), nodes: nodes, lowLimit: lowLimit)
      return plan.map { rest &+ $0.byteCount } ?? .max
    }
    return Self.least(upTo: reserved) { whole($0) >= reserved }
  }
}
