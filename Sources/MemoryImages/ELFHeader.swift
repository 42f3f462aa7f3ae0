/// What an ELF file's first 64 bytes say: elf(5), `Elf64_Ehdr`.
struct ELFHeader {
  /// `\x7fELF` as a little-endian 32-bit word.
  static let magic: UInt32 = 0x464c_457f
  static let byteCount: UInt64 = 64
  static let programHeaderByteCount: UInt64 = 56
  static let sectionHeaderByteCount: UInt64 = 64
  /// An e_phnum that stands for "see sh_info of section header 0".
  static let manyProgramHeaders: UInt16 = 0xffff

  let machine: ELFMachine
  let programHeaderOffset: UInt64
  let programHeaderCount: UInt32

  /// Reads the header; the program headers it gives lie inside the file.
  init(of file: some FileBytes) throws(MemoryImageError) {
    let bytes = file.copiedBytes(at: 0, count: min(Self.byteCount, file.byteCount))
    guard bytes.littleEndian32(at: 0) == Self.magic else { throw .elfMagicMissing }
    if bytes.count > 4, bytes[4] != 2 { throw .elfClassUnsupported(bytes[4]) }
    if bytes.count > 5, bytes[5] != 1 { throw .elfByteOrderUnsupported(bytes[5]) }
    guard let machine = bytes.littleEndian16(at: 18),
      let programHeaderOffset = bytes.littleEndian64(at: 32),
      let sectionHeaderOffset = bytes.littleEndian64(at: 40),
      let programHeaderByteCount = bytes.littleEndian16(at: 54),
      let programHeaderCount = bytes.littleEndian16(at: 56),
      bytes.count == Self.byteCount
    else { throw .elfHeaderTruncated(fileByteCount: file.byteCount) }

    self.machine = ELFMachine(rawValue: machine)
    self.programHeaderOffset = programHeaderOffset
    if programHeaderCount == Self.manyProgramHeaders {
      self.programHeaderCount = try Self.count(inSectionHeaderAt: sectionHeaderOffset, of: file)
    } else {
      self.programHeaderCount = UInt32(programHeaderCount)
    }
    // Without program headers their size may be 0.
    guard self.programHeaderCount > 0 else { return }
    guard programHeaderByteCount == Self.programHeaderByteCount else {
      throw .elfProgramHeaderSizeUnsupported(byteCount: programHeaderByteCount)
    }
    // At most 2^32 × 56, far from overflow.
    let tableByteCount = UInt64(self.programHeaderCount) &* Self.programHeaderByteCount
    guard tableByteCount <= file.byteCount,
      programHeaderOffset <= file.byteCount &- tableByteCount
    else {
      throw .elfProgramHeadersBeyondEndOfFile(
        fileOffset: programHeaderOffset, count: self.programHeaderCount,
        fileByteCount: file.byteCount)
    }
  }

  /// sh_info of section header 0: `Elf64_Shdr`, byte 44.
  private static func count(
    inSectionHeaderAt offset: UInt64, of file: some FileBytes
  ) throws(MemoryImageError) -> UInt32 {
    // An e_shoff of 0 says that there is no section header.
    guard offset > 0, file.byteCount >= sectionHeaderByteCount,
      offset <= file.byteCount &- sectionHeaderByteCount,
      let count = file.copiedBytes(at: offset &+ 44, count: 4).littleEndian32(at: 0)
    else {
      throw .elfSectionHeaderBeyondEndOfFile(fileOffset: offset, fileByteCount: file.byteCount)
    }
    return count
  }
}
