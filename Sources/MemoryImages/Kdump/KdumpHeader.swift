internal import MemoryAccess

/// The two headers of a compressed dump of a 64-bit machine.
///
/// ```
///  block 0     header      "KDUMP   ", utsname, compression, size of a block, sizes in blocks
///  block 1     sub-header  number of pages, place of the VMCOREINFO
///              bitmaps     a bit for each page: it exists; it is in the dump
///              descriptors of the pages in the dump: place, size, compression
///              data
/// ```
///
/// Source: makedumpfile, IMPLEMENTATION ("The kdump-compressed format") and diskdump_mod.h.
struct KdumpHeader {
  static let signature = "KDUMP   "
  static let diskdumpSignature = "DISKDUMP"
  /// The bytes of the header that are read: up to the number of processors.
  static let byteCount: UInt64 = 464
  static let newestVersion: Int32 = 6
  static let descriptorByteCount: UInt64 = 24

  /// DUMP_DH_COMPRESSED_INCOMPLETE.
  private static let incompleteFlag: UInt32 = 8

  let geometry: PageGeometry
  let machine: ELFMachine?
  /// One bit for each page up to the highest.
  let pageCount: UInt64
  /// Where the bitmaps begin, and the bytes of each of the two.
  let bitmapOffset: UInt64
  let bitmapByteCount: UInt64
  let descriptorOffset: UInt64
  /// Where the VMCOREINFO is, if the dump has one.
  let vmcoreInfo: Range<UInt64>?
  /// Whether the dumper ran out of space.
  let isMarkedIncomplete: Bool
  /// What was left out on purpose: a bit for each kind of page, zeros in bit 0; nil where it is not known.
  let dumpLevel: UInt32?
  /// The pages of which this file has the descriptors and data; all pages of a dump that is not split.
  let pages: Range<UInt64>

  init(of file: DumpFile) throws(KdumpError) {
    let bytes = file.copiedBytes(at: 0, count: Self.byteCount)
    if bytes.starts(with: Self.diskdumpSignature.utf8) { throw .isDiskdump }
    guard bytes.count == Self.byteCount, let version = bytes.littleEndian32(at: 8),
      let status = bytes.littleEndian32(at: 424), let blockSize = bytes.littleEndian32(at: 428),
      let subHeaderBlockCount = bytes.littleEndian32(at: 432),
      let bitmapBlockCount = bytes.littleEndian32(at: 436),
      let shortPageCount = bytes.littleEndian32(at: 440)
    else { throw .headerTruncated(fileByteCount: file.byteCount) }
    // On 32-bit machines all after the utsname is 12 bytes earlier.
    if Self.geometry(blockSize) == nil,
      Self.geometry(bytes.littleEndian32(at: 416) ?? 0) != nil
        || Self.geometry(blockSize.byteSwapped) != nil
    {
      throw .machineUnsupported
    }
    guard (0...Self.newestVersion).contains(Int32(bitPattern: version)) else {
      throw .versionUnsupported(Int32(bitPattern: version))
    }
    guard let geometry = Self.geometry(blockSize) else {
      throw .blockSizeUnsupported(byteCount: blockSize)
    }
    isMarkedIncomplete = status & Self.incompleteFlag != 0
    self.geometry = geometry
    machine = Self.machine(bytes[272..<337])

    let sub = try SubHeader(of: file, at: UInt64(blockSize), version: version)
    pageCount = sub.pageCount ?? UInt64(shortPageCount)
    vmcoreInfo = sub.vmcoreInfo
    dumpLevel = sub.dumpLevel
    pages = sub.pages ?? 0..<pageCount
    guard pages.upperBound <= pageCount else {
      throw .isSplit(firstPage: pages.lowerBound, endPage: pages.upperBound)
    }
    // Products of two 32-bit numbers, and their sum.
    bitmapOffset = (1 &+ UInt64(subHeaderBlockCount)) &* UInt64(blockSize)
    let bothByteCount = UInt64(bitmapBlockCount) &* UInt64(blockSize)
    bitmapByteCount = bothByteCount / 2
    descriptorOffset = bitmapOffset &+ bothByteCount
    guard descriptorOffset <= file.byteCount else {
      throw .bitmapsBeyondEndOfFile(
        fileOffset: bitmapOffset, byteCount: bothByteCount, fileByteCount: file.byteCount)
    }
    guard pageCount <= bitmapByteCount &* 8 else {
      throw .bitmapsTooShort(bitCount: bitmapByteCount &* 8, pageCount: pageCount)
    }
    guard pageCount <= UInt64.max &>> UInt64(geometry.shift) else {
      throw .beyondAddressSpace(pageCount: pageCount)
    }
  }

  private static func geometry(_ blockSize: UInt32) -> PageGeometry? {
    switch blockSize {
    case 4 << 10: .pages4KiB
    case 16 << 10: .pages16KiB
    case 64 << 10: .pages64KiB
    default: nil
    }
  }

  /// The machine that `uname -m` names.
  private static func machine(_ name: ArraySlice<UInt8>) -> ELFMachine? {
    switch String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) {
    case "x86_64": .x86_64
    case "aarch64": .aarch64
    default: nil
    }
  }
}

/// What is read of block 1: `kdump_sub_header`.
private struct SubHeader {
  /// From version 6 on.
  var pageCount: UInt64?
  var dumpLevel: UInt32?
  /// Of one part of several.
  var pages: Range<UInt64>?
  var vmcoreInfo: Range<UInt64>?

  init(of file: DumpFile, at offset: UInt64, version: UInt32) throws(KdumpError) {
    let bytes = file.copiedBytes(at: offset, count: 104)
    guard bytes.count == 104 else { throw .headerTruncated(fileByteCount: file.byteCount) }
    let isWide = version >= 6
    if version >= 1 { dumpLevel = bytes.littleEndian32(at: 8) }
    if version >= 2, bytes.littleEndian32(at: 12) != 0 {
      let first = bytes.littleEndian64(at: isWide ? 80 : 16) ?? 0
      let end = bytes.littleEndian64(at: isWide ? 88 : 24) ?? 0
      // makedumpfile divides a dump in large steps, so some parts of a small dump are empty.
      guard first <= end else { throw .isSplit(firstPage: first, endPage: end) }
      pages = first..<end
    }
    if isWide { pageCount = bytes.littleEndian64(at: 96) }
    if version >= 3, let start = bytes.littleEndian64(at: 32),
      let byteCount = bytes.littleEndian64(at: 40), start > 0, byteCount > 0,
      byteCount <= ELFNoteReader.largestByteCount, start <= file.byteCount,
      byteCount <= file.byteCount &- start
    {
      vmcoreInfo = start..<start &+ byteCount
    }
  }
}
