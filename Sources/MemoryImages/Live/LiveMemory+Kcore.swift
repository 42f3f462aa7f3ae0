internal import MemoryAccess
internal import SystemPackage

extension LiveMemory {
  /// Reads the segments of `/proc/kcore`.
  ///
  /// It describes the kernel's virtual memory. What has a physical address is the machine's memory,
  /// and the kernel's text once more, which is left out: it is the same memory.
  init(kcore path: FilePath) throws(LiveMemoryError.KcoreReason) {
    let file: PositionedFile
    do throws(Errno) {
      file = try PositionedFile(opening: path)
    } catch {
      throw error == .noSuchFileOrDirectory ? .missing : .refused(error)
    }
    guard let header = try? ELFHeader(of: file) else { throw .malformed }
    let tableByteCount = UInt64(header.programHeaderCount) &* ELFHeader.programHeaderByteCount
    guard tableByteCount <= Self.largestTableByteCount else { throw .malformed }
    let table = file.copiedBytes(at: header.programHeaderOffset, count: tableByteCount)
    guard UInt64(table.count) == tableByteCount else { throw .malformed }

    var segments: [ELFCoreImage.Segment] = []
    var notes = ELFNoteReader()
    table.withRawSpan { bytes in
      let stride = Int(ELFHeader.programHeaderByteCount)
      for index in 0..<Int(header.programHeaderCount) {
        guard let entry = ELFProgramHeader(bytes, atByte: index &* stride) else { continue }
        if entry.type == ELFProgramHeader.note { notes.read(entry, of: file) }
        guard entry.type == ELFProgramHeader.load,
          let segment = try? ELFCoreImage.Segment(index: index, entry, in: file)
        else { continue }
        segments.append(segment)
      }
    }
    guard !segments.isEmpty else { throw .withoutPhysicalAddresses }
    self.init(
      .kcore, file, segments.withoutRepetition(), machine: header.machine,
      vmcoreInfo: notes.vmcoreInfo)
  }

  /// 65,536 program headers; a kcore has some hundred.
  private static var largestTableByteCount: UInt64 { ELFHeader.programHeaderByteCount << 16 }
}

extension [ELFCoreImage.Segment] {
  /// Sorted by address, with each byte of memory once: parts of it that come again are left out.
  fileprivate func withoutRepetition() -> [ELFCoreImage.Segment] {
    var kept: [ELFCoreImage.Segment] = []
    // Of two that start together, the longer one first.
    let sorted = sorted { first, second in
      (first.range.start, second.range.byteCount) < (second.range.start, first.range.byteCount)
    }
    for segment in sorted {
      guard let known = kept.last?.range.last, known >= segment.range.start else {
        kept.append(segment)
        continue
      }
      guard let last = segment.range.last, last > known else { continue }
      let skipped = known.rawValue &- segment.range.start.rawValue &+ 1
      kept.append(
        ELFCoreImage.Segment(
          index: segment.index,
          range: PhysicalRange(
            start: segment.range.start.advanced(byBytes: skipped),
            byteCount: segment.range.byteCount &- skipped),
          storedByteCount: segment.storedByteCount > skipped
            ? segment.storedByteCount &- skipped : 0,
          fileOffset: segment.fileOffset &+ skipped))
    }
    return kept
  }
}
