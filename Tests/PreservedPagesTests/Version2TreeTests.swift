import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// `kho-v2` trees of 16 KiB pages, in which keys of order 0 are without their mark.
@Suite
struct Version2TreeTests {
  private static let geometry = RadixGeometry.version2(.pages16KiB)

  private static func bench(
    _ keys: [UInt64], claiming: [PhysicalRange]?
  ) throws -> TreeBench {
    var bench = try TreeBench(geometry, nodeCount: 30, claiming: claiming)
    try bench.insertAll(keys)
    return bench
  }

  private static func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
  }

  @Test("keys without mark are order 0 where memory says so")
  func orderZero() throws {
    let pages: [UInt64] = [2, 3, 0x1_ffff, 0x2_0000, 0x2_0001, 0x40_0000]
    let memory = [Self.range(0, 1 << 40)]
    var bench = try Self.bench(pages, claiming: memory)
    let survey = bench.survey
    #expect(survey.findings.findings == [.orderZeroMarkDropped])
    #expect(survey.findings.worst == .warning)
    #expect(!survey.findings.hidesEntries)
    #expect(survey.countByOrder[0] == UInt64(pages.count))
    #expect(survey.entryCount == UInt64(pages.count))
    #expect(
      survey.blocks(in: bench.memory)
        == pages.map { PhysicalBlock(address: PhysicalAddress($0 << 14), order: .zero) })
    // Pages 0 and 1 are the numbers 0 and 1 there, and as good as any.
    let leaf = bench.leaf(of: 2)
    bench.memory.setWord(0b1111, at: leaf.rawValue)
    #expect(bench.survey.countByOrder[0] == UInt64(pages.count + 2))
    #expect(bench.survey.findings.findings == [.orderZeroMarkDropped])
    bench.adoptAgain()
  }

  @Test("marked keys of other orders keep their meaning")
  func otherOrders() throws {
    let blocks = [(1, 3), (2, 9), (9, 1), (9, 5)].map { (order, number) in
      PhysicalBlock(
        address: PhysicalAddress(UInt64(number) << UInt64(14 + order)), order: PageOrder(order))
    }
    let page = PageGeometry.pages16KiB
    let bench = try Self.bench(
      blocks.map { RadixKey($0, in: page).rawValue } + [77], claiming: [Self.range(0, 1 << 40)])
    #expect(bench.survey.findings.findings == [.orderZeroMarkDropped])
    let orderZero = PhysicalBlock(address: PhysicalAddress(77 << 14), order: .zero)
    #expect(bench.survey.blocks(in: bench.memory) == (blocks + [orderZero]).sorted())
    var survey = bench.survey
    #expect(
      survey.sweep(
        in: bench.memory, deviceTree: nil,
        covering: [Self.range(3 << 15, 1 << 15), Self.range(78 << 14, 1)]) == [true, false])
  }

  @Test("a key that is two blocks, both in memory, is neither")
  func ambiguous() throws {
    // Without a mark: page 2^30 + 5. With bit 30 as the mark: order 20, block 5.
    let key: UInt64 = 1 << 30 | 5
    let unmarked = Self.range(key << 14, 1 << 14)
    let marked = Self.range(5 << 34, 1 << 34)

    let both = try Self.bench([key], claiming: [unmarked, marked])
    let leaf = both.leaf(of: key)
    #expect(
      both.survey.findings.findings
        == [.orderZeroMarkDropped, .keyAmbiguous(leaf: leaf, key: RadixKey(rawValue: key))])
    #expect(both.survey.findings.hidesEntries)
    #expect(both.survey.entryCount == 0)
    let everything = try Self.bench([key], claiming: nil)
    #expect(everything.survey.findings.hidesEntries)

    let small = try Self.bench([key], claiming: [unmarked])
    #expect(
      small.survey.blocks(in: small.memory)
        == [PhysicalBlock(address: unmarked.start, order: .zero)])
    let large = try Self.bench([key], claiming: [marked])
    #expect(
      large.survey.blocks(in: large.memory)
        == [PhysicalBlock(address: marked.start, order: PageOrder(20))])
    for bench in [small.survey, large.survey] {
      #expect(bench.findings.findings == [.orderZeroMarkDropped])
    }
  }

  @Test("other page sizes have the tree of later versions")
  func otherPageSizes() throws {
    for page in [PageGeometry.pages4KiB, .pages64KiB] {
      var bench = try TreeBench(RadixGeometry.version2(page), nodeCount: 20)
      let key = InterestingKeys.key(order: 0, block: 7, shift: page.shift)
      try bench.insert(key)
      try bench.check(against: [key])
      try bench.checkSurvey(against: [key])
      #expect(bench.survey.findings.findings.isEmpty)
    }
  }
}
