import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// What a tree should say, worked out from a plain set of keys.
enum Naive {
  /// The blocks of `keys`, sorted by address, then order.
  static func blocks(_ keys: some Sequence<UInt64>, shift: Int) -> [PhysicalBlock] {
    keys.map { ReferenceTree.block(of: $0, shift: shift) }
      .sorted {
        ($0.address.rawValue, $0.order.rawValue) < ($1.address.rawValue, $1.order.rawValue)
      }
  }

  /// Neighbours of `blocks` that follow each other in memory and have one order, joined.
  static func runs(_ blocks: some Sequence<PhysicalBlock>, shift: Int) -> [BlockRun] {
    var runs: [BlockRun] = []
    for block in blocks {
      if let last = runs.last, last.order == block.order {
        let byteCount = last.blockCount << UInt64(shift + Int(block.order.rawValue))
        // A sum that wraps to 0 ended at 2^64, behind which nothing follows.
        let end = last.address.rawValue &+ byteCount
        if end == block.address.rawValue, end != 0 {
          runs[runs.count - 1] = BlockRun(
            address: last.address, order: last.order, blockCount: last.blockCount + 1)
          continue
        }
      }
      runs.append(BlockRun(address: block.address, order: block.order, blockCount: 1))
    }
    return runs
  }

  /// The last byte of a block.
  static func last(_ block: PhysicalBlock, shift: Int) -> UInt64 {
    block.address.rawValue + ((1 << UInt64(shift + Int(block.order.rawValue))) - 1)
  }

  /// Whether two of `blocks`, which are sorted, share a byte.
  static func hasOverlap(_ blocks: [PhysicalBlock], shift: Int) -> Bool {
    var furthest: UInt64?
    for block in blocks {
      if let furthest, block.address.rawValue <= furthest { return true }
      furthest = max(furthest ?? 0, last(block, shift: shift))
    }
    return false
  }

  /// The nodes that a tree with exactly these keys needs, named by level and first key.
  static func neededNodes(_ keys: some Sequence<UInt64>, shift: Int, levelCount: Int) -> Set<
    [UInt64]
  > {
    var needed: Set<[UInt64]> = [[UInt64(levelCount - 1), 0]]
    for key in keys {
      for level in 0..<(levelCount - 1) {
        let bits = UInt64(shift + 3 + level * (shift - 3))
        needed.insert([UInt64(level), (key >> bits) << bits])
      }
    }
    return needed
  }
}

extension TreeBench {
  /// Compares everything the tree says with the set it should hold.
  borrowing func check(against keys: Set<UInt64>) throws {
    try checkWalks(against: keys)
    try checkLookups(against: keys)
    let reference = self.reference
    try #require(reference.keys == keys.sorted())
    try #require(frames.pool.takenCount == UInt64(reference.nodes.count))
    var nodes: [RadixNode] = []
    tree.forEachNode { nodes.append($0) }
    try #require(nodes == reference.nodes)
  }

  /// Compares the walks over keys and ranges.
  borrowing func checkWalks(against keys: Set<UInt64>) throws {
    let sorted = keys.sorted()
    let shift = geometry.page.shift
    var walked: [UInt64] = []
    tree.forEachKey { walked.append($0.rawValue) }
    try #require(walked == sorted)
    try #require(tree.count == UInt64(sorted.count))
    try #require(tree.isEmpty == sorted.isEmpty)

    var runs: [BlockRun] = []
    tree.forEachRange { runs.append($0) }
    let blocks = sorted.map { ReferenceTree.block(of: $0, shift: shift) }
    try #require(runs == Naive.runs(blocks, shift: shift))
    let expanded = runs.flatMap { run in
      (0..<run.blockCount).map { index in
        PhysicalBlock(
          address: PhysicalAddress(
            run.address.rawValue + index * geometry.page.blockByteCount(run.order)),
          order: run.order)
      }
    }
    try #require(expanded == blocks)
  }

  /// Compares the searches for a key and for the one after it.
  borrowing func checkLookups(against keys: Set<UInt64>) throws {
    let sorted = keys.sorted()
    try #require(tree.firstKey?.rawValue == sorted.first)
    for (index, key) in sorted.enumerated() {
      let next = index + 1 < sorted.count ? sorted[index + 1] : nil
      try #require(tree.key(after: RadixKey(rawValue: key))?.rawValue == next)
      try #require(tree.firstKey(atOrAfter: key)?.rawValue == key)
      try #require(tree.contains(RadixKey(rawValue: key)) == true)
      for other in [key - 1, key + 1] {
        try #require(tree.contains(RadixKey(rawValue: other)) == keys.contains(other))
      }
    }
  }

  /// Compares what a stranger reads, who sees entries by address.
  borrowing func checkSurvey(against keys: Set<UInt64>) throws {
    let shift = geometry.page.shift
    let blocks = Naive.blocks(keys, shift: shift)
    let survey = self.survey
    var counts = [UInt64](repeating: 0, count: 64 - shift)
    for block in blocks { counts[Int(block.order.rawValue)] += 1 }
    try #require(survey.countByOrder == counts)
    try #require(survey.entryCount == UInt64(keys.count))

    var levels = [UInt64](repeating: 0, count: geometry.levelCount)
    let nodes = reference.nodes
    for node in nodes { levels[node.level] += 1 }
    try #require(survey.nodeCountByLevel == levels)
    try #require(survey.nodes == nodes.map(\.address).sorted())
    try #require(survey.metadataByteCount == UInt64(nodes.count * geometry.page.pageByteCount))
    try #require(survey.findings.worst != .error)

    var surveyed: [PhysicalBlock] = []
    survey.forEachBlock(in: memory) { surveyed.append($0) }
    try #require(surveyed == blocks)
    var runs: [BlockRun] = []
    survey.forEachRun(in: memory) { runs.append($0) }
    try #require(runs == Naive.runs(blocks, shift: shift))
    for salt in 0..<3 as Range<UInt64> { try checkStretches(survey, blocks, salt) }
    try checkCoverage(survey, blocks)
  }

  /// The stretches contain exactly the entries that are passed over, and all others are visited.
  private borrowing func checkStretches(
    _ survey: PreservedPagesSurvey, _ blocks: [PhysicalBlock], _ salt: UInt64
  ) throws {
    let page = geometry.page
    var stretches: [BlockStretch] = []
    let passes = { (stretch: BlockStretch) in
      let isPassed = salt == 0 || (stretch.range.start.rawValue &* 0x9e37 >> 9 &+ salt) & 1 == 0
      if isPassed { stretches.append(stretch) }
      return isPassed
    }
    var visited: [PhysicalBlock] = []
    survey.forEachRun(in: memory, passingOver: passes) { run in
      run.forEachBlock(in: page) { visited.append($0) }
    }
    let visitedBlocks = Set(visited)
    try #require(visitedBlocks.count == visited.count)
    var passedCount: UInt64 = 0
    for stretch in stretches {
      // An entry before them may reach into them, where entries overlap.
      let inside = blocks.filter { stretch.range.contains($0.address) }
      try #require(UInt64(inside.count) == stretch.blockCount)
      try #require(
        inside.allSatisfy {
          $0.order == stretch.order && stretch.range.contains($0.range(in: page))
            && !visitedBlocks.contains($0)
        })
      passedCount += stretch.blockCount
    }
    try #require(UInt64(visited.count) + passedCount == UInt64(blocks.count))
  }

  /// Which ranges entries cover, where nothing overlaps, one page after the other.
  private borrowing func checkCoverage(
    _ survey: PreservedPagesSurvey, _ blocks: [PhysicalBlock]
  ) throws {
    let page = geometry.page
    guard let first = blocks.first, let last = blocks.last, blocks.count < 500,
      last.address.rawValue &- first.address.rawValue < 1 << 20
    else { return }
    let size = UInt64(page.pageByteCount)
    let start = first.address.rawValue & ~(size - 1)
    var ranges: [PhysicalRange] = []
    for index in 0..<24 as Range<UInt64> {
      ranges.append(
        PhysicalRange(
          start: PhysicalAddress(start &+ index &* 5 % 31 &* size), byteCount: 1 + index % 7 * size)
      )
    }
    var survey = survey
    let isCovered = survey.sweep(in: memory, deviceTree: nil, covering: ranges)
    for (range, isCovered) in zip(ranges, isCovered) {
      let pages = stride(
        from: range.start.rawValue, through: (range.last ?? range.start).rawValue, by: Int(size))
      let expected = pages.allSatisfy { address in
        blocks.contains { $0.range(in: page).contains(PhysicalAddress(address)) }
      }
      try #require(isCovered == expected, "\(range)")
    }
  }

  /// Checks that `validate` finds fault exactly where blocks overlap each other or a node.
  borrowing func checkValidity(against keys: Set<UInt64>) throws {
    let shift = geometry.page.shift
    let blocks = Naive.blocks(keys, shift: shift)
    let nodes = reference.nodes
    let isSound =
      !Naive.hasOverlap(blocks, shift: shift)
      && !blocks.contains { block in
        nodes.contains {
          $0.address >= block.address && $0.address.rawValue <= Naive.last(block, shift: shift)
        }
      }
    var failure: PreservedPagesFinding?
    do throws(PreservedPagesFinding) { try tree.validate() } catch { failure = error }
    try #require((failure == nil) == isSound, "\(String(describing: failure))")
  }
}
