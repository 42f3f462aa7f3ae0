internal import MemoryAccess

/// Where the pieces of a flattened dump belong.
///
/// makedumpfile and QEMU write a dump through a pipe as pieces that say where they go; a later one
/// overwrites an earlier one. All numbers are big-endian.
///
/// ```
///  4 KiB header: "makedumpfile", type 1, version 1
///  offset │ size │ bytes │ offset │ size │ bytes │ … │ -1 │ -1
/// ```
///
/// Pieces that continue each other are kept as one run, of which only the first is remembered: to find
/// a byte, at most ``largestRun`` headers are passed.
///
/// Source: makedumpfile.h, `makedumpfile_header` and `makedumpfile_data_header`.
struct FlattenedLayout: Sendable {
  static let headerByteCount: UInt64 = 4096
  static let pieceHeaderByteCount: UInt64 = 16
  /// The most pieces of a run.
  static let largestRun = 64
  /// The most runs that are kept: 32 bytes each.
  static let limit = 4 << 20

  /// Bytes of the dump that the pieces from `fileOffset` on hold.
  struct Run {
    /// The first byte of the dump that the run contains, and the first behind the run.
    var start: UInt64
    var end: UInt64
    /// Where in the dump the first piece goes; less than `start` where others overwrite it.
    var origin: UInt64
    /// Where in the file the bytes of the first piece are.
    var fileOffset: UInt64
  }

  /// Sorted, without overlap.
  let runs: [Run]
  /// Whether the file ends before its end mark.
  let isCut: Bool

  /// The size of the dump.
  var byteCount: UInt64 { runs.last?.end ?? 0 }

  init(of file: MappedFile) throws(KdumpError) {
    let header = file.copiedBytes(at: 0, count: 32)
    guard let type = header.bigEndian64(at: 16), let version = header.bigEndian64(at: 24) else {
      throw .headerTruncated(fileByteCount: file.byteCount)
    }
    guard type == 1, version == 1 else {
      throw .flattenedVersionUnsupported(type: type, version: version)
    }
    let (runs, isCut) = try Self.runs(of: file)
    self.runs = Self.withoutOverlap(runs)
    self.isCut = isCut
  }

  /// The runs, in the order of the file, and whether it ends before its end mark; a piece that is not
  /// whole is left as far as it goes.
  private static func runs(
    of file: MappedFile
  ) throws(KdumpError) -> (runs: [Run], isCut: Bool) {
    var runs: [Run] = []
    var pieceCount = 0
    var next = headerByteCount
    while let piece = Piece(in: file, at: next), let offset = piece.offset {
      guard var end = piece.end, let fileEnd = piece.fileEnd, piece.byteCount > 0 else {
        throw .flattenedPieceWrong(fileOffset: next)
      }
      // At least the header of the piece is in the file.
      let lack = fileEnd > file.byteCount ? fileEnd &- file.byteCount : 0
      end &-= lack
      guard end > offset else { return (runs, true) }
      if let last = runs.last, last.end == offset, pieceCount < largestRun {
        runs[runs.count &- 1].end = end
        pieceCount &+= 1
      } else {
        guard runs.count < limit else { throw .flattenedTooScattered(limit: limit) }
        runs.append(
          Run(start: offset, end: end, origin: offset, fileOffset: piece.fileOffset))
        pieceCount = 1
      }
      guard lack == 0 else { return (runs, true) }
      next = fileEnd
    }
    return (runs, Piece(in: file, at: next) == nil)
  }

  /// The run that holds the byte at `offset`, or the next one.
  private func runIndex(atOrAfter offset: UInt64) -> Int {
    runs.partitioningIndex { $0.end > offset }
  }

  /// Where in the file the byte at `offset` is, and how many bytes of the dump follow it there; nil
  /// in a gap.
  func place(
    of offset: UInt64, in file: MappedFile
  ) -> (fileOffset: UInt64, byteCount: UInt64)? {
    let index = runIndex(atOrAfter: offset)
    guard index < runs.count, runs[index].start <= offset else { return nil }
    let run = runs[index]
    var header = run.fileOffset &- Self.pieceHeaderByteCount
    for _ in 0..<Self.largestRun {
      guard let piece = Piece(in: file, at: header), let start = piece.offset,
        let end = piece.end, let fileEnd = piece.fileEnd, start <= offset
      else { return nil }
      if offset < end {
        return (piece.fileOffset &+ (offset &- start), min(end, run.end) &- offset)
      }
      header = fileEnd
    }
    return nil
  }

  /// A copy of `count` bytes from `offset` on; bytes that no piece contains are 0.
  func copiedBytes(at offset: UInt64, count: UInt64, in file: MappedFile) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(count))
    var next = offset
    let end = offset &+ count
    while next < end {
      if let place = place(of: next, in: file), place.byteCount > 0 {
        let taken = min(place.byteCount, end &- next)
        bytes += file.copiedBytes(at: place.fileOffset, count: taken)
        next &+= taken
      } else {
        let index = runIndex(atOrAfter: next)
        let gapEnd = index < runs.count ? max(runs[index].start, next &+ 1) : end
        let taken = min(gapEnd, end) &- next
        bytes += repeatElement(0, count: Int(taken))
        next &+= taken
      }
    }
    return bytes
  }

  /// The first bytes at or after `offset` that a run contains.
  func storedBytes(atOrAfter offset: UInt64) -> Range<UInt64>? {
    let index = runIndex(atOrAfter: offset)
    guard index < runs.count else { return nil }
    return max(offset, runs[index].start)..<runs[index].end
  }
}

/// The header of a piece, and what follows from it.
private struct Piece {
  /// Where in the dump the bytes go; nil of the end mark.
  let offset: UInt64?
  let byteCount: UInt64
  /// Where in the file they are.
  let fileOffset: UInt64

  /// The header at `start`; nil where the file ends before.
  init?(in file: MappedFile, at start: UInt64) {
    let read = file.withBytes(at: start, count: FlattenedLayout.pieceHeaderByteCount) { bytes in
      (bytes.word(atByte: 0) ?? 0, bytes.word(atByte: 8) ?? 0)
    }
    guard let (offset, byteCount) = read else { return nil }
    let isEnd = offset == .max
    self.offset = isEnd ? nil : UInt64(bigEndian: offset)
    self.byteCount = UInt64(bigEndian: byteCount)
    fileOffset = start &+ FlattenedLayout.pieceHeaderByteCount
  }

  /// Behind the last byte in the dump; nil past 2^63, where no file goes.
  var end: UInt64? {
    guard let offset, offset <= 1 << 62, byteCount <= 1 << 62 else { return nil }
    return offset &+ byteCount
  }

  /// Behind the last byte in the file.
  var fileEnd: UInt64? { byteCount <= 1 << 62 ? fileOffset &+ byteCount : nil }
}

extension [UInt8] {
  fileprivate func bigEndian64(at offset: Int) -> Int64? {
    littleEndian64(at: offset).map { Int64(bitPattern: $0.byteSwapped) }
  }
}
