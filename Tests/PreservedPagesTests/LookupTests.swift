import HandoverTestSupport
import KexecHandover
import Testing

/// Questions about single pages and ranges, against the list of all entries.
@Suite struct LookupTests {
  @Test(arguments: Fixture.all)
  func answersEqualTheListOfEntries(in fixture: Fixture) throws {
    let memory = try fixture.open()
    let geometry = PageGeometry.pages4KiB
    for handover in try fixture.expectations().handovers where handover.readable == true {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(handover.fdtAddress)), in: memory, geometry: geometry)
      let pages = try #require(survey.pages)
      var lookup = PreservedPagesLookup(pages, in: memory)
      var entryByPage: [UInt64: PhysicalBlock] = [:]
      pages.forEachBlock(in: memory) { block in
        for index in 0..<block.order.frameCount {
          entryByPage[block.address.rawValue >> 12 + index] = block
        }
      }
      let numbers = entryByPage.keys.sorted()
      let first = try #require(numbers.first)
      let last = try #require(numbers.last)
      for page in first - 2...last + 2 {
        let address = PhysicalAddress(page << 12 | page & 0xfff)
        let entry = entryByPage[page]
        let found = lookup.block(holding: address)
        #expect(found == entry)
        for order in 0...5 {
          let block = PhysicalBlock(address: PhysicalAddress(page << 12), order: PageOrder(order))
          let isEntry = lookup.contains(block)
          #expect(isEntry == (entry == block))
        }
      }
      // Ranges from every entry's page on, of lengths that end before, at and behind gaps.
      for page in numbers {
        for count in [1, 2, 3, 16, 31, 33, 64, 65, 128, 700] as [UInt64] {
          let gap = (page..<page + count).first { entryByPage[$0] == nil }
          let range = PhysicalRange(
            start: PhysicalAddress(page << 12 + 4095), byteCount: (count - 1) << 12 + 1)
          let found = lookup.firstGap(in: range)
          #expect(found == gap.map { PhysicalAddress($0 << 12) })
        }
      }
      // In no order at all, and where nothing is.
      var random = SeededNumbers(state: 7)
      for _ in 0..<2000 {
        let page = first + random.next() % (last - first)
        let found = lookup.block(holding: PhysicalAddress(page << 12))
        #expect(found == entryByPage[page])
      }
      for address in [0, UInt64.max, 1 << 63, (1 << 52) - 1] as [UInt64] {
        let found = lookup.block(holding: PhysicalAddress(address))
        #expect(found == nil)
      }
      let empty = PhysicalRange(start: PhysicalAddress(0), byteCount: 0)
      #expect(pages.isPreserved(empty, in: memory))
      let all = PhysicalRange(start: PhysicalAddress(first << 12), byteCount: .max - first << 12)
      #expect(!pages.isPreserved(all, in: memory))
    }
  }
}

/// The same numbers every time (xorshift64).
private struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
