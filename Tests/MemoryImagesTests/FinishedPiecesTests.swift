import Testing

@testable import MemoryImages

@Suite struct FinishedPiecesTests {
  private static let page: UInt64 = 4096
  private static let window = FinishedPieces.windowByteCount
  private static let limit = UInt64(FinishedPieces.windowLimit)

  private static func page(at start: UInt64) -> Range<UInt64> { start..<start + page }

  @Test func pagesOfAWindowCountOnce() {
    var pieces = FinishedPieces()
    let pageCount = (Self.limit - 1) * Self.window / Self.page
    // Twice, the second time from the end.
    for index in 0..<pageCount { #expect(pieces.add(Self.page(at: index * Self.page)) == nil) }
    for index in (0..<pageCount).reversed() {
      #expect(pieces.add(Self.page(at: index * Self.page)) == nil)
    }
    let last = Self.page(at: pageCount * Self.page)
    #expect(pieces.add(last) == 0..<last.upperBound)
  }

  @Test func scatteredPagesCountAWindowEach() {
    var pieces = FinishedPieces()
    for index in (1..<Self.limit).reversed() {
      #expect(pieces.add(Self.page(at: (index + 1) << 30)) == nil)
    }
    let span = UInt64(1 << 30)..<Self.limit << 30 + Self.page
    #expect(pieces.add(Self.page(at: 1 << 30)) == span)
    #expect(pieces.add(Self.page(at: 0)) == nil, "the count starts again")
  }

  @Test func piecesAtTheEndOfAllFiles() {
    var pieces = FinishedPieces()
    #expect(pieces.add(.max - 1 ..< .max) == nil)
    #expect(pieces.add(0 ..< .max) == 0 ..< .max)
  }

  @Test func largePieceGoesAtOnce() {
    var pieces = FinishedPieces()
    let piece = 3..<Self.limit * Self.window
    #expect(pieces.add(piece) == piece)
  }
}
