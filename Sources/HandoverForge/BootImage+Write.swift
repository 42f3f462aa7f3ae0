public import MemoryAccess

extension BootImage {
  private static let headerByteCount = 52
  private static let programHeaderByteCount = 32
  private static let pageByteCount: UInt64 = 4096
  private static let pieceByteCount: UInt64 = 1 << 20

  /// The size of the file in bytes.
  public var fileByteCount: UInt64 {
    let last = offsets.last ?? 0
    return last + (segments.last?.range.byteCount ?? 0)
  }

  /// Calls `body` with each piece of the file and its place in it, in order. What is not given is a
  /// hole, which reads as zeros.
  ///
  /// - Parameters:
  ///   - memory: the memory of the handover.
  ///   - body: called with each piece and its place in the file, in bytes.
  /// - Returns: memory of the handover that cannot be read, where the file ended; nil of a whole file.
  /// - Throws: what `body` throws.
  public func write<Failure: Error>(
    from memory: some PhysicalMemory, to body: (RawSpan, UInt64) throws(Failure) -> Void
  ) throws(Failure) -> PhysicalRange? {
    let header = self.header
    // SAFETY: bytes, of which each is a value.
    try unsafe body(header.span.bytes, 0)
    for (segment, offset) in zip(segments, offsets) {
      if let bytes = segment.bytes {
        // SAFETY: as above.
        try unsafe body(bytes.span.bytes, offset)
        continue
      }
      var done: UInt64 = 0
      while done < segment.range.byteCount {
        let piece = PhysicalRange(
          start: segment.range.start.advanced(byBytes: done),
          byteCount: min(Self.pieceByteCount, segment.range.byteCount - done))
        let isRead: Void? = try memory.withBytes(in: piece) { (bytes) throws(Failure) in
          try body(bytes, offset + done)
        }
        guard isRead != nil else { return piece }
        done += piece.byteCount
      }
    }
    return nil
  }

  /// Where in the file the bytes of each segment begin.
  private var offsets: [UInt64] {
    var next = UInt64(
      Self.headerByteCount + Self.programHeaderByteCount * (segments.count + 1) + 20)
    return segments.map { segment in
      next = (next + Self.pageByteCount - 1) / Self.pageByteCount * Self.pageByteCount
      defer { next += segment.range.byteCount }
      return next
    }
  }

  /// The ELF header, the program headers, and the note with the entry.
  private var header: [UInt8] {
    let count = segments.count + 1
    let noteOffset = UInt64(Self.headerByteCount + Self.programHeaderByteCount * count)
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
    bytes.append(2, 2)  // ET_EXEC
    bytes.append(3, 2)  // EM_386
    bytes.append(1, 4)
    bytes.append(entry.rawValue, 4)
    bytes.append(UInt64(Self.headerByteCount), 4)
    bytes.append(0, 8)  // no section headers, no flags
    bytes.append(UInt64(Self.headerByteCount), 2)
    bytes.append(UInt64(Self.programHeaderByteCount), 2)
    bytes.append(UInt64(count), 2)
    bytes.append(40, 2)
    bytes.append(0, 4)
    for (segment, offset) in zip(segments, offsets) {
      bytes.append(1, 4)  // PT_LOAD
      bytes.append(offset, 4)
      for _ in 0..<2 { bytes.append(segment.range.start.rawValue, 4) }
      for _ in 0..<2 { bytes.append(segment.range.byteCount, 4) }
      bytes.append(7, 4)
      bytes.append(Self.pageByteCount, 4)
    }
    bytes.append(4, 4)  // PT_NOTE
    bytes.append(noteOffset, 4)
    for _ in 0..<2 { bytes.append(entry.rawValue, 4) }
    for _ in 0..<2 { bytes.append(20, 4) }
    bytes.append(4, 4)
    bytes.append(4, 4)
    // XEN_ELFNOTE_PHYS32_ENTRY
    bytes.append(4, 4)
    bytes.append(4, 4)
    bytes.append(18, 4)
    bytes += [0x58, 0x65, 0x6e, 0]
    bytes.append(entry.rawValue, 4)
    return bytes
  }
}
