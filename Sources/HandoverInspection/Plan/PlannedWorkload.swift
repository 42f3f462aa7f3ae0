package import Handover
package import MemoryAccess
import PreservedPages

/// What is to be preserved, and what marking it costs.
package struct PlannedWorkload {
  /// The image it was read from, and which handover of it; nil of a model.
  package let image: (name: String, survey: HandoverSurvey)?
  /// How scattered the blocks of the model are; nil of an image.
  package let fragmentation: Double?
  /// Of each order that has any.
  package let counts: [(order: Int, count: UInt64)]
  package let footprint: MetadataFootprint
  /// The smallest fragmentation with which a list of ranges takes no less than the tree; nil where
  /// there is none, and of an image.
  package let crossover: Double?

  package var preservedByteCount: UInt64 {
    counts.reduce(0) {
      $0 &+ $1.count &* footprint.geometry.blockByteCount(PageOrder($1.order))
    }
  }

  /// The nodes that the image really holds, leaves first; nil of a model and of kho-v1.
  package var nodesInImage: [UInt64]? {
    guard let survey = image?.survey, survey.deviceTree?.version != .v1 else { return nil }
    return survey.pages?.nodeCountByLevel
  }

  /// A workload as the model places it.
  ///
  /// - Throws: where the blocks are more than memory holds.
  package init(
    _ counts: [(order: Int, count: UInt64)], fragmentation: Double, memoryByteCount: UInt64,
    geometry: PageGeometry
  ) throws(PlanError) {
    var room = memoryByteCount
    for (order, count) in counts {
      guard order <= geometry.maximumOrder.rawValue else {
        throw .orderTooLarge(order)
      }
      let size = geometry.blockByteCount(PageOrder(order))
      guard count <= room / size else {
        throw .blocksDoNotFit(order: order, memoryByteCount: memoryByteCount)
      }
      room -= count * size
    }
    func blocks(_ fragmentation: Double) -> [PlannedBlocks] {
      counts.map { order, count in
        PlannedBlocks(
          order: PageOrder(order), blockCount: count,
          capacity: memoryByteCount / geometry.blockByteCount(PageOrder(order)),
          fragmentation: fragmentation)
      }
    }
    image = nil
    self.counts = counts
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

  /// The blocks of the handover `survey` of `image`.
  ///
  /// - Throws: ``HandoverImageError/nothingPreserved(_:)``.
  package init(
    of survey: HandoverSurvey, in image: HandoverImage
  ) throws(HandoverImageError) {
    guard let pages = survey.pages else { throw .nothingPreserved(survey.title) }
    self.image = (image.name, survey)
    fragmentation = nil
    crossover = nil
    counts = survey.ordersInUse.map { (Int($0.order.rawValue), $0.count) }
    footprint = MetadataFootprint(pages, in: image.memory)
  }
}

/// The scratch areas that Linux makes, as it is asked, and those that are recommended.
package struct PlannedScratch {
  package let requested: ScratchAreas?
  package let recommended: (advice: ScratchRecommendation, areas: ScratchAreas)?
  /// Whether the areas are those that Linux makes without being asked.
  package let isStandard: Bool

  package init(
    requested: ScratchAreas?, isStandard: Bool = false,
    recommended: (advice: ScratchRecommendation, areas: ScratchAreas)?
  ) {
    self.requested = requested
    self.isStandard = isStandard
    self.recommended = recommended
  }
}

/// Everything that `kho plan` found out.
package struct PlanResult {
  package let machine: MachineModel?
  package let workload: PlannedWorkload?
  package let scratch: PlannedScratch?
  package let calibration: WalkCalibration?
  /// The areas of a running kernel.
  package let current: CurrentScratch?
  /// What the numbers of the machine are taken from, a sentence each.
  package let basis: [String]

  package init(
    machine: MachineModel?, workload: PlannedWorkload?, scratch: PlannedScratch?,
    calibration: WalkCalibration?, current: CurrentScratch? = nil, basis: [String] = []
  ) {
    self.machine = machine
    self.workload = workload
    self.scratch = scratch
    self.calibration = calibration
    self.current = current
    self.basis = basis
  }

  /// What a walk takes, in nanoseconds; nil where nothing was measured.
  package var walkNanoseconds: UInt64? {
    guard let calibration, let workload else { return nil }
    let nodes = workload.nodesInImage ?? workload.footprint.nodesByLevel
    return calibration.nanoseconds(
      nodes: nodes.reduce(0, +), runs: workload.footprint.rangeCount)
  }
}

/// Why a workload cannot be planned.
package enum PlanError: Error, Hashable, Sendable {
  /// No block of the order has a size below 2^64 bytes.
  case orderTooLarge(Int)
  /// The blocks of the order, with those of lower orders, take more than the machine's memory.
  case blocksDoNotFit(order: Int, memoryByteCount: UInt64)

  /// What does not fit, as it follows `kho: `.
  package var sentence: String {
    switch self {
    case .orderTooLarge(let order): "no block of order \(order) has a size below 2^64 bytes"
    case .blocksDoNotFit(let order, let memoryByteCount):
      "the blocks do not fit into \(byteText(memoryByteCount)) of memory: order \(order) and the "
        + "orders below it take more"
    }
  }
}
