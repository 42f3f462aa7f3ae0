public import MemoryAccess
internal import Platform
public import SystemPackage

/// Writes an ELF core file of chosen parts of a memory.
///
/// What exists and is not stored is described as well: as a segment, or the tail of one, that holds
/// fewer bytes in the file than in memory (p_filesz < p_memsz). So whoever reads the file can tell
/// memory that was left out from addresses where there is none.
///
/// ```
///  header │ program headers │ VMCOREINFO │ bytes of each segment, page by page
/// ```
///
/// The same memory gives the same bytes. Pages of zeros become holes of the file.
public struct CoreFileWriter {
  /// The memory that exists.
  public let existing: MemoryMap
  /// The memory whose bytes are stored; all of it exists.
  public let stored: MemoryMap
  /// The machine; nil where it is not known, which gives EM_NONE.
  public var machine: ELFMachine?
  /// The content of the VMCOREINFO note; nil for none.
  public var vmcoreInfo: [UInt8]?

  /// The most segments: the number is 32 bits long, and one may be a note.
  static let largestSegmentCount = Int(UInt32.max) - 1
  /// How much memory is read at once.
  static let pieceByteCount: UInt64 = 1 << 20

  /// A writer for the parts of `existing` memory that `stored` names.
  public init(existing: MemoryMap, stored: MemoryMap) {
    self.existing = existing
    self.stored = stored.intersection(existing)
  }

  /// The number of bytes of memory that the file holds.
  public var storedByteCount: UInt64 { stored.byteCount }

  /// Writes the file: under another name first, so that nobody ever finds a part of it at `path`.
  ///
  /// - Parameters:
  ///   - memory: holds the bytes of all stored memory.
  ///   - replacing: whether a file of that name is replaced.
  ///   - progress: called now and then with the bytes of memory that are written.
  /// - Throws: ``CoreFileError``; no file is left then.
  /// - Complexity: O(stored bytes + segments); 1 MiB of memory is held at a time.
  public func write<Memory: PhysicalMemory>(
    to path: FilePath, replacing: Bool, from memory: Memory,
    progress: (_ byteCount: UInt64) -> Void = { _ in }
  ) throws(CoreFileError) {
    let segments = self.segments
    guard segments.count <= Self.largestSegmentCount else {
      throw .tooManySegments(segments.count)
    }
    if !replacing, SystemCalls.exists(path) { throw .exists }
    let file = try TemporaryOutput(for: path)
    do throws(CoreFileError) {
      try write(segments, from: memory, to: file, progress)
      try file.finish(as: path, replacing: replacing)
    } catch {
      file.discard()
      throw error
    }
  }

  private func write<Memory: PhysicalMemory>(
    _ segments: [CoreSegment], from memory: Memory, to file: TemporaryOutput,
    _ progress: (_ byteCount: UInt64) -> Void
  ) throws(CoreFileError) {
    let layout = CoreFileLayout(segments: segments, machine: machine, vmcoreInfo: vmcoreInfo)
    var place: UInt64 = 0
    try layout.forEachPiece { bytes throws(CoreFileError) in
      try file.write(bytes, at: place)
      place &+= UInt64(bytes.count)
    }
    place = layout.contentOffset
    var written: UInt64 = 0
    for range in stored.ranges {
      var next = range.start
      var left = range.byteCount
      while left > 0 {
        let piece = PhysicalRange(start: next, byteCount: min(left, Self.pieceByteCount))
        guard let bytes = memory.withBytes(in: piece, { $0.copiedBytes() }) else {
          throw .cannotRead(piece)
        }
        try file.writeSparsely(bytes, at: place)
        memory.finishedReading(piece)
        place &+= piece.byteCount
        written &+= piece.byteCount
        left &-= piece.byteCount
        next = PhysicalAddress(next.rawValue &+ piece.byteCount)
        progress(written)
      }
    }
    try file.setByteCount(place)
  }

  /// The segments: each stored run with the memory behind it that is left out, and memory left out
  /// that follows no stored run.
  var segments: [CoreSegment] {
    var segments: [CoreSegment] = []
    var parts = stored.ranges[...]
    for range in existing.ranges {
      guard let last = range.last else { continue }
      var start = range.start
      var isDone = false
      while !isDone {
        // What is stored from here on, and where the next stored part begins.
        var storedByteCount: UInt64 = 0
        if let part = parts.first, part.start == start {
          storedByteCount = part.byteCount
          parts.removeFirst()
        }
        var end = last
        if let next = parts.first, next.start <= last {
          end = PhysicalAddress(next.start.rawValue &- 1)
        } else {
          isDone = true
        }
        segments.append(
          CoreSegment(
            start: start, storedByteCount: storedByteCount,
            byteCount: end.rawValue &- start.rawValue &+ 1))
        start = PhysicalAddress(end.rawValue &+ 1)
      }
    }
    return segments
  }
}

/// A PT_LOAD to be written.
struct CoreSegment {
  let start: PhysicalAddress
  let storedByteCount: UInt64
  let byteCount: UInt64
}
