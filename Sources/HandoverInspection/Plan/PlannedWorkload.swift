public import Handover
public import MemoryAccess
import PreservedPages

/// What is to be preserved, and what marking it costs.
public struct PlannedWorkload: Sendable {
  /// The image it was read from, and which handover of it; nil of a model.
  public let image: (name: String, survey: HandoverSurvey)?
  /// How scattered the blocks of the model are; nil of an image.
  public let fragmentation: Double?
  /// Of each order that has any.
  public let counts: [(order: Int, count: UInt64)]
  /// What marking the blocks costs.
  public let footprint: MetadataFootprint
  /// The smallest fragmentation with which a list of ranges takes at least as many bytes as the tree; nil if no
  /// fragmentation does, and of an image.
  public let crossover: Double?

  /// What is preserved, in bytes.
  public var preservedByteCount: UInt64 {
    counts.reduce(0) {
      $0 &+ $1.count &* footprint.geometry.blockByteCount(PageOrder($1.order))
    }
  }

  /// The nodes that the image really holds, leaves first; nil of a model and of kho-v1.
  public var nodesInImage: [UInt64]? {
    guard let survey = image?.survey, survey.deviceTree?.version != .v1 else { return nil }
    return survey.pages?.nodeCountByLevel
  }

  /// A workload as the model places it: see ``PlannedBlocks``.
  ///
  /// - Parameters:
  ///   - counts: the number of blocks of each order.
  ///   - fragmentation: how scattered the blocks are, from 0, in one run, to 1, as much as can be.
  ///   - memoryByteCount: the machine's memory, in bytes.
  ///   - geometry: the page size.
  /// - Precondition: no order is negative or occurs twice, no count is 0, and `fragmentation` is in 0…1.
  /// - Throws: ``PlanError`` where the blocks are more than memory holds.
  /// - Complexity: O(leaves that memory has room for · levels).
  public init(
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
  /// - Complexity: O(runs of blocks · levels).
  public init(
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
