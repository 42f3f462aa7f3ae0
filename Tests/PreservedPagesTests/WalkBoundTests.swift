import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Whatever the bytes are, a walk ends.
@Suite(.namesCombination)
struct WalkBoundTests {
  /// Goes into every node, however often it was there.
  private struct Stubborn: RadixTreeVisitor {
    var enteredCount: UInt64 = 0
    var leafCount: UInt64 = 0
    var findings: [PreservedPagesFinding] = []

    mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
      enteredCount += 1
      return true
    }
    mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) { leafCount += 1 }
    mutating func report(_ finding: PreservedPagesFinding) { findings.append(finding) }
  }

  /// Goes nowhere.
  private struct Timid: RadixTreeVisitor {
    var entered: [PhysicalAddress] = []
    mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
      entered.append(node.address)
      return false
    }
    mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) { Issue.record("not asked for") }
    mutating func report(_ finding: PreservedPagesFinding) { Issue.record("\(finding)") }
  }

  @Test("pages that multiply are cut off where memory ends", arguments: [4, 5, 6, 12])
  func multiplyingPages(shift: Int) throws {
    let geometry = RadixGeometry(PageGeometry(shift: shift))
    let pageByteCount: UInt64 = 1 << UInt64(shift)
    let memory = try TreeBench.memory(geometry.page, nodeCount: 100)
    // One page for each level, every slot of which points to the next: 2^53 paths and more.
    for level in 1...geometry.rootLevel {
      let table = TreeBench.start + UInt64(level) * pageByteCount
      for slot in 0..<UInt64(geometry.slotCount) {
        memory.setWord(table - pageByteCount, at: table + slot * 8)
      }
    }
    memory.setWord(4, at: TreeBench.start)
    let root = TreeBench.start + UInt64(geometry.rootLevel) * pageByteCount
    let reader = RadixTreeReader(memory, geometry: geometry, root: PhysicalAddress(root))

    let limit = memory.byteCount >> UInt64(shift)
    var stubborn = Stubborn()
    reader.walk(&stubborn)
    #expect(stubborn.findings == [.moreNodesThanMemory(nodeCount: limit + 1)])
    #expect(stubborn.enteredCount == limit)

    // A survey goes into each page once, and says where it came to one again.
    let survey = PreservedPagesSurvey(reader)
    #expect(survey.nodes.count == geometry.levelCount)
    #expect(survey.nodeCountByLevel == [UInt64](repeating: 1, count: geometry.levelCount))
    #expect(survey.findings.worst == .error)
  }

  @Test("a visitor that declines sees the root alone")
  func declining() throws {
    var bench = try TreeBench(shift: 6, nodeCount: 100)
    try bench.insertAll([2, InterestingKeys.key(order: 0, block: 5, shift: 6)])
    var timid = Timid()
    bench.tree.reader.walk(&timid)
    #expect(timid.entered == [bench.tree.root])
    var stubborn = Stubborn()
    bench.tree.reader.walk(&stubborn)
    #expect(stubborn.enteredCount == UInt64(bench.reference.nodes.count))
    #expect(stubborn.leafCount == 2)
    #expect(stubborn.findings.isEmpty)
  }
}
