public import MemoryAccess
public import SystemPackage

/// An ELF core file of a machine's memory by physical address: what QEMU's `dump-guest-memory` gives.
///
/// A file that describes the same memory twice is refused, since nothing says which of the two holds,
/// unless one segment lies inside another and their bytes are equal: dumps of a crashed kernel
/// (/proc/vmcore) have a segment of its own for the kernel's text, next to the memory that holds it.
/// Such a segment is left out.
///
/// ```
///             ELF header   program headers     notes    bytes of each segment
///  file      ┌──────────┬───────────────────┬─────────┬───────────────┬──────┐
///            └──────────┴───────────────────┴─────────┴───────────────┴──────┘
///                                                      │ p_offset      │ p_filesz
///  memory    ········┌───────────────┬───────┐····┌──────┐···········
///                    │ stored        │ tail  │    │      │
///                    p_paddr                  p_memsz
/// ```
///
/// A segment's tail exists, but a dumper left it out: it cannot be read. Segments may come in any
/// order and need not be page-aligned. The file must not shrink while the value, or a copy of it, is
/// used.
///
/// Source: elf(5).
public struct ELFCoreImage: PhysicalMemory, Sendable {
  /// A stretch of the machine's memory, as a PT_LOAD describes it.
  @frozen
  public struct Segment: Hashable, Sendable {
    /// The index in the program header table, as `readelf -l` counts.
    public let index: Int
    /// The memory described, stored or not; never empty.
    public let range: PhysicalRange
    /// How many bytes of it, from its start on, are in the file.
    public let storedByteCount: UInt64
    /// Where in the file they are.
    public let fileOffset: UInt64
  }

  /// The largest range, in bytes, that is read by copying it together from several places: 16 MiB.
  @inlinable
  public static var largestGatheredByteCount: UInt64 { 16 << 20 }

  /// The machine the memory belongs to.
  public let machine: ELFMachine

  /// The machine's memory, sorted by address; no two segments overlap.
  public let segments: [Segment]

  /// The page size in bytes that the kernel noted in its VMCOREINFO (line `PAGESIZE=`); nil where
  /// there is no such note, or it gives no power of two from 16 to 2^20.
  public let vmcoreInfoPageByteCount: Int?

  /// The VMCOREINFO that the kernel left: lines `KEY=VALUE`; nil where there is none.
  public let vmcoreInfo: [UInt8]?

  /// The number of bytes that the segments store, holes of the file included.
  public let byteCount: UInt64

  /// For each segment the last address of the unbroken memory that it is part of.
  @usableFromInline
  let runEnds: [PhysicalAddress]

  @usableFromInline
  let file: MappedFile

  /// Opens the ELF file at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; one of the `elf…` cases of ``MemoryImageError``
  ///   for the rule that it breaks.
  /// - Complexity: O(*n* log *n*) for *n* program headers; no memory of the image is read.
  public init(opening path: FilePath) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path))
  }

  init(_ file: MappedFile) throws(MemoryImageError) {
    let header = try ELFHeader(of: file)
    var segments: [Segment] = []
    var notes = ELFNoteReader()
    try file.forEachProgramHeader(of: header) { index, entry throws(MemoryImageError) in
      switch entry.type {
      case ELFProgramHeader.load:
        if let segment = try Segment(index: index, entry, in: file) { segments.append(segment) }
      case ELFProgramHeader.note:
        notes.read(entry, of: file)
      default:
        break
      }
    }
    guard !segments.isEmpty else { throw .elfNoLoadSegments }
    try segments.sortByAddress(in: file)
    try segments.checkPlacesInFile()

    self.machine = header.machine
    self.vmcoreInfoPageByteCount = notes.pageByteCount
    self.vmcoreInfo = notes.vmcoreInfo
    // The stored bytes do not overlap in the file, so their sum is no larger than the file.
    self.byteCount = segments.reduce(0) { $0 &+ $1.storedByteCount }
    self.runEnds = segments.runEnds()
    self.segments = segments
    self.file = file
  }
}
