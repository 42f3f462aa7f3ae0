import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import KHOCommands

/// Cells and segments against counting page by page.
@Suite(.namesCombination) struct MapModelTests {
  @Test func randomCells() throws {
    try withEvery("seed", in: 0..<200 as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      let start = UInt64(generator.index(below: 5000))
      let length = 1 + UInt64(generator.index(below: 4000))
      let shown = PhysicalRange(start: PhysicalAddress(start), byteCount: length)
      var grid = MapGrid(
        shown, cellLimit: 2 + generator.index(below: 300), geometry: PageGeometry(shift: 4))
      if generator.isOne(in: 2) { grid = grid.halved() }
      try #require(grid.start <= start && grid.last >= start + length - 1)
      var counts: [UInt64: [Int: UInt64]] = [:]
      for _ in 0..<20 {
        let order = generator.index(below: 5)
        let range = PhysicalRange(
          start: PhysicalAddress(UInt64(generator.index(below: 9000))),
          byteCount: UInt64(generator.index(below: 900)))
        grid.add(range, order: PageOrder(order))
        for byte in range.start.rawValue..<range.start.rawValue + range.byteCount
        where byte >= grid.start && byte <= grid.last {
          counts[byte >> UInt64(grid.log2CellByteCount), default: [:]][order, default: 0] += 1
        }
      }
      if generator.isOne(in: 2) {
        grid = grid.halved()
        var merged: [UInt64: [Int: UInt64]] = [:]
        for (cell, orders) in counts {
          merged[cell / 2, default: [:]].merge(orders) { $0 + $1 }
        }
        counts = merged
      }
      for index in grid.cells.indices {
        let cell = grid.cells[index]
        let number = grid.address(of: index) >> UInt64(grid.log2CellByteCount)
        let expected = counts[number] ?? [:]
        try #require(cell.preservedByteCount == expected.values.reduce(0, +))
        for (order, byteCount) in cell.byteCountByOrder.enumerated() {
          try #require(byteCount == expected[order] ?? 0)
        }
        try #require(cell.mainOrder.flatMap { expected[$0] } == expected.values.max())
        try #require(cell.isEmpty == expected.isEmpty)
      }
    }
  }

  /// Rows leave out only what holds nothing, and are no more than were asked for.
  @Test func rowsWithoutAnything() {
    var grid = MapGrid(
      PhysicalRange(start: .zero, byteCount: 16 * 100), cellLimit: 200,
      geometry: PageGeometry(shift: 4))
    grid.add(PhysicalRange(start: PhysicalAddress(16 * 45), byteCount: 1), order: .zero)
    #expect(grid.rows(of: 10) == [0..<10, nil, 40..<50, nil, 90..<100])
    #expect(grid.rows(of: 100) == [0..<100])
    #expect(grid.rows(of: 64) == [0..<64, 64..<100])
  }

  /// Entries at both ends of the address space, and everything in between.
  @Test func theWholeAddressSpace() {
    let all = PhysicalRange(start: .zero, byteCount: .max)
    var grid = MapGrid(all, cellLimit: 64, geometry: .pages4KiB)
    #expect(grid.cells.count == 64 && grid.last == .max)
    grid.add(all, order: PageOrder(51))
    grid.add(PhysicalRange(start: PhysicalAddress(0 &- 4096), byteCount: 4096), order: .zero)
    #expect(grid.cells.allSatisfy { $0.mainOrder == 51 })
    #expect(grid.cells[63].byteCountByOrder[0] == 4096)
    #expect(grid.halved().cells.count == 32 && grid.halved().last == .max)
  }

  @Test func randomSegments() throws {
    try withEvery("seed", in: 0..<300 as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      let limit = 2 + generator.index(below: 60)
      var segments = MapSegments(limit: limit)
      var position: UInt64 = 0
      var used: Set<UInt64> = []
      var exact: [UInt64: [Int]] = [:]
      for _ in 0..<generator.index(below: 300) {
        position += UInt64(generator.isOne(in: 3) ? 0 : generator.index(below: 40))
        let count = 1 + UInt64(generator.index(below: 6))
        let (order, owner) = (generator.index(below: 3), generator.index(below: 2) - 1)
        segments.add(firstPage: position, pageCount: count, order: order, owner: owner)
        for page in position..<position + count {
          used.insert(page)
          exact[page] = [order, owner]
        }
        position += count
      }
      try #require(segments.segments.count <= limit)
      let sum = segments.segments.reduce(0) { $0 + $1.usedPageCount }
      try #require(sum == used.count)
      var end: UInt64 = 0
      for segment in segments.segments {
        try #require(segment.firstPage >= end && segment.usedPageCount <= segment.pageCount)
        end = segment.firstPage + segment.pageCount
        let pages = used.filter { $0 >= segment.firstPage && $0 < end }
        try #require(UInt64(pages.count) == segment.usedPageCount)
        if segments.log2MergedPageCount == 0 {
          for page in pages { try #require(exact[page] == [segment.order, segment.owner]) }
        }
      }
      // The packed numbers are the same again.
      let numbers = segments.numbers.split(separator: ",").compactMap { Int64($0) }
      let unpacked = MapPageJSON.unpack(numbers)
      try #require(unpacked.map(\.first) == segments.segments.map(\.firstPage))
      try #require(unpacked.map(\.used) == segments.segments.map(\.usedPageCount))
      try #require(unpacked.map(\.owner) == segments.segments.map(\.owner))
    }
  }

  /// A page that has room for few says that it merged.
  @Test func pagesOfHugeImagesAreBounded() throws {
    let image = try HandoverImage.open(FilePath(Fixture(name: "linux-7.3-kho-v4").path))
    let subject = try MapSubject(
      image.firstReadable, of: image, range: nil, scratch: [])
    let whole = MapHTML(subject)
    let merged = MapHTML(subject, segmentLimit: 8)
    #expect(!whole.isMerged && merged.isMerged)
    let html = String(decoding: merged.bytes, as: UTF8.self)
    #expect(html.contains("are drawn as one"))
    let data = try MapPageJSON(html: html)
    #expect(MapPageJSON.unpack(data.segments).count <= 8)
    let used = MapPageJSON.unpack(data.segments).reduce(0) { $0 + $1.used }
    #expect(used * 4096 == subject.pages.preservedByteCount)
  }
}
