import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Sound trees with one bit flipped, and memory that never was a tree.
@Suite(.namesCombination)
struct DamageTests {
  /// Enough of everything: a dense word, the first leaf, order changes, both ends of memory.
  private static func keys(shift: Int) -> Set<UInt64> {
    func key(_ order: Int, _ block: UInt64) -> UInt64 {
      InterestingKeys.key(order: order, block: block, shift: shift)
    }
    let largestPage: UInt64 = (1 << UInt64(64 - shift)) - 1
    return [
      key(63 - shift, 1), key(0, 1), key(0, 2), key(0, largestPage), key(2, 63),
    ]
  }

  @Test("every bit flipped in every word that is set, and in some that are not", arguments: [5, 6])
  func everyFlip(shift: Int) throws {
    let keys = Self.keys(shift: shift)
    var bench = try TreeBench(
      RadixGeometry(PageGeometry(shift: shift)), nodeCount: 300, claiming: [])
    try bench.insertAll(keys.sorted())
    let nodes = bench.reference.nodes
    let pageCount = Int(bench.memory.byteCount >> UInt64(shift))
    try withEvery("node", in: nodes) { node in
      let words = bench.memory.snapshot(of: bench.geometry.page.page(at: node.address))
      for (index, word) in words.enumerated() where word != 0 || index == words.count - 1 {
        try withCombination("word", index) {
          let place = node.address.rawValue + UInt64(index * 8)
          for bit in 0..<64 as Range<UInt64> {
            let flipped = word ^ 1 << bit
            bench.memory.setWord(flipped, at: place)
            try withCombination("bit", bit) {
              try self.check(bench, keys, pageCount, node, index: index, bit: bit, word: flipped)
            }
          }
          bench.memory.setWord(word, at: place)
        }
      }
    }
    try bench.check(against: keys)
  }

  /// A flipped bit must not go unnoticed, with two exceptions: in a leaf it is another key, which
  /// nothing contradicts; and a pointer that became 0 is an empty slot.
  ///
  /// That every other pointer shows relies on the bench's memory: what is not a node is zeros there, so
  /// a pointer that leads elsewhere points to an empty node, to a node that is reached twice, out of
  /// memory, or to no page's start. Foreign bytes that happen to look like a tree cannot be recognised.
  private func check(
    _ bench: borrowing TreeBench, _ keys: Set<UInt64>, _ pageCount: Int, _ node: RadixNode,
    index: Int, bit: UInt64, word: UInt64
  ) throws {
    var survey = bench.survey
    try #require(survey.nodes.count <= pageCount)
    let page = bench.geometry.page
    var read: Set<UInt64> = []
    survey.forEachBlock(in: bench.memory) { read.insert(RadixKey($0, in: page).rawValue) }
    var expected = keys
    if node.level == 0 {
      expected.formSymmetricDifference([node.firstKey.rawValue + UInt64(index * 64) + bit])
    }
    if read != expected {
      let isUnlinked = node.level > 0 && word == 0
      try #require(!survey.findings.findings.isEmpty || isUnlinked)
      try #require(survey.findings.hidesEntries || survey.findings.worst == .note || isUnlinked)
    }
    if bit % 8 == 0 { _ = survey.sweep(in: bench.memory, deviceTree: nil, covering: []) }
  }

  static let geometries: [RadixGeometry] =
    [4, 5, 6, 9, 12, 14, 16].map { RadixGeometry(PageGeometry(shift: $0)) } + [
      .version2(.pages16KiB)
    ]

  @Test("memory full of garbage", arguments: geometries)
  func garbage(_ geometry: RadixGeometry) throws {
    let shift = geometry.page.shift
    let pageCount = shift <= 9 ? 200 : 8
    var reached = (nodeCount: 0, entryCount: 0 as UInt64)
    try withEvery("seed", in: 1...(shift <= 9 ? 60 : 6) as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      let claims = generator.pick([nil, [], [PhysicalRange(start: .zero, byteCount: 1 << 40)]])
      let memory = try TreeBench.memory(geometry.page, nodeCount: pageCount, claiming: claims)
      Self.fill(memory, shift: shift, using: &generator)
      let frameCount = memory.byteCount >> UInt64(shift)
      for _ in 0..<4 {
        let number = UInt64(generator.index(below: Int(frameCount)))
        let root = PhysicalAddress(TreeBench.start + number << UInt64(shift))
        var survey = PreservedPagesSurvey(
          RadixTreeReader(memory, geometry: geometry, root: root))
        try #require(survey.nodes.count <= Int(frameCount))
        try #require(Set(survey.nodes).count == survey.nodes.count)
        reached.nodeCount += survey.nodes.count
        reached.entryCount += survey.entryCount
        var entryCount: UInt64 = 0
        var last: PhysicalBlock?
        survey.forEachRun(in: memory) { run in
          entryCount &+= run.blockCount
          if let last, run.firstBlock <= last { Issue.record("runs out of order") }
          last = run.firstBlock
        }
        try #require(entryCount == survey.entryCount)
        let everywhere = PhysicalRange(start: .zero, byteCount: .max)
        _ = survey.sweep(in: memory, deviceTree: everywhere, covering: [everywhere])
        try #require(survey.findings.findings.count <= 32 * 22)
      }
    }
    // The garbage is good enough to be followed.
    #expect(reached.nodeCount > 30, "\(reached)")
    // By chance nothing gets down 55 levels.
    #expect(reached.entryCount > 0 || shift == 4, "\(reached)")
  }

  /// Pointers to pages of the memory, words that are nearly pointers, small numbers, and noise, all
  /// among zeros; less of it in large pages, where a leaf of noise is a million entries.
  private static func fill(
    _ memory: ClaimingMemory, shift: Int, using generator: inout SeededGenerator
  ) {
    let frameCount = Int(memory.byteCount >> UInt64(shift))
    let wordCount = Int(memory.byteCount / 8)
    let setCount = min(wordCount, 4000) * (1 + generator.index(below: 4)) / 4
    for _ in 0..<setCount {
      let page = TreeBench.start + UInt64(generator.index(below: frameCount)) << UInt64(shift)
      let word: UInt64
      switch generator.index(below: 16) {
      case 0: word = generator.next()
      case 1: word = page | 1 << UInt64(generator.index(below: 64))
      case 2: word = UInt64(generator.index(below: 4))
      case 3: word = .max
      case 4: word = (generator.next() >> UInt64(shift)) << UInt64(shift)
      default: word = page
      }
      memory.setWord(word, at: TreeBench.start + UInt64(generator.index(below: wordCount)) * 8)
    }
  }

  @Test("a leaf of ones only", arguments: [4, 5, 6, 9, 12])
  func leafOfOnes(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 150)
    let first = InterestingKeys.key(order: 0, block: 0, shift: shift)
    try bench.insertAll([2, first])
    for key in [2, first] {
      let leaf = bench.leaf(of: key).rawValue
      for offset in stride(from: 0 as UInt64, to: 1 << UInt64(shift), by: 8) {
        bench.memory.setWord(.max, at: leaf + offset)
      }
    }
    let leafKeyCount: UInt64 = 1 << UInt64(shift + 3)
    let survey = bench.survey
    #expect(survey.countByOrder[0] == leafKeyCount)
    // The first leaf: all blocks of the orders that fit there, and two bits that are not keys.
    #expect(survey.entryCount == leafKeyCount * 2 - 2)
    #expect(survey.findings.errorCount == 2)
    var orderZeroRuns: [BlockRun] = []
    survey.forEachRun(in: bench.memory) { if $0.order == .zero { orderZeroRuns.append($0) } }
    #expect(orderZeroRuns.map(\.blockCount).reduce(0, +) == leafKeyCount)
    #expect(survey.preservedByteCount == .max)
  }
}
