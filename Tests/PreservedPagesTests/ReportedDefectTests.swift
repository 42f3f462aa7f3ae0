import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// The defects that reviewers found in the kernel's tree, one test each.
/// Numbers 10, 12 and 13 belong to those who preserve and restore: `HandoverTests`.
@Suite(.namesCombination)
struct ReportedDefectTests {
  private struct Stop: Error, Equatable {
    let visitedCount: Int
  }

  private static let shifts = [4, 5, 6, 12, 14, 16]

  @Test("1: out of memory half-way leaves no pointer to a freed node", arguments: shifts)
  func outOfMemoryHalfWay(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    let anchor = InterestingKeys.key(order: 0, block: 0, shift: shift)
    let far = InterestingKeys.key(order: 0, block: 1 << UInt64(63 - shift), shift: shift)
    try bench.insert(anchor)
    bench.frames.takesUntilFailure = 2
    #expect(throws: RadixTreeError.outOfFrames(level: 1)) { try bench.insert(far) }
    // The next owner of the freed frames fills them; the tree must not see it.
    while let frame = bench.frames.pool.takeFrame() {
      bench.memory.withWords(at: frame, count: 2) { words in
        for index in 0..<2 { words.publish(.max, at: index) }
      }
    }
    #expect(bench.tree.contains(RadixKey(rawValue: far)) == false)
    try bench.checkWalks(against: [anchor])
    #expect(bench.survey.findings.findings.isEmpty)
  }

  @Test("2: walks go on behind empty slots", arguments: shifts)
  func emptySlots(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    let largestPage: UInt64 = (1 << UInt64(64 - shift)) - 1
    // Everything between the first and the last page is empty, from the root's slots to the bits.
    let keys = [0, 1 << UInt64(shift + 5), largestPage].map {
      InterestingKeys.key(order: 0, block: $0, shift: shift)
    }
    try bench.insertAll(keys)
    try bench.check(against: Set(keys))
    try bench.checkSurvey(against: Set(keys))
    // The same with emptied nodes in between.
    bench.remove(keys[1])
    try bench.check(against: [keys[0], keys[2]])
    #expect(bench.tree.key(after: RadixKey(rawValue: keys[0]))?.rawValue == keys[2])
  }

  @Test("3: sizes of blocks are computed in 64 bits")
  func blockSizes() throws {
    for shift in 4...20 {
      let page = PageGeometry(shift: shift)
      var size = UInt64(1) << UInt64(shift)
      for order in 0...(63 - shift) {
        #expect(page.blockByteCount(PageOrder(order)) == size)
        size &*= 2
      }
    }
    // 4 KiB pages: order 19 is the first whose size is negative in 32 bits, 20 the first that is 0.
    for order in [18, 19, 20, 21, 31, 32, 51] {
      var bench = try TreeBench(shift: 12, nodeCount: 20)
      try bench.insert(InterestingKeys.key(order: order, block: 0, shift: 12))
      if order != 51 { try bench.insert(InterestingKeys.key(order: order, block: 1, shift: 12)) }
      let blockCount: UInt64 = order == 51 ? 1 : 2
      let byteCount = blockCount << UInt64(12 + order)
      var ranges: [PhysicalRange] = []
      bench.tree.forEachRange { ranges.append($0.range(in: .pages4KiB)) }
      #expect(ranges == [PhysicalRange(start: .zero, byteCount: byteCount)])
      #expect(bench.survey.preservedByteCount == byteCount)
    }
  }

  @Test("4: depth counts the order bit; all constants of section 1")
  func depth() {
    struct Row {
      let shift, orderZeroBit, keyBits, tableBits, leafBits, levels, version2Levels: Int
    }
    let rows = [
      Row(
        shift: 12, orderZeroBit: 52, keyBits: 53, tableBits: 9, leafBits: 15, levels: 6,
        version2Levels: 6),
      Row(
        shift: 14, orderZeroBit: 50, keyBits: 51, tableBits: 11, leafBits: 17, levels: 5,
        version2Levels: 4),
      Row(
        shift: 16, orderZeroBit: 48, keyBits: 49, tableBits: 13, leafBits: 19, levels: 4,
        version2Levels: 4),
    ]
    for row in rows {
      let page = PageGeometry(shift: row.shift)
      let geometry = RadixGeometry(page)
      let version2 = RadixGeometry.version2(page)
      #expect(RadixKey(.zero, order: .zero, in: page).rawValue == 1 << UInt64(row.orderZeroBit))
      #expect(geometry.keyEnd == 1 << UInt64(row.keyBits))
      #expect(geometry.tableBitCount == row.tableBits)
      #expect(geometry.slotCount == 1 << row.tableBits)
      #expect(geometry.leafBitCount == row.leafBits)
      #expect(geometry.leafKeyCount == 1 << UInt64(row.leafBits))
      #expect(geometry.levelCount == row.levels)
      #expect(geometry.rootLevel == row.levels - 1)
      #expect(!geometry.dropsOrderZeroBit)
      #expect(version2.levelCount == row.version2Levels)
      #expect(version2.dropsOrderZeroBit == (row.shift == 14))
      #expect((version2 == geometry) == (row.shift != 14))
    }
    for shift in 4...20 {
      let geometry = RadixGeometry(PageGeometry(shift: shift))
      let version2 = RadixGeometry.version2(PageGeometry(shift: shift))
      #expect(geometry.levelCount == ReferenceTree.levelCount(shift: shift))
      #expect(
        version2.levelCount == ReferenceTree.levelCount(shift: shift, countsOrderBit: false))
      #expect(geometry.levelCount <= RadixGeometry.largestLevelCount)
    }
  }

  @Test("5: a key wider than the tree is refused, and removing it does nothing")
  func keyOutsideTree() throws {
    let geometry = RadixGeometry.version2(.pages16KiB)
    var bench = try TreeBench(geometry, nodeCount: 40)
    let orderZero = RadixKey(PhysicalAddress(5 << 14), order: .zero, in: .pages16KiB)
    try bench.insert(InterestingKeys.key(order: 1, block: 2, shift: 14))
    // What the lost bit would turn the key into is in the tree and must stay.
    let aliased = orderZero.rawValue & (1 << 50 - 1)
    try bench.insert(aliased)
    let before = bench.frames.takeCount
    #expect(!geometry.holds(orderZero))
    #expect(throws: RadixTreeError.keyOutsideTree(orderZero)) {
      try bench.insert(orderZero.rawValue)
    }
    #expect(bench.remove(orderZero.rawValue) == false)
    #expect(bench.tree.contains(orderZero) == false)
    #expect(bench.tree.contains(RadixKey(rawValue: aliased)) == true)
    #expect(bench.frames.takeCount == before)
    #expect(bench.tree.firstKey(atOrAfter: orderZero.rawValue) == nil)
  }

  @Test("5: no geometry takes a number that is not a key", arguments: shifts)
  func numbersThatAreNoKeys(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 200)
    let end: UInt64 = 1 << UInt64(65 - shift)
    let numbers = [0, 1, end, end + 1, end | end >> 1, 1 << 63, .max]
    try withEvery("numbers before", in: [[], [2], [end - 1]] as [[UInt64]]) { present in
      try bench.insertAll(present)
      try withEvery("number", in: numbers) { number in
        let key = RadixKey(rawValue: number)
        #expect(throws: RadixTreeError.keyOutsideTree(key)) { try bench.insert(number) }
        try #require(bench.remove(number) == false)
        try #require(bench.tree.contains(key) == false)
        if number >= end { try #require(bench.tree.firstKey(atOrAfter: number) == nil) }
      }
    }
    try bench.check(against: [2, end - 1])
  }

  @Test("6: a null root preserves nothing", arguments: shifts)
  func nullRoot(shift: Int) throws {
    let geometry = RadixGeometry(PageGeometry(shift: shift))
    let memory = try TreeBench.memory(geometry.page, nodeCount: 2)
    var survey = PreservedPagesSurvey(RadixTreeReader(memory, geometry: geometry, root: .zero))
    #expect(survey.entryCount == 0)
    #expect(survey.nodes.isEmpty)
    #expect(survey.findings.findings.isEmpty)
    survey.forEachRun(in: memory) { Issue.record("a run of nothing: \($0)") }
    let page = PhysicalRange(start: .zero, byteCount: 1)
    #expect(survey.sweep(in: memory, deviceTree: nil, covering: [page]) == [false])
  }

  @Test("7: removing what was never there, with and without its leaf", arguments: shifts)
  func removingNothing(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    let present = InterestingKeys.key(order: 0, block: 6, shift: shift)
    let withLeaf = InterestingKeys.key(order: 0, block: 7, shift: shift)
    let withoutLeaf = InterestingKeys.key(order: 0, block: 1 << UInt64(shift + 4), shift: shift)
    let withoutPath = InterestingKeys.key(order: 20, block: 0, shift: shift)
    for key in [present, withLeaf, withoutLeaf, withoutPath] {
      #expect(bench.remove(key) == false, "empty tree")
    }
    try bench.insert(present)
    let taken = bench.frames.takeCount
    for key in [withLeaf, withoutLeaf, withoutPath] { #expect(bench.remove(key) == false) }
    // Again with the leaf of `present` not at hand.
    bench.adoptAgain()
    for key in [withoutPath, withLeaf, withoutLeaf] { #expect(bench.remove(key) == false) }
    #expect(bench.frames.takeCount == taken)
    try bench.check(against: [present])
  }

  @Test("8: a callback that stops ends the walk with its value", arguments: shifts)
  func stoppingWalks(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 300)
    // Two runs in a leaf, and one in another.
    try bench.insertAll(
      [0, 1, 2, 60, 61, 62, 63, 64, 1 << UInt64(shift + 3)].map {
        InterestingKeys.key(order: 1, block: $0, shift: shift)
      })
    let tree = bench.tree.reader.root
    let nodeCount = bench.reference.nodes.count
    bench.adoptAgain()
    #expect(bench.tree.root == tree)
    try withEvery("stop at", in: 1...9) { limit in
      let stop = try stopped { body throws(Stop) in
        try bench.tree.forEachKey { _ throws(Stop) in try body(limit) }
      }
      try #require(stop == Stop(visitedCount: limit))
    }
    try withEvery("stop at", in: 1...3) { limit in
      let stop = try stopped { body throws(Stop) in
        try bench.tree.forEachRange { _ throws(Stop) in try body(limit) }
      }
      try #require(stop == Stop(visitedCount: limit))
      let survey = bench.survey
      let surveyStop = try stopped { body throws(Stop) in
        try survey.forEachRun(in: bench.memory) { _ throws(Stop) in try body(limit) }
      }
      try #require(surveyStop == Stop(visitedCount: limit))
    }
    try withEvery("stop at", in: 1...nodeCount) { limit in
      let stop = try stopped { body throws(Stop) in
        try bench.tree.forEachNode { _ throws(Stop) in try body(limit) }
      }
      try #require(stop == Stop(visitedCount: limit))
    }
  }

  /// What `walk` throws when its body stops at a chosen visit, and counts on if it is called
  /// again.
  private func stopped(
    _ walk: ((Int) throws(Stop) -> Void) throws(Stop) -> Void
  ) throws -> Stop {
    var visitedCount = 0
    var stop: Stop?
    func body(_ limit: Int) throws(Stop) {
      visitedCount += 1
      if visitedCount >= limit { throw Stop(visitedCount: visitedCount) }
    }
    do throws(Stop) { try walk(body) } catch { stop = error }
    let thrown = try #require(stop, "the walk swallowed the error")
    try #require(visitedCount == thrown.visitedCount, "visits after the stop")
    return thrown
  }

  @Test("9: encode and decode at every order and at the largest address", arguments: 4...20)
  func everyOrder(shift: Int) throws {
    let page = PageGeometry(shift: shift)
    let geometry = RadixGeometry(page)
    try withEvery("order", in: 0...(63 - shift)) { rawOrder in
      let order = PageOrder(rawOrder)
      let blockShift = UInt64(shift + rawOrder)
      let largest: UInt64 = (.max >> blockShift) << blockShift
      let middle: UInt64 = (0x0123_4567_89ab_cdef >> blockShift) << blockShift
      for address in [0, 1 << blockShift, middle, largest &- (1 << blockShift), largest] {
        let block = PhysicalBlock(address: PhysicalAddress(address), order: order)
        let key = RadixKey(block, in: page)
        try #require(key == RadixKey(block.address, order: order, in: page))
        try #require(
          key.rawValue
            == InterestingKeys.key(order: rawOrder, block: address >> blockShift, shift: shift))
        try #require(key.order(in: page) == order)
        try #require(key.decoded(in: page) == block)
        try #require(geometry.holds(key))
        try #require(ReferenceTree.block(of: key.rawValue, shift: shift) == block)
        try #require(block.isNaturallyAligned(in: page))
        if address != 0 {
          let inside = PhysicalBlock(
            address: PhysicalAddress(address | 1 << (blockShift - 1)), order: order)
          try #require(!inside.isNaturallyAligned(in: page))
        }
      }
    }
    for number in [0, 1, 1 << UInt64(65 - shift), .max] as [UInt64] {
      #expect(RadixKey(rawValue: number).order(in: page) == nil)
      #expect(RadixKey(rawValue: number).decoded(in: page) == nil)
    }
  }

  @Test("11: page 0 is a block like any other, of every order", arguments: shifts)
  func pageZero(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 64 * 56)
    let page = bench.geometry.page
    // Leaves of large pages are costly to look at: a few orders do.
    let orders = shift > 6 ? [0, 1, 10, 63 - shift] : Array(0...(63 - shift))
    var keys: Set<UInt64> = []
    for order in orders {
      let key = RadixKey(.zero, order: PageOrder(order), in: page)
      #expect(key.rawValue == 1 << UInt64(64 - shift - order))
      try bench.insert(key.rawValue)
      keys.insert(key.rawValue)
    }
    try bench.check(against: keys)
    try bench.checkSurvey(against: keys)
    for key in keys { #expect(bench.remove(key) == true) }
    try bench.check(against: [])
  }

  @Test("14: the nodes reported are exactly the frames taken", arguments: shifts)
  func nodesAreFramesTaken(shift: Int) throws {
    // A pool that holds nothing else: whatever is not reported as a node can be taken.
    var bench = try TreeBench(shift: shift, nodeCount: shift > 12 ? 60 : 400)
    var generator = SeededGenerator(seed: UInt64(shift))
    for _ in 0..<(shift > 12 ? 4 : 6) {
      try bench.insert(InterestingKeys.random(shift: shift, using: &generator))
    }
    var nodes: Set<PhysicalAddress> = []
    bench.tree.forEachNode { #expect(nodes.insert($0.address).inserted) }
    #expect(Set(bench.survey.nodes) == nodes)
    var free: Set<PhysicalAddress> = []
    while let frame = bench.frames.takeFrame() { free.insert(frame) }
    #expect(free.isDisjoint(with: nodes))
    #expect(UInt64(free.count + nodes.count) == bench.frames.pool.frames.frameCount)
  }
}
