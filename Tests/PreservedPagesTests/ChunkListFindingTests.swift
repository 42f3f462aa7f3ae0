import HandoverTestSupport
import MemoryAccess
import PreservedPages
import Testing

/// What can be wrong with a chunk list.
@Suite(.namesCombination)
struct ChunkListFindingTests {
  private static let span: UInt64 = 32_768 << 12

  private static func element(_ chunk: UInt64, _ index: Int) -> PointerPlace {
    .chunkElement(chunk: PhysicalAddress(chunk), index: index)
  }

  private static func link(_ chunk: UInt64) -> PointerPlace {
    .chunkLink(chunk: PhysicalAddress(chunk))
  }

  @Test("chunks in a circle, of one and of three")
  func cycles() throws {
    var list = try ChunkListBuilder()
    let last = list.chunk(order: 0, [(0, list.bitmap([3]))])
    let middle = list.chunk(order: 1, next: last, [(0, list.bitmap([4]))])
    let head = list.chunk(order: 2, next: middle, [(0, list.bitmap([5]))])
    for back in [head, middle, last] {
      list.link(last, to: back)
      let survey = list.survey(head, .page)
      #expect(
        survey.findings.findings == [.cycle(in: Self.link(last), pointer: PhysicalAddress(back))])
      #expect(survey.entryCount == 3)
      #expect(survey.nodeCountByLevel == [3, 3])
    }
  }

  @Test("links that lead nowhere")
  func badLinks() throws {
    let absent = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    var list = try ChunkListBuilder(claiming: [absent])
    let head = list.chunk(order: 0, [(0, list.bitmap([3]))])
    let cases: [(UInt64, (PointerPlace, PhysicalAddress) -> PreservedPagesFinding)] = [
      (head + 8, { .pointerUnaligned(in: $0, pointer: $1) }),
      (1 << 50, { .pointerOutsideMemory(in: $0, pointer: $1) }),
      (0 &- 4096, { .pointerOutsideMemory(in: $0, pointer: $1) }),
      (1 << 40, { .nodeNotStored(in: $0, pointer: $1) }),
    ]
    for (pointer, finding) in cases {
      let address = PhysicalAddress(pointer)
      #expect(list.survey(pointer).findings.findings == [finding(.start, address)])
      list.link(head, to: pointer)
      let survey = list.survey(head, .page)
      #expect(survey.findings.findings == [finding(Self.link(head), address)])
      #expect(survey.entryCount == 1)
    }
  }

  @Test("a count that does not fit, an order that no block has, and an empty chunk")
  func badFields() throws {
    var list = try ChunkListBuilder()
    let sound = list.chunk(order: 0, [(0, list.bitmap([3]))])
    let bitmap = list.bitmap([1])
    for count in [256, 0xffff_ffff] as [UInt32] {
      let chunk = list.chunk(order: 0, next: sound, count: count, [(Self.span, bitmap)])
      let survey = list.survey(chunk, .page)
      #expect(
        survey.findings.findings == [
          .chunkCountTooLarge(chunk: PhysicalAddress(chunk), count: count, capacity: 255)
        ])
      #expect(survey.entryCount == 1, "the chunks behind are read")
    }
    // 255 elements do fit; those not written are null.
    let full = list.chunk(order: 0, count: 255, [(Self.span, bitmap)])
    #expect(list.survey(full, .page).findings.errorCount == 254)
    #expect(list.survey(full, .page).entryCount == 1)
    for order in [52, 63, 64, 0xffff_ffff] as [UInt32] {
      let chunk = list.chunk(order: order, next: sound, [(0, bitmap)])
      let survey = list.survey(chunk, .page)
      #expect(
        survey.findings.findings
          == [.chunkOrderImpossible(chunk: PhysicalAddress(chunk), order: order)])
      #expect(survey.findings.hidesEntries)
      #expect(survey.entryCount == 1)
    }
    let empty = list.chunk(order: 0, next: sound, [])
    #expect(
      list.survey(empty, .page).findings.findings == [.chunkEmpty(chunk: PhysicalAddress(empty))])
    #expect(list.survey(empty, .page).findings.worst == .note)
  }

  @Test("bitmaps that are null, nowhere, empty, unaligned, or used twice")
  func badBitmaps() throws {
    let absent = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    var list = try ChunkListBuilder(claiming: [absent])
    let good = list.bitmap([3])
    let empty = list.bitmap([])
    let head = list.chunk(
      order: 0,
      [
        (0, good), (Self.span, 0), (2 * Self.span, 1 << 50), (3 * Self.span, 0 &- 4096),
        (4 * Self.span, good + 8), (5 * Self.span, 1 << 40), (6 * Self.span, empty),
        (7 * Self.span, good),
      ])
    func outside(_ index: Int, _ pointer: UInt64) -> PreservedPagesFinding {
      .pointerOutsideMemory(in: Self.element(head, index), pointer: PhysicalAddress(pointer))
    }
    let survey = list.survey(head, .page)
    #expect(
      survey.findings.findings == [
        outside(1, 0), outside(2, 1 << 50), outside(3, 0 &- 4096),
        .pointerUnaligned(in: Self.element(head, 4), pointer: PhysicalAddress(good + 8)),
        .nodeNotStored(in: Self.element(head, 5), pointer: PhysicalAddress(1 << 40)),
        .nodeReachedTwice(in: Self.element(head, 7), pointer: PhysicalAddress(good)),
        .bitmapEmpty(bitmap: PhysicalAddress(empty)),
      ])
    #expect(survey.blocks(in: list.memory) == list.blocks(0, from: 0, [3]))
    #expect(survey.nodeCountByLevel == [2, 1])
  }

  @Test("a stretch named twice, and one that is not aligned to its length")
  func badStarts() throws {
    var list = try ChunkListBuilder()
    let bitmaps = (0..<4).map { list.bitmap([$0]) }
    let tail = list.chunk(order: 0, [(Self.span, bitmaps[3])])
    let head = list.chunk(
      order: 0, next: tail,
      [(Self.span, bitmaps[0]), (Self.span, bitmaps[1]), (Self.span + 4096, bitmaps[2])])
    let survey = list.survey(head, .page)
    let start = PhysicalAddress(Self.span)
    #expect(
      survey.findings.findings == [
        .bitmapRepeated(in: Self.element(head, 1), start: start, order: .zero),
        .bitmapStartUnaligned(
          in: Self.element(head, 2), start: PhysicalAddress(Self.span + 4096), order: .zero),
        .bitmapRepeated(in: Self.element(tail, 0), start: start, order: .zero),
      ])
    #expect(survey.findings.hidesEntries)
    #expect(survey.blocks(in: list.memory) == list.blocks(0, from: Self.span, [0]))
    // The same stretch of another order is another stretch.
    let other = list.chunk(order: 1, next: 0, [(2 * Self.span, bitmaps[1])])
    let both = list.chunk(order: 0, next: other, [(2 * Self.span, bitmaps[0])])
    #expect(list.survey(both, .page).findings.findings.isEmpty)
    #expect(list.survey(both, .page).entryCount == 2)
    // Of the largest orders a bitmap reaches over all memory, so it can start at 0 alone.
    let high = list.chunk(order: 51, [(1 << 63, bitmaps[0])])
    #expect(
      list.survey(high, .page).findings.findings == [
        .bitmapStartUnaligned(
          in: Self.element(high, 0), start: PhysicalAddress(1 << 63), order: PageOrder(51))
      ])
  }

  @Test("the place of a pointer has an address")
  func places() {
    let chunk = PhysicalAddress(0x5000)
    #expect(PointerPlace.start.address == nil)
    #expect(PointerPlace.chunkLink(chunk: chunk).address == chunk)
    #expect(PointerPlace.chunkElement(chunk: chunk, index: 0).address?.rawValue == 0x5018)
    #expect(PointerPlace.chunkElement(chunk: chunk, index: 3).address?.rawValue == 0x5048)
    let slot = RadixSlot(table: chunk, level: 2, index: 5)
    #expect(PointerPlace.slot(slot).address?.rawValue == 0x5028)
  }

  @Test("garbage as a chunk list", arguments: [4, 6, 9, 12, 14])
  func garbage(shift: Int) throws {
    try withEvery("seed", in: 1...(shift <= 9 ? 40 : 10) as ClosedRange<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      let claims: [PhysicalRange]? = generator.isOne(in: 2) ? nil : []
      let pageCount = shift <= 9 ? 120 : 12
      let memory = try TreeBench.memory(
        PageGeometry(shift: shift), nodeCount: pageCount, claiming: claims)
      Self.fill(memory, shift: shift, using: &generator)
      let frameCount = Int(memory.byteCount >> UInt64(shift))
      for size in [ChunkBitmapSize.deduced, .page, .bytes512] {
        let number = UInt64(generator.index(below: frameCount))
        let first = PhysicalAddress(TreeBench.start + number << UInt64(shift))
        var survey = PreservedPagesSurvey(
          chunkListAt: first, in: memory, geometry: PageGeometry(shift: shift), bitmapSize: size)
        try #require(survey.nodeCountByLevel[1] <= UInt64(frameCount))
        var entryCount: UInt64 = 0
        survey.forEachRun(in: memory) { entryCount += $0.blockCount }
        try #require(entryCount == survey.entryCount)
        let everywhere = PhysicalRange(start: .zero, byteCount: .max)
        _ = survey.sweep(in: memory, deviceTree: everywhere, covering: [everywhere])
      }
    }
  }

  /// Words that often pass for links, orders and counts, and for aligned starts and bitmaps.
  private static func fill(
    _ memory: ClaimingMemory, shift: Int, using generator: inout SeededGenerator
  ) {
    let frameCount = Int(memory.byteCount >> UInt64(shift))
    let pageWords = 1 << (shift - 3)
    for frame in 0..<frameCount {
      let page = TreeBench.start + UInt64(frame) << UInt64(shift)
      for word in 0..<min(pageWords, 40) where !generator.isOne(in: 6) {
        let target = TreeBench.start + UInt64(generator.index(below: frameCount)) << UInt64(shift)
        let value: UInt64 =
          switch (word, generator.index(below: 8)) {
          case (_, 0): generator.next()
          case (1, _):
            UInt64(generator.index(below: 20)) << 32 | UInt64(generator.index(below: 70))
          case (0, _): target
          default:
            word % 2 == 0 ? UInt64(generator.index(below: 8)) << UInt64(2 * shift + 3) : target
          }
        memory.setWord(value, at: page + UInt64(word) * 8)
      }
    }
  }
}
