import MemoryAccess
public import MemoryImages
import PreservedPages

/// How fast this machine walks trees: measured, never assumed.
public struct WalkCalibration: Hashable, Sendable {
  /// For a node that is read, in 10^-12 seconds.
  public let picosecondsPerNode: UInt64
  /// For a run of blocks that is found, in 10^-12 seconds.
  public let picosecondsPerRun: UInt64
  /// The trees that were walked, to find that out.
  public let samples: [Sample]

  /// One tree, and how long a walk over it took.
  public struct Sample: Hashable, Sendable {
    /// How many nodes the tree has.
    public let nodes: UInt64
    /// How many runs of blocks it marks.
    public let runs: UInt64
    /// The shortest of several walks.
    public let nanoseconds: UInt64

    /// A measured walk.
    public init(nodes: UInt64, runs: UInt64, nanoseconds: UInt64) {
      self.nodes = nodes
      self.runs = runs
      self.nanoseconds = nanoseconds
    }
  }

  /// A measurement that was made before.
  public init(picosecondsPerNode: UInt64, picosecondsPerRun: UInt64, samples: [Sample]) {
    self.picosecondsPerNode = picosecondsPerNode
    self.picosecondsPerRun = picosecondsPerRun
    self.samples = samples
  }

  /// What a walk over so many nodes and runs takes, in nanoseconds.
  public func nanoseconds(nodes: UInt64, runs: UInt64) -> UInt64 {
    let sum =
      Double(nodes) * Double(picosecondsPerNode) + Double(runs) * Double(picosecondsPerRun)
    return UInt64(min(sum / 1000, 9e18))
  }

  // MARK: Measuring

  /// Walks two trees, one with few runs in each leaf and one with as many as possible, and solves for the two costs.
  ///
  /// - Throws: `MemoryImageError.cannotAllocate(byteCount:_:)` if the process cannot allocate memory for the trees.
  public static func measure() throws(MemoryImageError) -> WalkCalibration {
    let plain = try sample(leafCount: 4096, isAlternating: false)
    let dense = try sample(leafCount: 128, isAlternating: true)
    return WalkCalibration(plain, dense)
  }

  /// The costs that two measured walks determine.
  ///
  /// - Precondition: the second sample has more runs to a node than the first.
  public init(_ plain: Sample, _ dense: Sample) {
    let (n1, r1, t1) = (Double(plain.nodes), Double(plain.runs), Double(plain.nanoseconds))
    let (n2, r2, t2) = (Double(dense.nodes), Double(dense.runs), Double(dense.nanoseconds))
    let determinant = n1 * r2 - n2 * r1
    precondition(determinant > 0, "samples that determine nothing")
    // Where a disturbance makes one of them negative, it is not measurable beside the other.
    picosecondsPerNode = UInt64(max(0, 1000 * (t1 * r2 - t2 * r1) / determinant))
    picosecondsPerRun = UInt64(max(0, 1000 * (n1 * t2 - n2 * t1) / determinant))
    samples = [plain, dense]
  }

  /// A tree of single pages: whole leaves, or every other page of them.
  private static func sample(leafCount: UInt64, isAlternating: Bool) throws(MemoryImageError)
    -> Sample
  {
    let geometry = PageGeometry.pages4KiB
    let shape = RadixGeometry(geometry)
    let start = PhysicalAddress(1 << 40)
    // A few tables above the leaves.
    let range = PhysicalRange(start: start, byteCount: (leafCount + leafCount / 256 + 16) << 12)
    let memory = try AnonymousMemory(range)
    var frames = FramePool(of: range, in: memory, geometry: geometry)
    guard var tree = try? RadixTree(in: memory, geometry: shape, from: &frames) else {
      preconditionFailure("no frame for the root of a tree")
    }
    let leafBits = UInt64(shape.leafKeyCount)
    // Every other leaf, so that no run goes on in the next one.
    for leaf in 0..<leafCount {
      let leaf = FrameRange(start: FrameNumber(2 * leaf * leafBits), frameCount: leafBits)
      guard (try? tree.insertRange(leaf, from: &frames)) != nil else {
        preconditionFailure("too few frames for the nodes of a tree")
      }
    }
    if isAlternating {
      tree.forEachNode { node in
        guard node.level == 0 else { return }
        memory.withWords(at: node.address, count: geometry.pageWordCount) { words in
          for index in 0..<geometry.pageWordCount {
            words.publish(0x5555_5555_5555_5555, at: index)
          }
        }
      }
    }
    let reader = RadixTreeReader(memory, geometry: shape, root: tree.root)
    var fastest: UInt64 = .max
    var nodes: UInt64 = 0
    var runs: UInt64 = 0
    let clock = ContinuousClock()
    for _ in 0..<3 {
      runs = 0
      let begin = clock.now
      let survey = PreservedPagesSurvey(reader)
      survey.forEachRun(in: memory) { _ in runs += 1 }
      let elapsed = (clock.now - begin).components
      let nanoseconds =
        UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds) / 1_000_000_000
      fastest = min(fastest, nanoseconds)
      nodes = survey.nodeCountByLevel.reduce(0, +)
    }
    return Sample(nodes: nodes, runs: runs, nanoseconds: fastest)
  }
}
