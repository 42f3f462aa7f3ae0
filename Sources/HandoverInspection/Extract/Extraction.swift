public import Handover
public import MemoryAccess
public import MemoryImages
public import PreservedPages

/// What is extracted: bytes of memory, and zeros between them.
@nonexhaustive
public enum Extraction: Sendable {
  /// Bytes that are in one piece.
  case range(PhysicalRange)
  /// A file of a session.
  case memfd(MemfdRecord, PreservedPagesSurvey)

  /// The number of bytes.
  public var byteCount: UInt64 {
    switch self {
    case .range(let range): range.byteCount
    case .memfd(let record, _): record.byteSize
    }
  }

  /// How many of the bytes are stored in memory; the others are zeros.
  ///
  /// Reads the whole list of a file's folios, so that what is wrong with it is known before anything
  /// is written.
  public func storedByteCount(in memory: MemoryImage) throws(RecordError) -> UInt64 {
    guard case .memfd(let record, let pages) = self else { return byteCount }
    var extents = MemfdExtents(of: record, pages, in: memory)
    var sum: UInt64 = 0
    while let extent = try extents.next() {
      if case .stored(let range) = extent { sum += range.byteCount }
    }
    return sum
  }

  /// Calls `bytes` and `zeros` with everything, in order, until one says no; `reader` counts what is zeros
  /// because it is not stored.
  public func forEachPiece(
    in memory: MemoryImage, _ reader: inout PieceReader, bytes: (RawSpan) -> Bool,
    zeros: (UInt64) -> Bool
  ) throws(RecordError) {
    switch self {
    case .range(let range): _ = try reader.forEachPiece(of: range, bytes)
    case .memfd(let record, let pages):
      var extents = MemfdExtents(of: record, pages, in: memory)
      while let extent = try extents.next() {
        let goesOn =
          switch extent {
          case .stored(let range): try reader.forEachPiece(of: range, bytes)
          case .zeros(let byteCount): zeros(byteCount)
          }
        guard goesOn else { return }
      }
    }
  }
}
