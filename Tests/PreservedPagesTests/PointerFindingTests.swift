import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Every kind of bad pointer and of stray bit in a tree, made on purpose.
@Suite(.namesCombination)
struct PointerFindingTests {
  /// A tree of two leaves below one table of level 1, and one leaf far away.
  private struct Forked: ~Copyable {
    var bench: TreeBench
    let near: UInt64
    let sibling: UInt64
    let far: UInt64

    init(shift: Int, claiming: [PhysicalRange]? = []) throws {
      var bench = try TreeBench(
        RadixGeometry(PageGeometry(shift: shift)), nodeCount: 200, claiming: claiming)
      let near = InterestingKeys.key(order: 0, block: 3, shift: shift)
      let sibling = InterestingKeys.key(order: 0, block: 1 << UInt64(shift + 3) | 9, shift: shift)
      let far = InterestingKeys.key(order: 0, block: 1 << UInt64(63 - shift), shift: shift)
      try bench.insertAll([near, sibling, far])
      self.bench = bench
      (self.near, self.sibling, self.far) = (near, sibling, far)
    }

    /// The entries that are still read.
    func keysRead() -> Set<UInt64> {
      let page = bench.geometry.page
      return Set(bench.survey.blocks(in: bench.memory).map { RadixKey($0, in: page).rawValue })
    }
  }

  private static let shifts = [4, 5, 6, 12, 14, 16]

  @Test("an unaligned pointer, in every table on the way", arguments: shifts)
  func unaligned(shift: Int) throws {
    let tree = try Forked(shift: shift)
    try withEvery("level", in: 1...tree.bench.geometry.rootLevel) { level in
      let slot = tree.bench.slot(towards: tree.near, level: level)
      let sound = tree.bench.pointer(slot)
      try withEvery("bit", in: 0..<UInt64(shift)) { bit in
        let bad = PhysicalAddress(sound.rawValue | 1 << bit)
        tree.bench.setPointer(slot, bad)
        try #require(
          tree.bench.survey.findings.findings
            == [.pointerUnaligned(in: .slot(slot), pointer: bad)])
      }
      // What hangs elsewhere is still read.
      try #require(!tree.keysRead().contains(tree.near))
      if level == 1 { try #require(tree.keysRead() == [tree.sibling, tree.far]) }
      tree.bench.setPointer(slot, sound)
      try #require(tree.bench.survey.findings.findings.isEmpty)
    }
  }

  @Test("a pointer to where no memory is, and to memory that is not stored", arguments: shifts)
  func outsideMemory(shift: Int) throws {
    let absent = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    let tree = try Forked(shift: shift, claiming: [absent])
    let memoryEnd = TreeBench.start + tree.bench.memory.byteCount
    let pageByteCount: UInt64 = 1 << UInt64(shift)
    let outside = [
      memoryEnd, TreeBench.start - pageByteCount, 0 &- pageByteCount, 1 << 63,
      absent.start.rawValue - pageByteCount,
    ].map { PhysicalAddress($0) }
    try withEvery("level", in: 1...tree.bench.geometry.rootLevel) { level in
      let slot = tree.bench.slot(towards: tree.far, level: level)
      let sound = tree.bench.pointer(slot)
      try withEvery("pointer", in: outside) { pointer in
        tree.bench.setPointer(slot, pointer)
        try #require(
          tree.bench.survey.findings.findings
            == [.pointerOutsideMemory(in: .slot(slot), pointer: pointer)])
      }
      tree.bench.setPointer(slot, absent.start)
      try #require(
        tree.bench.survey.findings.findings
          == [.nodeNotStored(in: .slot(slot), pointer: absent.start)])
      tree.bench.setPointer(slot, sound)
    }
  }

  @Test("a bad root", arguments: shifts)
  func badRoot(shift: Int) throws {
    let absent = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    let tree = try Forked(shift: shift, claiming: [absent])
    func findings(_ root: UInt64) -> [PreservedPagesFinding] {
      let reader = RadixTreeReader(
        tree.bench.memory, geometry: tree.bench.geometry, root: PhysicalAddress(root))
      return PreservedPagesSurvey(reader).findings.findings
    }
    let odd = PhysicalAddress(tree.bench.tree.root.rawValue + 8)
    #expect(findings(odd.rawValue) == [.pointerUnaligned(in: .start, pointer: odd)])
    let nowhere = PhysicalAddress(1 << 50)
    #expect(findings(nowhere.rawValue) == [.pointerOutsideMemory(in: .start, pointer: nowhere)])
    #expect(
      findings(absent.start.rawValue) == [.nodeNotStored(in: .start, pointer: absent.start)])
    let empty = TreeBench.start
    #expect(
      findings(empty) == [
        .nodeEmpty(
          RadixNode(
            address: PhysicalAddress(empty), level: tree.bench.geometry.rootLevel,
            firstKey: RadixKey(rawValue: 0)))
      ])
  }

  @Test("a pointer back to the root, to itself, and to every table between", arguments: shifts)
  func cycles(shift: Int) throws {
    let tree = try Forked(shift: shift)
    try withEvery("level", in: 1...tree.bench.geometry.rootLevel) { level in
      let slot = tree.bench.slot(towards: tree.near, level: level)
      let sound = tree.bench.pointer(slot)
      try withEvery("ancestor", in: level...tree.bench.geometry.rootLevel) { ancestorLevel in
        let ancestor = tree.bench.slot(towards: tree.near, level: ancestorLevel).table
        tree.bench.setPointer(slot, ancestor)
        try #require(
          tree.bench.survey.findings.findings == [.cycle(in: .slot(slot), pointer: ancestor)])
        tree.bench.setPointer(slot, sound)
      }
    }
  }

  @Test("a node that two pointers lead to, at one level and at two", arguments: shifts)
  func reachedTwice(shift: Int) throws {
    let tree = try Forked(shift: shift)
    // At one level: the sibling's pointer points to the leaf before it.
    let siblingSlot = tree.bench.slot(towards: tree.sibling, level: 1)
    let sound = tree.bench.pointer(siblingSlot)
    let leaf = tree.bench.leaf(of: tree.near)
    tree.bench.setPointer(siblingSlot, leaf)
    #expect(
      tree.bench.survey.findings.findings
        == [.nodeReachedTwice(in: .slot(siblingSlot), pointer: leaf)])
    #expect(tree.keysRead() == [tree.near, tree.far], "read once, where it came first")
    tree.bench.setPointer(siblingSlot, sound)

    // At two levels: a pointer of each table of the far path points to the leaf.
    guard tree.bench.geometry.rootLevel > 1 else { return }
    try withEvery("level", in: 2...tree.bench.geometry.rootLevel) { level in
      let slot = tree.bench.slot(towards: tree.far, level: level)
      if slot == tree.bench.slot(towards: tree.near, level: level) { return }
      let sound = tree.bench.pointer(slot)
      tree.bench.setPointer(slot, leaf)
      try #require(
        tree.bench.survey.findings.findings
          == [.nodeReachedTwice(in: .slot(slot), pointer: leaf)])
      try #require(tree.keysRead() == [tree.near, tree.sibling])
      tree.bench.setPointer(slot, sound)
    }
  }

  @Test("a pointer in a slot behind all keys", arguments: shifts)
  func slotBeyondKeys(shift: Int) throws {
    let tree = try Forked(shift: shift)
    let geometry = tree.bench.geometry
    let keysBelowSlot: UInt64 = 1 << UInt64(shift + 3 + (geometry.rootLevel - 1) * (shift - 3))
    let used = Int((1 << UInt64(65 - shift)) / keysBelowSlot)
    #expect((used < geometry.slotCount) == (shift != 4 && shift != 5))
    for index in Set([used, geometry.slotCount - 1])
    where index >= used && index < geometry.slotCount {
      let slot = RadixSlot(table: tree.bench.tree.root, level: geometry.rootLevel, index: index)
      let pointer = tree.bench.leaf(of: tree.near)
      tree.bench.setPointer(slot, pointer)
      #expect(
        tree.bench.survey.findings.findings
          == [.slotBeyondKeys(in: .slot(slot), pointer: pointer)])
      #expect(tree.keysRead() == [tree.near, tree.sibling, tree.far])
      tree.bench.setPointer(slot, .zero)
    }
  }

  @Test("bits 0 and 1 of the first leaf", arguments: shifts)
  func numbersThatNameNoBlock(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 70)
    try bench.insert(2)
    let leaf = bench.leaf(of: 2)
    func stray(_ key: UInt64) -> PreservedPagesFinding {
      .keyNamesNoBlock(leaf: leaf, key: RadixKey(rawValue: key))
    }
    for (word, findings) in [
      (0b101, [stray(0)]), (0b110, [stray(1)]), (0b111, [stray(0), stray(1)]),
    ] {
      bench.memory.setWord(UInt64(word), at: leaf.rawValue)
      let survey = bench.survey
      #expect(survey.findings.findings == findings)
      #expect(survey.findings.hidesEntries)
      #expect(survey.entryCount == 1)
    }
    // Stray bits alone: the leaf is not called empty as well.
    bench.memory.setWord(0b11, at: leaf.rawValue)
    #expect(bench.survey.findings.findings == [stray(0), stray(1)])
    #expect(bench.survey.entryCount == 0)
  }

  @Test("empty leaves, tables and trees are legal, and noted", arguments: shifts)
  func emptyNodes(shift: Int) throws {
    var bench = try TreeBench(shift: shift, nodeCount: 200)
    func node(_ address: PhysicalAddress, _ level: Int, _ first: UInt64) -> PreservedPagesFinding {
      .nodeEmpty(RadixNode(address: address, level: level, firstKey: RadixKey(rawValue: first)))
    }
    #expect(bench.survey.findings.findings == [node(bench.tree.root, bench.geometry.rootLevel, 0)])
    let key = InterestingKeys.key(order: 1, block: 5, shift: shift)
    try bench.insert(key)
    bench.remove(key)
    let leafBits = UInt64(shift + 3)
    let firstKey = (key >> leafBits) << leafBits
    #expect(bench.survey.findings.findings == [node(bench.leaf(of: key), 0, firstKey)])
    #expect(bench.survey.findings.worst == .note)
    #expect(!bench.survey.findings.hidesEntries)
    #expect(throws: Never.self) { try bench.tree.validate() }

    try withEvery("level", in: 1..<bench.geometry.rootLevel) { level in
      let slot = bench.slot(towards: key, level: level)
      let below = bench.pointer(slot)
      bench.setPointer(slot, .zero)
      let bits = leafBits + UInt64(level * (shift - 3))
      try #require(
        bench.survey.findings.findings == [node(slot.table, level, (key >> bits) << bits)])
      bench.setPointer(slot, below)
    }
  }

  @Test("findings of a kind are kept up to a limit, and all counted")
  func limits() throws {
    var bench = try TreeBench(shift: 6, nodeCount: 400)
    let keys = (0..<40).map { InterestingKeys.key(order: 0, block: $0 << 9, shift: 6) }
    try bench.insertAll(keys)
    for key in keys { bench.setPointer(bench.slot(towards: key, level: 1), PhysicalAddress(1)) }
    let findings = bench.survey.findings
    #expect(FindingList.limitPerKind == 32)
    #expect(findings.findings.count == 32)
    #expect(findings.omittedCount == 8)
    #expect(findings.errorCount == 40)
    #expect(findings.worst == .error)
    #expect(findings.hidesEntries)
  }
}
