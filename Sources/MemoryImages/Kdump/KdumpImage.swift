public import MemoryAccess
public import SystemPackage

/// A compressed dump of a machine's memory: what makedumpfile leaves of a crashed kernel, and QEMU's
/// `dump-guest-memory -z` of a guest. Flattened or not, of a 64-bit little-endian machine.
///
/// Pages are found by counting bits and inflated when they are asked for; a few are kept. Nothing that
/// grows with the machine is read when the file is opened, except the list of pieces of a flattened
/// dump, so that one of those takes as long as it takes to pass over its pieces.
///
/// Pages compressed with zlib, and pages that are not compressed, can be read. The file must not
/// shrink while the value, or a copy of it, is used.
///
/// Source: makedumpfile, IMPLEMENTATION, "The kdump-compressed format".
public struct KdumpImage: PhysicalMemory, Sendable {
  /// The largest range, in bytes, that is read by copying it together from its pages: 16 MiB.
  public static var largestGatheredByteCount: UInt64 { ELFCoreImage.largestGatheredByteCount }

  /// The most bytes of one answer of ``storedRange(atOrAfter:)``: 1 MiB.
  static var largestRunByteCount: UInt64 { 1 << 20 }

  /// The machine the memory belongs to, as its name in the header tells; nil of an unknown one.
  public let machine: ELFMachine?

  /// The size of the dump's blocks, which is the page size of the machine, or, in dumps of QEMU, of
  /// most machines of that kind.
  public let geometry: PageGeometry

  /// The VMCOREINFO that the kernel left: lines `KEY=VALUE`; nil where there is none.
  public let vmcoreInfo: [UInt8]?

  /// A bit for each page that exists, and for each that the dump holds.
  let existing: PageBitmap
  let stored: PageBitmap

  let pages: InflatedPages

  /// Opens the dump at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `kdump` with the rule that it breaks.
  /// - Complexity: O(1); of a flattened dump, O(*n* log *n*) for its *n* pieces.
  public init(opening path: FilePath) throws(MemoryImageError) {
    let file = try MappedFile(opening: path)
    let isFlattened = file.copiedBytes(at: 0, count: 16).starts(with: Self.flattenedSignature.utf8)
    do throws(KdumpError) {
      try self.init(isFlattened ? DumpFile(flattened: file) : DumpFile(file))
    } catch {
      throw .kdump(error)
    }
  }

  static let flattenedSignature = "makedumpfile"

  init(_ file: DumpFile) throws(KdumpError) {
    if file.layout != nil {
      let start = file.copiedBytes(at: 0, count: 8)
      guard
        start.starts(with: KdumpHeader.signature.utf8)
          || start.starts(with: KdumpHeader.diskdumpSignature.utf8)
      else { throw .flattenedIsNoDump }
    }
    let header = try KdumpHeader(of: file)
    machine = header.machine
    geometry = header.geometry
    vmcoreInfo = header.vmcoreInfo.map {
      file.copiedBytes(at: $0.lowerBound, count: $0.upperBound &- $0.lowerBound)
    }
    existing = PageBitmap(of: file, at: header.bitmapOffset, pageCount: header.pageCount)
    stored = PageBitmap(
      of: file, at: header.bitmapOffset &+ header.bitmapByteCount, pageCount: header.pageCount)
    pages = InflatedPages(of: file, header)
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

  /// How many pages could not be had that the dump should hold, so far, and why the first could not.
  public var damage: (pageCount: UInt64, first: KdumpPageError)? { pages.damage }
}
