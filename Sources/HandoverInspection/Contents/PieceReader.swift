public import Handover
public import MemoryAccess
public import MemoryImages

/// Reads an image piece by piece, and gives back the memory behind what was read.
///
/// Not behind each piece: the folios of a file may be single pages in any order, and then a system
/// call for each costs as much as to read it, while what is mapped around one serves the next.
public struct PieceReader: Sendable {
  private let memory: MemoryImage
  /// The first and last byte of the pieces that are to be given back, and how long they are together.
  private var spent: (first: UInt64, last: UInt64, byteCount: UInt64)?

  /// How many bytes are handed over at a time, at most.
  private static let pieceByteCount: UInt64 = 1 << 20
  /// How many bytes are read before they are given back: where they are close together, and else.
  private static let closeLimit: UInt64 = 32 << 20
  private static let scatteredLimit: UInt64 = 1 << 30

  /// Whether bytes that cannot be read are taken as zeros.
  private let fillsMissing: Bool
  /// How many bytes were zeros that the dump leaves out.
  public private(set) var leftOutByteCount: UInt64 = 0
  /// How many bytes could not be read and were taken as zeros.
  public private(set) var missingByteCount: UInt64 = 0

  /// A reader of `memory` that takes bytes that cannot be read as zeros where `fillsMissing`.
  public init(_ memory: MemoryImage, fillingMissing fillsMissing: Bool = false) {
    self.memory = memory
    self.fillsMissing = fillsMissing
  }

  /// Calls `body` with the bytes of `range`, piece by piece, until it says no.
  ///
  /// - Returns: whether `body` took all of them.
  /// - Throws: `RecordError.unreadable(_:)` where bytes are not stored in the image, and are not known to
  ///   be zeros.
  public mutating func forEachPiece(
    of range: PhysicalRange, _ body: (RawSpan) -> Bool
  ) throws(RecordError) -> Bool {
    var offset: UInt64 = 0
    // Less where a piece ends at bytes that are not stored.
    var limit = Self.pieceByteCount
    while offset < range.byteCount {
      let piece = PhysicalRange(
        start: range.start.advanced(byBytes: offset),
        byteCount: min(range.byteCount - offset, limit))
      let goesOn: Bool
      if let answer = memory.withBytes(in: piece, body) {
        goesOn = answer
        offset += piece.byteCount
        limit = Self.pieceByteCount
        finishedReading(piece)
      } else if let count = zeroByteCount(at: piece) {
        goesOn = [UInt8](repeating: 0, count: Int(count)).withRawSpan(body)
        offset += count
        limit = Self.pieceByteCount
      } else if piece.byteCount > 1 {
        limit = piece.byteCount / 2
        continue
      } else {
        throw .unreadable(
          PhysicalRange(start: piece.start, byteCount: min(range.byteCount - offset, 4096)))
      }
      guard goesOn else { return false }
    }
    return true
  }

  /// How many bytes at the start of `piece` are to be zeros; nil where its first byte is not.
  private mutating func zeroByteCount(at piece: PhysicalRange) -> UInt64? {
    let leftOut = min(memory.leftOutZeros(from: piece.start), piece.byteCount)
    if leftOut > 0 {
      leftOutByteCount += leftOut
      return leftOut
    }
    let first = PhysicalRange(start: piece.start, byteCount: 1)
    guard fillsMissing, memory.withBytes(in: first, { _ in true }) == nil else { return nil }
    // Up to the end of the page: what follows may be stored again.
    let count = min(piece.byteCount, 4096 - piece.start.rawValue & 4095)
    let page = PhysicalRange(start: piece.start, byteCount: count)
    guard memory.storedRange(atOrAfter: piece.start)?.overlaps(page) ?? false else {
      missingByteCount += count
      return count
    }
    missingByteCount += 1
    return 1
  }

  /// Gives back what is between the first and the last byte of many pieces: what others read there
  /// comes from the file again.
  private mutating func finishedReading(_ piece: PhysicalRange) {
    guard let last = piece.last?.rawValue else { return }
    let start = piece.start.rawValue
    let before = spent ?? (start, last, 0)
    let all = (
      first: min(before.first, start), last: max(before.last, last),
      byteCount: before.byteCount + piece.byteCount
    )
    // All 2^64 bytes are not a range; the last of them may stay.
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
