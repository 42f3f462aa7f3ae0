internal import KexecHandover

/// What `kho plan --json` prints: schema `kho-plan/1`.
struct PlanReport: Encodable {
  let schema = "kho-plan/1"
  /// Null without `--memory`.
  let memoryBytes: UInt64?
  let numaNodes: Int?
  /// What the numbers of the machine are taken from; empty where the user gave them.
  let basis: [String]
  /// What boot allocates for the kernel; null where that is not known.
  let boot: Boot?
  /// The areas of a running kernel; null where they are not known.
  let current: Current?
  let workload: Workload?
  let scratch: Areas?
  let recommendation: Recommendation?
  let walk: Walk?

  struct Boot: Encodable {
    let lowBytes: UInt64
    let highBytes: UInt64
    let nodeBytes: [UInt64]
  }

  struct Current: Encodable {
    let bytes: UInt64
    let areas: [CurrentArea]
  }

  struct CurrentArea: Encodable {
    let name: String
    /// Null where only the sizes are known.
    let address: UInt64?
    let byteCount: UInt64

    private enum CodingKeys: CodingKey { case name, address, byteCount }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(address, forKey: .address)
      try container.encode(byteCount, forKey: .byteCount)
    }
  }

  struct Workload: Encodable {
    let image: String?
    let fdtAddress: UInt64?
    let pageShift: Int
    let fragmentationMillionths: UInt64?
    let blocks: [String: UInt64]
    let preservedBytes: UInt64
    let treeBytes: UInt64
    let nodesByLevel: [UInt64]
    let nodesInImage: [UInt64]?
    let v1PageBitmaps: ChunkList
    let v1SmallBitmaps: ChunkList
    let ranges: UInt64
    let rangeListBytes: UInt64
    let crossoverRanges: UInt64
    let crossoverFragmentationMillionths: UInt64?

    init(_ workload: PlannedWorkload) {
      let footprint = workload.footprint
      image = workload.image?.name
      fdtAddress = workload.image?.survey.address?.rawValue
      pageShift = footprint.geometry.shift
      fragmentationMillionths = workload.fragmentation.map(millionths)
      blocks = Dictionary(uniqueKeysWithValues: workload.counts.map { ("\($0.order)", $0.count) })
      preservedBytes = workload.preservedByteCount
      treeBytes = footprint.treeByteCount
      nodesByLevel = footprint.nodesByLevel
      nodesInImage = workload.nodesInImage
      v1PageBitmaps = ChunkList(footprint.pageBitmaps, footprint.geometry)
      v1SmallBitmaps = ChunkList(footprint.smallBitmaps, footprint.geometry)
      ranges = footprint.rangeCount
      rangeListBytes = footprint.rangeListByteCount
      crossoverRanges = footprint.crossoverRangeCount
      crossoverFragmentationMillionths = workload.crossover.map(millionths)
    }

    private enum CodingKeys: CodingKey {
      case image, fdtAddress, pageShift, fragmentationMillionths, blocks, preservedBytes, treeBytes
      case nodesByLevel, nodesInImage, v1PageBitmaps, v1SmallBitmaps, ranges, rangeListBytes
      case crossoverRanges, crossoverFragmentationMillionths
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(image, forKey: .image)
      try container.encode(fdtAddress, forKey: .fdtAddress)
      try container.encode(pageShift, forKey: .pageShift)
      try container.encode(fragmentationMillionths, forKey: .fragmentationMillionths)
      try container.encode(blocks, forKey: .blocks)
      try container.encode(preservedBytes, forKey: .preservedBytes)
      try container.encode(treeBytes, forKey: .treeBytes)
      try container.encode(nodesByLevel, forKey: .nodesByLevel)
      try container.encode(nodesInImage, forKey: .nodesInImage)
      try container.encode(v1PageBitmaps, forKey: .v1PageBitmaps)
      try container.encode(v1SmallBitmaps, forKey: .v1SmallBitmaps)
      try container.encode(ranges, forKey: .ranges)
      try container.encode(rangeListBytes, forKey: .rangeListBytes)
      try container.encode(crossoverRanges, forKey: .crossoverRanges)
      try container.encode(
        crossoverFragmentationMillionths, forKey: .crossoverFragmentationMillionths)
    }
  }

  struct ChunkList: Encodable {
    let bitmaps: UInt64
    let chunks: UInt64
    let bytes: UInt64

    init(_ size: MetadataFootprint.ChunkListSize, _ geometry: PageGeometry) {
      bitmaps = size.bitmapCount
      chunks = size.chunkCount
      bytes = size.byteCount(in: geometry)
    }
  }

  struct Areas: Encodable {
    let bytes: UInt64
    let areas: [Area]

    init(_ areas: ScratchAreas) {
      bytes = areas.byteCount
      self.areas = areas.named.map {
        Area(name: $0.name, address: $0.range.start.rawValue, byteCount: $0.range.byteCount)
      }
    }
  }

  struct Area: Encodable {
    /// `low`, `global` or `node N`.
    let name: String
    let address: UInt64
    let byteCount: UInt64
  }

  struct Recommendation: Encodable {
    let option: String
    let reasons: [String]
    let scratch: Areas
  }

  struct Walk: Encodable {
    /// Null without a workload.
    let nanoseconds: UInt64?
    let picosecondsPerNode: UInt64
    let picosecondsPerRun: UInt64

    private enum CodingKeys: CodingKey { case nanoseconds, picosecondsPerNode, picosecondsPerRun }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(nanoseconds, forKey: .nanoseconds)
      try container.encode(picosecondsPerNode, forKey: .picosecondsPerNode)
      try container.encode(picosecondsPerRun, forKey: .picosecondsPerRun)
    }
  }

  init(_ result: PlanResult) {
    memoryBytes = result.machine?.memoryByteCount
    numaNodes = result.machine?.nodeCount
    basis = result.basis
    boot = result.machine?.boot.map {
      Boot(lowBytes: $0.low, highBytes: $0.high, nodeBytes: $0.byNode)
    }
    current = result.current.map { scratch in
      Current(
        bytes: scratch.byteCount,
        areas: scratch.areas.map {
          CurrentArea(name: $0.name, address: $0.address?.rawValue, byteCount: $0.byteCount)
        })
    }
    workload = result.workload.map(Workload.init)
    scratch = (result.scratch?.requested).map(Areas.init)
    recommendation = (result.scratch?.recommended).map {
      Recommendation(option: $0.advice.option, reasons: $0.advice.reasons, scratch: Areas($0.areas))
    }
    walk = result.calibration.map {
      Walk(
        nanoseconds: result.walkNanoseconds, picosecondsPerNode: $0.picosecondsPerNode,
        picosecondsPerRun: $0.picosecondsPerRun)
    }
  }

  private enum CodingKeys: CodingKey {
    case schema, memoryBytes, numaNodes, basis, boot, current, workload, scratch, recommendation,
      walk
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(memoryBytes, forKey: .memoryBytes)
    try container.encode(numaNodes, forKey: .numaNodes)
    try container.encode(basis, forKey: .basis)
    try container.encode(boot, forKey: .boot)
    try container.encode(current, forKey: .current)
    try container.encode(workload, forKey: .workload)
    try container.encode(scratch, forKey: .scratch)
    try container.encode(recommendation, forKey: .recommendation)
    try container.encode(walk, forKey: .walk)
  }
}
