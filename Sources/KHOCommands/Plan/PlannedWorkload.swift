internal import KexecHandover

/// What is to be preserved, and what marking it costs.
struct PlannedWorkload {
  /// The image it was read from, and which handover of it; nil of a model.
  let image: (path: String, survey: HandoverSurvey)?
  /// How scattered the blocks of the model are; nil of an image.
  let fragmentation: Double?
  /// Of each order that has any.
  let counts: [(order: Int, count: UInt64)]
  let footprint: MetadataFootprint
  /// The smallest fragmentation with which a list of ranges takes no less than the tree; nil where
  /// there is none, and of an image.
  let crossover: Double?

  var preservedByteCount: UInt64 {
    counts.reduce(0) {
      $0 &+ $1.count &* footprint.geometry.blockByteCount(PageOrder($1.order))
    }
  }

  /// The nodes that the image really holds, leaves first; nil of a model and of kho-v1.
  var nodesInImage: [UInt64]? {
    guard let survey = image?.survey, survey.deviceTree?.version != .v1 else { return nil }
    return survey.pages?.nodeCountByLevel
  }

  /// A workload as the model places it.
  ///
  /// - Throws: where the blocks are more than memory holds.
  init(
    _ workload: WorkloadArgument, fragmentation: Double, memoryByteCount: UInt64,
    geometry: PageGeometry
  ) throws(CommandFailure) {
    var room = memoryByteCount
    for (order, count) in workload.counts {
      guard order <= geometry.maximumOrder.rawValue else {
        throw .badInput("no block of order \(order) has a size below 2^64 bytes")
      }
      let size = geometry.blockByteCount(PageOrder(order))
      guard count <= room / size else {
        throw .badInput(
          "the blocks do not fit into \(byteText(memoryByteCount)) of memory: order \(order) and the "
            + "orders below it take more")
      }
      room -= count * size
    }
    func blocks(_ fragmentation: Double) -> [PlannedBlocks] {
      workload.counts.map { order, count in
        PlannedBlocks(
          order: PageOrder(order), blockCount: count,
          capacity: memoryByteCount / geometry.blockByteCount(PageOrder(order)),
          fragmentation: fragmentation)
      }
    }
    image = nil
    counts = workload.counts
    self.fragmentation = fragmentation
    footprint = MetadataFootprint(blocks(fragmentation), geometry)
    crossover = Self.crossover { MetadataFootprint(blocks($0), geometry) }
  }

  /// By halving: more scattered blocks cost a list of ranges more, and a tree less in comparison.
  private static func crossover(_ footprint: (Double) -> MetadataFootprint) -> Double? {
    func treeWins(_ fragmentation: Double) -> Bool {
      let footprint = footprint(fragmentation)
      return footprint.treeByteCount <= footprint.rangeListByteCount
    }
    if treeWins(0) { return 0 }
    guard treeWins(1) else { return nil }
    var (low, high) = (0.0, 1.0)
    // Printed to a millionth.
    for _ in 0..<24 {
      let middle = (low + high) / 2
      if treeWins(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// The blocks of the first handover in `image` that can be read.
  ///
  /// - Throws: where none can.
  init(of image: LoadedImage) throws(CommandFailure) {
    let survey = try image.firstReadable(choosingWith: "--fdt-address")
    guard let pages = survey.pages else {
      throw .badInput("\(image.path): \(survey.title) leads to no entries")
    }
    self.image = (image.path, survey)
    fragmentation = nil
    crossover = nil
    counts = survey.ordersInUse.map { (Int($0.order.rawValue), $0.count) }
    footprint = MetadataFootprint(pages, in: image.memory)
  }
}

/// The scratch areas that were asked for, and those that are recommended.
struct PlannedScratch {
  let requested: ScratchAreas?
  let recommended: (advice: ScratchRecommendation, areas: ScratchAreas)?
}

/// Everything that `kho plan` found out.
struct PlanResult {
  let machine: MachineModel?
  let workload: PlannedWorkload?
  let scratch: PlannedScratch?
  let calibration: WalkCalibration?

  /// What a walk takes, in nanoseconds; nil where nothing was measured.
  var walkNanoseconds: UInt64? {
    guard let calibration, let workload else { return nil }
    let nodes = workload.nodesInImage ?? workload.footprint.nodesByLevel
    return calibration.nanoseconds(
      nodes: nodes.reduce(0, +), runs: workload.footprint.rangeCount)
  }
}
