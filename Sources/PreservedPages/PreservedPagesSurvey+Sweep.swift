public import MemoryAccess

extension PreservedPagesSurvey {
  /// Looks at all entries by address and adds what is wrong among them to ``findings``: entries
  /// outside memory, overlapping each other, over a node, or over the root device tree.
  ///
  /// - Parameters:
  ///   - memory: the memory that was surveyed.
  ///   - deviceTree: the pages of the root device tree, which may be an entry of their own.
  ///   - ranges: what should be preserved; each is counted in whole pages.
  /// - Returns: for each of `ranges`, whether entries cover all of it.
  /// - Complexity: as `isDisjoint(in:deviceTree:)` where nothing is wrong and the ranges are few; otherwise
  ///   O(leaves · page size + runs · orders in use + ranges · log ranges).
  public mutating func sweep<Memory: PhysicalMemory>(
    in memory: Memory, deviceTree: PhysicalRange?, covering ranges: [PhysicalRange]
  ) -> [Bool] {
    // SAFETY: neither call keeps the map.
    let isSound = unsafe memory.withDirectMap { isDisjoint(in: $0, deviceTree: deviceTree) }
    if isSound ?? isDisjoint(in: memory, deviceTree: deviceTree),
      let isCovered = coverage(of: ranges, in: memory)
    {
      return isCovered
    }
    var sweep = Sweep(
      survey: self, deviceTree: deviceTree, ranges: ranges.map(geometry.wholePages))
    sweep.visitAll(of: self, contains: memory.contains) { memory.copyWords(of: $0, to: &$1) }
    findings = sweep.findings
    return sweep.isCovered
  }

  /// Whether entries cover all of each range; `nil` if that takes more steps than are allowed before the pass over
  /// the runs.
  private func coverage<Memory: PhysicalMemory>(
    of ranges: [PhysicalRange], in memory: Memory
  ) -> [Bool]? {
    var lookup = PreservedPagesLookup(self, in: memory)
    var isCovered: [Bool] = []
    for range in ranges {
      isCovered.append(lookup.isPreserved(geometry.wholePages(range)))
      // Many names for the same large memory: each of them would look at all of it.
      if lookup.stepCount > UInt64(bitmaps.count &* 64 &+ 4096) { return nil }
    }
    return isCovered
  }
}

extension PageGeometry {
  /// The pages that hold a byte of `range`; of an empty range, the page at its start.
  func wholePages(_ range: PhysicalRange) -> PhysicalRange {
    let mask = UInt64(pageByteCount) &- 1
    let last = (range.last ?? range.start).rawValue | mask
    let start = range.start.rawValue & ~mask
    // All 2^64 bytes have no length; one page less says the same of what is covered.
    let byteCount = last &- start == .max ? last &- mask : last &- start &+ 1
    return PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
  }
}

/// What a pass over the entries, by address, has seen so far.
private struct Sweep {
  private let geometry: PageGeometry
  private let nodes: [PhysicalAddress]
  private let deviceTree: PhysicalRange?
  private let ranges: [PhysicalRange]
  var findings: FindingList
  var isCovered: [Bool]

  /// The ranges not reached yet, by start, the lowest last.
  private var pending: [Int]
  private var nextNode = 0
  /// The run that reaches furthest up.
  private var furthest: BlockRun?
  /// The bytes covered without a gap up to here.
  private var stretch: (start: PhysicalAddress, last: PhysicalAddress)?

  init(survey: PreservedPagesSurvey, deviceTree: PhysicalRange?, ranges: [PhysicalRange]) {
    geometry = survey.geometry
    nodes = survey.nodes
    findings = survey.findings
    self.deviceTree = deviceTree
    self.ranges = ranges
    isCovered = [Bool](repeating: false, count: ranges.count)
    pending = Array(ranges.indices)
    pending.sortInPlace { (ranges[$0].start, $1) > (ranges[$1].start, $0) }
  }

  /// Visits the runs of all entries, by address, except those that cannot have a finding.
  mutating func visitAll(
    of survey: PreservedPagesSurvey, contains: (PhysicalRange) -> Bool, _ read: BitmapReading
  ) {
    var merger = RunMerger(survey.runCursors(), geometry: geometry, read)
    while let run = merger.next(read, passingOver: { passes(over: $0, contains) }) {
      visit(run, contains)
    }
    finishStretch()
  }

  /// Whether the entries of `stretch` have no finding: memory contains them, no node, device tree or range to look for
  /// is among them, and no other entry reaches into them.
  private mutating func passes(
    over stretch: BlockStretch, _ contains: (PhysicalRange) -> Bool
  ) -> Bool {
    let start = stretch.range.start
    guard let last = stretch.range.last else { return false }
    if let furthest, furthest.last(in: geometry) >= start { return false }
    if let deviceTree, deviceTree.overlaps(stretch.range) { return false }
    if let index = pending.last, ranges[index].start <= last { return false }
    while nextNode < nodes.count, nodes[nextNode] < start { nextNode += 1 }
    if nextNode < nodes.count, nodes[nextNode] <= last { return false }
    return contains(stretch.range)
  }

  private mutating func visit(_ run: BlockRun, _ contains: (PhysicalRange) -> Bool) {
    let range = run.range(in: geometry)
    let last = run.last(in: geometry)
    if !contains(range) { findings.append(.blocksOutsideMemory(run)) }
    checkOverlap(run, last: last)
    checkNodes(run, last: last)
    if let deviceTree { check(run, range, against: deviceTree) }
    extendStretch(run.address, last)
  }

  private mutating func checkOverlap(_ run: BlockRun, last: PhysicalAddress) {
    if let furthest {
      let furthestLast = furthest.last(in: geometry)
      if run.address <= furthestLast {
        findings.append(
          .blocksOverlap(furthest.block(at: run.address, in: geometry), run.firstBlock))
      }
      if last <= furthestLast { return }
    }
    furthest = run
  }

  private mutating func checkNodes(_ run: BlockRun, last: PhysicalAddress) {
    while nextNode < nodes.count, nodes[nextNode] < run.address { nextNode += 1 }
    var index = nextNode
    while index < nodes.count, nodes[index] <= last {
      findings.append(
        .blockOverNode(run.block(at: nodes[index], in: geometry), node: nodes[index]))
      index += 1
    }
  }

  private mutating func check(
    _ run: BlockRun, _ range: PhysicalRange, against deviceTree: PhysicalRange
  ) {
    guard let shared = range.intersection(deviceTree), let last = shared.last else { return }
    // Only the first and the last of the blocks can reach out of the device tree.
    let first = run.block(at: shared.start, in: geometry)
    let other = run.block(at: last, in: geometry)
    for block in first == other ? [first] : [first, other]
    where !deviceTree.contains(block.range(in: geometry)) {
      findings.append(.blockOverDeviceTree(block, deviceTree: deviceTree.start))
    }
  }

  private mutating func extendStretch(_ start: PhysicalAddress, _ last: PhysicalAddress) {
    if let current = stretch, start <= current.last || start.rawValue &- 1 == current.last.rawValue
    {
      stretch?.last = max(current.last, last)
    } else {
      finishStretch()
      stretch = (start, last)
    }
  }

  /// Decides about the ranges that begin below the end of the stretch.
  private mutating func finishStretch() {
    guard let stretch else { return }
    while let index = pending.last, ranges[index].start <= stretch.last {
      pending.removeLast()
      guard let last = ranges[index].last else { continue }
      isCovered[index] = ranges[index].start >= stretch.start && last <= stretch.last
    }
  }
}
