package import Handover
package import MemoryAccess
package import MemoryImages

/// Reads an image piece by piece, and gives back the memory behind what was read.
///
/// Not behind each piece: the folios of a file may be single pages in any order, and then a system
/// call for each costs as much as to read it, while what is mapped around one serves the next.
package struct PieceReader {
  private let memory: MemoryImage
  /// The first and last byte of the pieces that are to be given back, and how long they are together.
  private var spent: (first: UInt64, last: UInt64, byteCount: UInt64)?

  /// How many bytes are handed over at a time, at most.
  private static let pieceByteCount: UInt64 = 1 << 20
  /// How many bytes are read before they are given back: where they lie close together, and else.
  private static let closeLimit: UInt64 = 32 << 20
  private static let scatteredLimit: UInt64 = 1 << 30

  package init(_ memory: MemoryImage) { self.memory = memory }

  /// Calls `body` with the bytes of `range`, piece by piece, until it says no.
  ///
  /// - Returns: whether `body` took all of them.
  /// - Throws: ``RecordError/unreadable(_:)`` where bytes are not stored in the image.
  package mutating func forEachPiece(
    of range: PhysicalRange, _ body: (RawSpan) -> Bool
  ) throws(RecordError) -> Bool {
    var offset: UInt64 = 0
    while offset < range.byteCount {
      let piece = PhysicalRange(
        start: range.start.advanced(byBytes: offset),
        byteCount: min(range.byteCount - offset, Self.pieceByteCount))
      guard let goesOn = memory.withBytes(in: piece, body) else { throw .unreadable(piece) }
      finishedReading(piece)
      guard goesOn else { return false }
      offset += piece.byteCount
    }
    return true
  }

  /// Gives back what lies between the first and the last byte of many pieces: what others read there
  /// comes from the file again.
  private mutating func finishedReading(_ piece: PhysicalRange) {
    guard let last = piece.last?.rawValue else { return }
    let start = piece.start.rawValue
    let before = spent ?? (start, last, 0)
    let all = (
      first: min(before.first, start), last: max(before.last, last),
      byteCount: before.byteCount + piece.byteCount
    )
    // All 2^64 bytes are no range; the last of them may stay.
    let byteCount = min(all.last - all.first, .max - 1) + 1
    let isClose = byteCount / 2 <= all.byteCount
    guard all.byteCount >= (isClose ? Self.closeLimit : Self.scatteredLimit) else {
      spent = all
      return
    }
    spent = nil
    memory.finishedReading(
      PhysicalRange(start: PhysicalAddress(all.first), byteCount: byteCount))
  }
}
