/// What an ELF file's first 64 bytes say: elf(5), `Elf64_Ehdr`.
struct ELFHeader {
  /// `\x7fELF` as a little-endian 32-bit word.
  static let magic: UInt32 = 0x464c_457f
  static let byteCount: UInt64 = 64
  static let programHeaderByteCount: UInt64 = 56
  static let sectionHeaderByteCount: UInt64 = 64
  /// An e_phnum that means "see sh_info of section header 0".
  static let manyProgramHeaders: UInt16 = 0xffff

  /// Where this project's captures have their mark in e_ident, behind what elf(5) defines.
  static let captureMarkOffset = 9
  static let captureMark = Array("kho".utf8)

  let machine: ELFMachine
  /// ET_CORE is 4.
  let type: UInt16
  /// The file is a capture of this project: what it leaves out is not known.
  let isCapture: Bool
  /// makedumpfile's mark of a dump that it could not finish.
  let isMarkedIncomplete: Bool
  private let sectionHeaderOffset: UInt64
  private let sectionHeaderCount: UInt16
  private let nameSectionIndex: UInt16
  let programHeaderOffset: UInt64
  let programHeaderCount: UInt32

  /// Reads the header; the program headers it gives are inside the file.
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
    type = bytes.littleEndian16(at: 16) ?? 0
    isCapture =
      Array(bytes[Self.captureMarkOffset..<Self.captureMarkOffset + Self.captureMark.count])
      == Self.captureMark
    isMarkedIncomplete = (bytes.littleEndian32(at: 48) ?? 0) & 1 != 0
    self.sectionHeaderOffset = sectionHeaderOffset
    sectionHeaderCount = bytes.littleEndian16(at: 60) ?? 0
    nameSectionIndex = bytes.littleEndian16(at: 62) ?? 0
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
    // An e_shoff of 0 means that the file has no section header.
    guard offset > 0, file.byteCount >= sectionHeaderByteCount,
      offset <= file.byteCount &- sectionHeaderByteCount,
      let count = file.copiedBytes(at: offset &+ 44, count: 4).littleEndian32(at: 0)
    else {
      throw .elfSectionHeaderBeyondEndOfFile(fileOffset: offset, fileByteCount: file.byteCount)
    }
    return count
  }

  /// What the file is if it is not a core; nil of a core, and of a file that does not say.
  var foreignKind: ForeignFormat? {
    switch type {
    case 1: .objectFile
    case 2, 3: .executable
    default: nil
    }
  }

  /// Whether a section's name begins with `prefix`; false where the names cannot be read.
  func hasSectionNamed(_ prefix: String, in file: some FileBytes) -> Bool {
    let size = Self.sectionHeaderByteCount
    let (place, overflow) = sectionHeaderOffset.addingReportingOverflow(
      UInt64(nameSectionIndex) &* size)
    guard sectionHeaderCount > 0, !overflow else { return false }
    let header = file.copiedBytes(at: place, count: size)
    guard let offset = header.littleEndian64(at: 24), let byteCount = header.littleEndian64(at: 32)
    else { return false }
    let names = file.copiedBytes(at: offset, count: min(byteCount, 1 << 16))
    return names.split(separator: 0).contains { $0.starts(with: prefix.utf8) }
  }
}
