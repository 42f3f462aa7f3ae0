import Testing

@testable import MemoryImages

@Suite struct FinishedPiecesTests {
  private static let page: UInt64 = 4096

  @Test func pagesSideBySideCountOnce() {
    var pieces = FinishedPieces()
    let pageCount = FinishedPieces.byteLimit / Self.page
    for page in 0..<pageCount - 16 {
      #expect(pieces.add(page * Self.page..<(page + 1) * Self.page) == nil)
    }
    // The first page of the last 64 KiB makes them full.
    let page = pageCount - 16
    #expect(pieces.add(page * Self.page..<(page + 1) * Self.page) == 0..<(page + 1) * Self.page)
  }

  @Test func scatteredPagesCountAsAFaultEach() {
    var pieces = FinishedPieces()
    let count = FinishedPieces.byteLimit / FinishedPieces.faultByteCount
    for index in 0..<count - 1 {
      let start = (count - index) << 30
      #expect(pieces.add(start..<start + Self.page) == nil)
    }
    #expect(pieces.add(1 << 30..<1 << 30 + Self.page) == 1 << 30..<count << 30 + Self.page)
    #expect(pieces.add(0..<Self.page) == nil, "it starts again")
  }

  @Test func piecesAtTheEndOfAllFiles() {
    var pieces = FinishedPieces()
    let last: Range<UInt64> = .max - 1 ..< .max
    #expect(pieces.add(last) == nil)
    #expect(pieces.add(0 ..< .max) == 0 ..< .max)
  }

  @Test func largePieceGoesAtOnce() {
    var pieces = FinishedPieces()
    #expect(pieces.add(3..<FinishedPieces.byteLimit * 2) == 3..<FinishedPieces.byteLimit * 2)
  }
}
