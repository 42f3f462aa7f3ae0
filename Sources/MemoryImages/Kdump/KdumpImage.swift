public import MemoryAccess
public import SystemPackage

/// A compressed dump of a machine's memory: what makedumpfile leaves of a crashed kernel, and QEMU's
/// `dump-guest-memory -z` of a guest. Flattened or not, of a 64-bit little-endian machine.
///
/// Pages are found by counting bits and inflated when they are asked for; a few are kept. Nothing that
/// grows with the machine is read when the file is opened, except the list of pieces of a flattened
/// dump, so that one of those takes as long as it takes to pass over its pieces.
///
/// Pages may be compressed with zlib, LZO, snappy or zstd, or not at all. A file that ends early is read as
/// far as it goes; ``shortfall`` says from where on memory is missing. A dump that was split into several
/// files is read from all of them, or from those that are there. The file must not shrink while the value,
/// or a copy of it, is used.
///
/// Source: makedumpfile, IMPLEMENTATION, "The kdump-compressed format".
public struct KdumpImage: PhysicalMemory, Sendable {
  /// The largest range, in bytes, that is read by copying it together from its pages: 16 MiB.
  public static var largestGatheredByteCount: UInt64 { ELFCoreImage.largestGatheredByteCount }

  /// The most bytes of one answer of ``storedRange(atOrAfter:)``: 1 MiB.
  static var largestRunByteCount: UInt64 { 1 << 20 }

  /// The machine the memory belongs to, as its name in the header shows; nil of an unknown one.
  public let machine: ELFMachine?

  /// The size of the dump's blocks, which is the page size of the machine, or, in dumps of QEMU, of
  /// most machines of that kind.
  public let geometry: PageGeometry

  /// The VMCOREINFO that the kernel left: lines `KEY=VALUE`; nil if none exists.
  public let vmcoreInfo: [UInt8]?

  /// A bit for each page that exists, and for each that the dump holds.
  let existing: PageBitmap
  let stored: PageBitmap

  /// A file of the dump: the pages that it has, by number, and their data.
  struct Part: Sendable {
    let numbers: Range<UInt64>
    let pages: InflatedPages
    let file: DumpFile
  }

  /// The files, sorted by page; one of a dump that is not split.
  let parts: [Part]

  /// Up to how many pages are searched one by one for the first that is missing.
  private static let searchedPageCount: UInt64 = 1 << 16

  private let isMarkedIncomplete: Bool
  /// Which kinds of pages were left out: zeros in bit 0.
  private let dumpLevel: UInt32?

  /// Opens the dump at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `kdump` with the rule that it breaks.
  /// - Complexity: O(1); of a flattened dump, O(*n* log *n*) for its *n* pieces.
  public init(opening path: FilePath) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path))
  }

  init(_ file: MappedFile) throws(MemoryImageError) {
    do throws(KdumpError) { try self.init([Self.dump(in: file)]) } catch { throw .kdump(error) }
  }

  /// Opens the parts of one dump, in any order.
  ///
  /// - Throws: as ``init(opening:)`` of each; `kdump(partsDiffer)` where the parts are not those of one
  ///   dump.
  /// - Precondition: there is a path.
  /// - Complexity: as ``init(opening:)`` of each.
  public init(openingParts paths: [FilePath]) throws(MemoryImageError) {
    precondition(!paths.isEmpty, "no parts")
    var files: [MappedFile] = []
    for path in paths { files.append(try MappedFile(opening: path)) }
    do throws(KdumpError) {
      var dumps: [DumpFile] = []
      for file in files { dumps.append(try Self.dump(in: file)) }
      try self.init(dumps)
    } catch {
      throw .kdump(error)
    }
  }

  /// Whether a file that begins with `bytes` is a compressed dump.
  static func isDump(_ bytes: [UInt8]) -> Bool {
    [flattenedSignature, KdumpHeader.signature, KdumpHeader.diskdumpSignature]
      .contains { bytes.starts(with: $0.utf8) }
  }

  private static func dump(in file: MappedFile) throws(KdumpError) -> DumpFile {
    let isFlattened = file.copiedBytes(at: 0, count: 16).starts(with: flattenedSignature.utf8)
    return isFlattened ? try DumpFile(flattened: file) : DumpFile(file)
  }

  static let flattenedSignature = "makedumpfile"

  private init(_ files: [DumpFile]) throws(KdumpError) {
    var parts: [(header: KdumpHeader, file: DumpFile)] = []
    for file in files {
      if file.layout != nil {
        guard Self.isDump(file.copiedBytes(at: 0, count: 8)) else { throw .flattenedIsNoDump }
      }
      parts.append((try KdumpHeader(of: file), file))
    }
    parts.sort {
      ($0.header.pages.lowerBound, $0.header.pages.upperBound)
        < ($1.header.pages.lowerBound, $1.header.pages.upperBound)
    }
    let (header, file) = parts[0]
    for (before, part) in zip(parts, parts.dropFirst())
    where part.header.pages.lowerBound < before.header.pages.upperBound
      || part.header.pageCount != header.pageCount || part.header.geometry != header.geometry
    {
      throw .partsDiffer(firstPage: part.header.pages.lowerBound)
    }
    machine = header.machine
    geometry = header.geometry
    vmcoreInfo =
      parts.lazy.compactMap { part in
        part.header.vmcoreInfo.map {
          part.file.copiedBytes(at: $0.lowerBound, count: $0.upperBound &- $0.lowerBound)
        }
      }.first
    existing = PageBitmap(of: file, at: header.bitmapOffset, pageCount: header.pageCount)
    stored = PageBitmap(
      of: file, at: header.bitmapOffset &+ header.bitmapByteCount, pageCount: header.pageCount)
    // Empty parts contain nothing to read; they are kept only if all parts are empty.
    let filled = parts.filter { !$0.header.pages.isEmpty }
    self.parts = (filled.isEmpty ? parts : filled).map {
      Part(numbers: $0.header.pages, pages: InflatedPages(of: $0.file, $0.header), file: $0.file)
    }
    isMarkedIncomplete = parts.contains { $0.header.isMarkedIncomplete }
    dumpLevel = header.dumpLevel
  }

  /// The page size in bytes that the kernel noted in its VMCOREINFO; nil as of an ELF core.
  public var vmcoreInfoPageByteCount: Int? {
    vmcoreInfo.flatMap { VMCoreInfo.pageByteCount(in: $0[...]) }
  }

  /// The number of bytes that the dump holds, uncompressed.
  ///
  /// - Complexity: O(bytes of the bitmap) the first time.
  public var byteCount: UInt64 {
    stored.count(below: stored.pageCount) &<< UInt64(geometry.shift)
  }

  /// How many pages could not be had that the dump should hold, so far, and why the first could not; pages
  /// that are missing because a file ends early do not count.
  public var damage: (pageCount: UInt64, first: KdumpPageError)? {
    let isShort = shortfall != nil
    let damages = parts.compactMap { $0.pages.damage ?? (isShort ? nil : $0.pages.missing) }
    guard let first = damages.first else { return nil }
    return (damages.reduce(0) { $0 &+ $1.pageCount }, first.first)
  }

  /// What the file should hold and does not; nil where it is whole.
  ///
  /// - Complexity: O(bytes of the bitmap) the first time; O(log *n*) descriptors of *n* pages are read.
  public var shortfall: ImageShortfall? {
    for part in parts {
      let end = part.file.byteCount
      guard let number = firstMissing(of: part) else {
        if let shortfall = part.file.file.shortfall { return shortfall }
        continue
      }
      let missing = stored.count(below: part.numbers.upperBound) &- stored.count(below: number)
      return ImageShortfall(
        isMarkedIncomplete ? .markedIncomplete : .fileEnds(fileByteCount: end),
        firstMissing: PhysicalAddress(number &<< UInt64(geometry.shift)),
        byteCount: missing &<< UInt64(geometry.shift))
    }
    if isMarkedIncomplete { return ImageShortfall(.markedIncomplete) }
    if parts.contains(where: { $0.file.layout?.isCut ?? false }) {
      return ImageShortfall(.fileEnds(fileByteCount: parts[0].file.file.byteCount))
    }
    return shortfallOfParts
  }

  /// The pages of parts that are not there.
  private var shortfallOfParts: ImageShortfall? {
    var next: UInt64 = 0
    var first: UInt64?
    var missing: UInt64 = 0
    for end in parts.map(\.numbers.lowerBound) + [stored.pageCount] {
      if next < end {
        missing &+= stored.count(below: end) &- stored.count(below: next)
        if first == nil, let run = stored.run(atOrAfter: next, limit: 1), run.lowerBound < end {
          first = run.lowerBound
        }
      }
      next = parts.first { $0.numbers.lowerBound == end }?.numbers.upperBound ?? end
    }
    guard let first else { return nil }
    return ImageShortfall(
      .isPart(firstPage: parts[0].numbers.lowerBound, endPage: parts[0].numbers.upperBound),
      firstMissing: PhysicalAddress(first &<< UInt64(geometry.shift)),
      byteCount: missing &<< UInt64(geometry.shift))
  }

  /// The first page of a part whose data is not in its file, up to which it is; nil where none is missing.
  ///
  /// Data comes in the order of pages, but for pages of zeros, which share what was stored once. So a page is
  /// taken as missing where one of the next few is.
  private func firstMissing(of part: Part) -> UInt64? {
    let before = stored.count(below: part.numbers.lowerBound)
    let count = stored.count(below: part.numbers.upperBound) &- before
    // In small dumps one after the other; the last of large ones, where a file that ends early has its end.
    guard count > Self.searchedPageCount else {
      return (0..<count).first { part.pages.isMissing(descriptor: $0) }
        .map { page(ofDescriptor: before &+ $0) }
    }
    func isMissing(_ index: UInt64) -> Bool {
      (index..<min(index &+ 16, count)).contains { part.pages.isMissing(descriptor: $0) }
    }
    guard isMissing(count &- 16) else { return nil }
    let low = (0..<count).partitioningIndex(where: isMissing)
    // Of the next few, the first that is missing.
    let first = (low..<min(low &+ 16, count)).first { part.pages.isMissing(descriptor: $0) } ?? low
    return page(ofDescriptor: before &+ first)
  }

  /// The page that has the stored bit of that index.
  private func page(ofDescriptor index: UInt64) -> UInt64 {
    (0..<stored.pageCount).partitioningIndex { stored.count(below: $0 &+ 1) > index }
  }

  /// How many bytes from `address` on exist and are zeros that the dump leaves out: where its level says
  /// that pages of zeros are the only ones left out.
  ///
  /// - Complexity: O(1), once the bitmap up to there is counted.
  public func leftOutZeros(from address: PhysicalAddress) -> UInt64 {
    let number = address.rawValue &>> UInt64(geometry.shift)
    guard dumpLevel == 1, existing.isSet(number), !stored.isSet(number) else { return 0 }
    let used = address.rawValue & (UInt64(geometry.pageByteCount) &- 1)
    return UInt64(geometry.pageByteCount) &- used
  }
}
