package import MemoryAccess
package import MemoryImages
package import Platform
import SystemPackage

extension BootImage {
  /// Writes the image to a file, and finishes the file.
  ///
  /// - Returns: memory that cannot be read; nil where all of it was written.
  package func write(
    from memory: some PhysicalMemory, to output: consuming OutputFile
  ) throws(OutputFileError) -> PhysicalRange? {
    var file = output
    var end: UInt64 = 0
    let missing = try write(from: memory) { (bytes, offset) throws(OutputFileError) in
      let offset = UInt64(offset)
      precondition(offset >= end, "bytes of a boot image out of order")
      try file.writeZeros(offset - end)
      try file.write(bytes)
      end = offset + UInt64(bytes.byteCount)
    }
    if missing == nil {
      try file.writeZeros(UInt64(fileByteCount) - end)
      try file.finish()
    }
    return missing
  }
}

extension MemoryMap {
  /// Writes the memory of the map, from its first byte to its last, and finishes the file; what the map does
  /// not have is a hole.
  ///
  /// - Returns: memory that cannot be read, or where the file belongs in memory.
  package func write(
    from memory: some PhysicalMemory, to output: consuming OutputFile
  ) throws(OutputFileError) -> (missing: PhysicalRange?, load: PhysicalRange?) {
    guard let first = ranges.first, let last = ranges.last?.last else {
      throw .cannotWrite(.invalidArgument)
    }
    let whole = PhysicalRange(
      start: first.start, byteCount: last.rawValue - first.start.rawValue + 1)
    var file = output
    var end = first.start.rawValue
    for range in ranges {
      var done: UInt64 = 0
      try file.writeZeros(range.start.rawValue - end)
      end = range.start.rawValue + range.byteCount
      while done < range.byteCount {
        let piece = PhysicalRange(
          start: range.start.advanced(byBytes: done),
          byteCount: min(1 << 20, range.byteCount - done))
        let isRead: Void? = try memory.withBytes(in: piece) { (bytes) throws(OutputFileError) in
          if bytes.isAllZeros {
            try file.writeZeros(piece.byteCount)
          } else {
            try file.write(bytes)
          }
        }
        guard isRead != nil else { return (piece, nil) }
        done += piece.byteCount
      }
    }
    try file.finish()
    return (nil, whole)
  }
}

extension RawSpan {
  fileprivate var isAllZeros: Bool {
    // SAFETY: the buffer is read within the call.
    unsafe withUnsafeBytes { bytes in unsafe bytes.allSatisfy { $0 == 0 } }
  }
}
