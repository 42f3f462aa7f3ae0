public import MemoryAccess
package import Platform
public import SystemPackage

/// Writes an ELF core file of chosen parts of a memory.
///
/// What exists and is not stored is described as well: as a segment, or the tail of one, that holds
/// fewer bytes in the file than in memory (p_filesz < p_memsz). So a reader of the file can distinguish
/// memory that was left out from addresses without memory.
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

  /// The size of the file in bytes, holes included.
  public var fileByteCount: UInt64 {
    let layout = CoreFileLayout(segments: segments, machine: machine, vmcoreInfo: vmcoreInfo)
    return layout.contentOffset &+ storedByteCount
  }

  /// Writes the file, for its owner alone (mode 0600). It appears at `path` when it is complete; a
  /// device or a FIFO there is written into.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - memory: holds the bytes of all stored memory.
  ///   - replacing: whether a regular file of that name is replaced.
  ///   - progress: called now and then with the bytes of memory that are written.
  /// - Throws: ``CoreFileError``; no unfinished file is left then.
  /// - Complexity: O(stored bytes + segments); 1 MiB of memory is held at a time.
  public func write<Memory: PhysicalMemory>(
    to path: FilePath, replacing: Bool, from memory: Memory,
    progress: (_ byteCount: UInt64) -> Void = { _ in }
  ) throws(CoreFileError) {
    var file: OutputFile
    do throws(OutputFileError) {
      file = try OutputFile(
        at: path.string, OutputRules(replacing: replacing, isSecret: true))
    } catch {
      throw CoreFileError(error)
    }
    try write(to: &file, from: memory, progress: progress)
    do throws(OutputFileError) { try file.finish() } catch { throw CoreFileError(error) }
  }

  /// Writes the file to an output that the caller has opened, behind what it holds, and finishes.
  ///
  /// - Throws: ``CoreFileError``.
  package func write<Memory: PhysicalMemory>(
    to file: inout OutputFile, from memory: Memory, progress: (_ byteCount: UInt64) -> Void
  ) throws(CoreFileError) {
    let segments = self.segments
    guard segments.count <= Self.largestSegmentCount else {
      throw .tooManySegments(segments.count)
    }
    let layout = CoreFileLayout(segments: segments, machine: machine, vmcoreInfo: vmcoreInfo)
    var place: UInt64 = 0
    try layout.forEachPiece { bytes throws(CoreFileError) in
      do throws(OutputFileError) { try file.write(bytes) } catch { throw CoreFileError(error) }
      place &+= UInt64(bytes.count)
    }
    do throws(OutputFileError) {
      try file.writeZeros(layout.contentOffset &- place)
    } catch {
      throw CoreFileError(error)
    }
    var written: UInt64 = 0
    for range in stored.ranges {
      var next = range.start
      var left = range.byteCount
      while left > 0 {
        let piece = PhysicalRange(start: next, byteCount: min(left, Self.pieceByteCount))
        guard let bytes = memory.withBytes(in: piece, { $0.copiedBytes() }) else {
          throw .cannotRead(piece)
        }
        do throws(OutputFileError) {
          try file.writeSparsely(bytes)
        } catch {
          throw CoreFileError(error)
        }
        memory.finishedReading(piece)
        written &+= piece.byteCount
        left &-= piece.byteCount
        next = PhysicalAddress(next.rawValue &+ piece.byteCount)
        progress(written)
      }
    }
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

extension OutputFile {
  /// Adds bytes, with holes for pieces of zeros.
  fileprivate mutating func writeSparsely(_ bytes: [UInt8]) throws(OutputFileError) {
    let holeByteCount = 4096
    let span = bytes.span
    var index = 0
    while index < bytes.count {
      let start = index
      var isZero = true
      // A run of pieces of one kind.
      repeat {
        let end = min(index &+ holeByteCount, bytes.count)
        let isPieceZero = bytes[index..<end].allSatisfy { $0 == 0 }
        if index == start { isZero = isPieceZero } else if isPieceZero != isZero { break }
        index = end
      } while index < bytes.count
      if isZero {
        try writeZeros(UInt64(index &- start))
      } else {
        // SAFETY: every bit pattern of a byte is a value.
        try unsafe write(span.extracting(start..<index).bytes)
      }
    }
  }
}
