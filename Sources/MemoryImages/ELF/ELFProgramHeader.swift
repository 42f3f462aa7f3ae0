internal import MemoryAccess

/// One entry of the program header table: elf(5), `Elf64_Phdr`.
struct ELFProgramHeader {
  /// A stretch of memory.
  static let load: UInt32 = 1
  /// Notes, such as Linux's VMCOREINFO.
  static let note: UInt32 = 4
  /// A p_paddr that means "no physical address": of memory outside the direct map in
  /// /proc/kcore (Linux, fs/proc/kcore.c).
  static let noPhysicalAddress = UInt64.max

  let type: UInt32
  /// PF_X, PF_W and PF_R.
  let flags: UInt32
  let fileOffset: UInt64
  let physicalAddress: UInt64
  let storedByteCount: UInt64
  let memoryByteCount: UInt64

  init?(_ bytes: RawSpan, atByte offset: Int) {
    guard let type = bytes.uint32(atByte: offset),
      let flags = bytes.uint32(atByte: offset &+ 4),
      let fileOffset = bytes.word(atByte: offset &+ 8),
      let physicalAddress = bytes.word(atByte: offset &+ 24),
      let storedByteCount = bytes.word(atByte: offset &+ 32),
      let memoryByteCount = bytes.word(atByte: offset &+ 40)
    else { return nil }
    self.type = UInt32(littleEndian: type)
    self.flags = UInt32(littleEndian: flags)
    self.fileOffset = UInt64(littleEndian: fileOffset)
    self.physicalAddress = UInt64(littleEndian: physicalAddress)
    self.storedByteCount = UInt64(littleEndian: storedByteCount)
    self.memoryByteCount = UInt64(littleEndian: memoryByteCount)
  }
}

extension MappedFile {
  /// Calls `body` with every program header that is not in a hole of the file, in order, with its
  /// index; a header in a hole is all zeros, PT_NULL, and says nothing.
  ///
  /// So the work is bounded by the stored size of the file, whatever number its header gives.
  func forEachProgramHeader(
    of header: ELFHeader, _ body: (Int, ELFProgramHeader) throws(MemoryImageError) -> Void
  ) throws(MemoryImageError) {
    let stride = ELFHeader.programHeaderByteCount
    let table = header.programHeaderOffset
    let count = UInt64(header.programHeaderCount)
    var index: UInt64 = 0
    while index < count,
      let stored = storedBytes(atOrAfter: table &+ index &* stride)
    {
      // The first and the last header that have a byte in the extent.
      index = max(index, (stored.lowerBound &- table) / stride)
      let end = min(count, (stored.upperBound &- table &+ stride &- 1) / stride)
      guard index < end else { return }
      try withBytes(at: table &+ index &* stride, count: (end &- index) &* stride) {
        bytes throws(MemoryImageError) in
        for position in 0..<Int(end &- index) {
          guard let entry = ELFProgramHeader(bytes, atByte: position &* Int(stride)) else { return }
          try body(Int(index) &+ position, entry)
        }
      }
      index = end
    }
  }
}
