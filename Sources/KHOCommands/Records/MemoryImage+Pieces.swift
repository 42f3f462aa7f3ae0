internal import KexecHandover

extension MemoryImage {
  /// How many bytes are handed over at a time, at most.
  private static var pieceByteCount: UInt64 { 1 << 20 }

  /// Calls `body` with the bytes of `range`, piece by piece, until it says no.
  ///
  /// - Returns: whether `body` took all of them.
  /// - Throws: ``RecordError/unreadable(_:)`` where bytes are not stored in the image.
  func forEachPiece(
    of range: PhysicalRange, _ body: (RawSpan) -> Bool
  ) throws(RecordError) -> Bool {
    var offset: UInt64 = 0
    while offset < range.byteCount {
      let piece = PhysicalRange(
        start: range.start.advanced(byBytes: offset),
        byteCount: min(range.byteCount - offset, Self.pieceByteCount))
      guard let goesOn = withBytes(in: piece, body) else { throw .unreadable(piece) }
      finishedReading(piece)
      guard goesOn else { return false }
      offset += piece.byteCount
    }
    return true
  }
}
