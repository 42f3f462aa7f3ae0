import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// Chunk lists of `kho-v1`: what is read, and how the size of the bitmaps is found out.
@Suite(.namesCombination)
struct ChunkListTests {
  private static let assumedPage = PreservedPagesFinding.bitmapSizeAssumed(byteCount: 4096)

  @Test("page-sized bitmaps in several chunks, of several orders")
  func pageSizedBitmaps() throws {
    var list = try ChunkListBuilder()
    let span: UInt64 = 32_768 << 12
    let bits = [0, 1, 63, 64, 4095, 4096, 32_766, 32_767]
    let first = list.bitmap(bits)
    let second = list.bitmap([0, 5])
    let third = list.bitmap([7])
    let tail = list.chunk(order: 9, [(0, third)])
    let head = list.chunk(order: 0, next: tail, [(span * 3, first), (span * 4, second)])

    let survey = list.survey(head)
    #expect(survey.findings.findings == [Self.assumedPage])
    #expect(survey.findings.worst == .note)
    #expect(survey.countByOrder[0] == 10)
    #expect(survey.countByOrder[9] == 1)
    #expect(survey.nodeCountByLevel == [3, 2])
    #expect(survey.metadataByteCount == 5 * 4096)
    #expect(survey.nodes.map(\.rawValue) == [first, second, third, head, tail].sorted())
    let blocks =
      list.blocks(0, from: span * 3, bits) + list.blocks(0, from: span * 4, [0, 5])
      + list.blocks(9, from: 0, [7])
    #expect(survey.blocks(in: list.memory) == blocks.sorted())
    // A run goes on from one bitmap to the next.
    var runs: [BlockRun] = []
    survey.forEachRun(in: list.memory) { runs.append($0) }
    #expect(runs == Naive.runs(blocks.sorted(), shift: 12))
    #expect(runs.contains { $0.blockCount == 3 && $0.order == .zero })
  }

  @Test("no list preserves nothing")
  func nullList() throws {
    let list = try ChunkListBuilder()
    let survey = list.survey(0)
    #expect(survey.entryCount == 0)
    #expect(survey.nodes.isEmpty)
    #expect(survey.findings.findings.isEmpty)
    #expect(survey.nodeCountByLevel == [0, 0])
  }

  @Test("512-byte bitmaps show by the address of a bitmap")
  func smallByBitmap() throws {
    var list = try ChunkListBuilder()
    let page = list.page()
    list.set([0, 4095], at: page)
    list.set([8], at: page + 512)
    let span: UInt64 = 4096 << 12
    let head = list.chunk(order: 0, [(0, page), (span * 8, page + 512)])
    let survey = list.survey(head)
    #expect(survey.findings.findings.isEmpty)
    #expect(
      survey.blocks(in: list.memory)
        == list.blocks(0, from: 0, [0, 4095]) + list.blocks(0, from: span * 8, [8]))
    #expect(survey.metadataByteCount == 2 * 512 + 4096)
  }

  @Test("512-byte bitmaps show by the address of a first block", arguments: [0, 1, 9] as [UInt32])
  func smallByStart(order: UInt32) throws {
    var list = try ChunkListBuilder()
    let span: UInt64 = 4096 << (12 + UInt64(order))
    let head = list.chunk(
      order: order, [(span * 8, list.bitmap([0])), (span * 3, list.bitmap([1]))])
    let survey = list.survey(head)
    #expect(survey.findings.findings.isEmpty)
    #expect(
      survey.blocks(in: list.memory)
        == list.blocks(Int(order), from: span * 3, [1])
        + list.blocks(Int(order), from: span * 8, [0]))
  }

  @Test("where nothing shows, a page is assumed, and the caller may say otherwise")
  func assumedAndChosen() throws {
    var list = try ChunkListBuilder()
    let bitmap = list.bitmap([0, 4096])
    let head = list.chunk(order: 0, [(0, bitmap)])
    #expect(list.survey(head).findings.findings == [Self.assumedPage])
    #expect(list.survey(head).entryCount == 2)
    #expect(list.survey(head, .page).findings.findings.isEmpty)
    #expect(list.survey(head, .page).entryCount == 2)
    let small = list.survey(head, .bytes512)
    #expect(small.findings.findings.isEmpty)
    #expect(small.blocks(in: list.memory) == list.blocks(0, from: 0, [0]))
    // A choice is not second-guessed: what does not fit it is a finding.
    let odd = list.chunk(order: 0, [(0, bitmap + 512)])
    #expect(
      list.survey(odd, .page).findings.findings == [
        .pointerUnaligned(
          in: .chunkElement(chunk: PhysicalAddress(odd), index: 0),
          pointer: PhysicalAddress(bitmap + 512))
      ])
  }

  @Test("a bitmap of the largest orders ends where the address space does")
  func topOfMemory() throws {
    var list = try ChunkListBuilder()
    let ones = list.page()
    list.set(Array(0..<64), at: ones)
    try withEvery("order", in: 46...51 as ClosedRange<UInt32>) { order in
      let head = list.chunk(order: order, [(0, ones)])
      let survey = list.survey(head, .page)
      let fitting = 1 << (52 - Int(order))
      try #require(survey.countByOrder[Int(order)] == UInt64(fitting))
      try #require(survey.findings.findings.isEmpty)
      try #require(
        survey.blocks(in: list.memory) == list.blocks(Int(order), from: 0, Array(0..<fitting)))
    }
  }

  @Test("other page sizes", arguments: [12, 14, 16])
  func pageSizes(shift: Int) throws {
    var list = try ChunkListBuilder(PageGeometry(shift: shift), pageCount: 8)
    let bits = [0, 8 << shift - 1]
    let start: UInt64 = 1 << UInt64(2 * shift + 3 + 2)
    let head = list.chunk(order: 2, [(start, list.bitmap(bits))])
    let survey = list.survey(head)
    #expect(survey.findings.findings == [.bitmapSizeAssumed(byteCount: 1 << shift)])
    #expect(survey.blocks(in: list.memory) == list.blocks(2, from: start, bits))
  }

  @Test("random lists say what they were made of")
  func randomLists() throws {
    try withEvery("seed", in: 1...30 as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      var list = try ChunkListBuilder(pageCount: 80)
      let isSmall = generator.isOne(in: 2)
      let span: UInt64 = isSmall ? 4096 : 32_768
      var blocks: [PhysicalBlock] = []
      var head: UInt64 = 0
      for order in [0, 1, 4, 9] {
        var elements: [(UInt64, UInt64)] = []
        for number in 0..<UInt64(1 + generator.index(below: 4)) {
          let start = (number * 8 + 1) * span << UInt64(12 + order)
          let bits = Set((0..<30).map { _ in generator.index(below: Int(span)) }).sorted()
          elements.append((start, list.bitmap(bits)))
          blocks += list.blocks(order, from: start, bits)
        }
        head = list.chunk(order: UInt32(order), next: head, elements)
      }
      let survey = list.survey(head, isSmall ? .bytes512 : .page)
      try #require(survey.findings.findings.isEmpty)
      try #require(survey.blocks(in: list.memory) == blocks.sorted())
      try #require(list.survey(head).entryCount == UInt64(blocks.count))
    }
  }
}
