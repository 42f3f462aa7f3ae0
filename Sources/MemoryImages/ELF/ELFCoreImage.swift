public import MemoryAccess
public import SystemPackage

/// An ELF core file of a machine's memory by physical address: what QEMU's `dump-guest-memory`,
/// /proc/vmcore and `makedumpfile -E` give.
///
/// Program headers may overlap where they agree on the bytes: each address is kept once. A file that gives
/// different bytes for one address is refused, since nothing says which of the two is right.
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
/// A segment's tail exists, but a dumper left it out: it cannot be read. ``leftOutZeros(from:)`` says
/// where it is known to be zeros. A file that ends early is read as far as it goes; ``shortfall`` says
/// from where on memory is missing.
///
/// Source: elf(5); makedumpfile, elf_info.h (`DUMP_ELF_INCOMPLETE`).
public struct ELFCoreImage: SegmentedImage, Sendable {
  /// A stretch of the machine's memory, as a PT_LOAD describes it.
  public typealias Segment = FileSegment

  /// The largest range, in bytes, that is read by copying it together from several places: 16 MiB.
  @inlinable
  public static var largestGatheredByteCount: UInt64 { FileSegments.largestGatheredByteCount }

  /// The machine the memory belongs to.
  public let machine: ELFMachine

  /// The memory.
  public let memory: FileSegments

  /// The page size in bytes that the kernel noted in its VMCOREINFO (line `PAGESIZE=`); nil where
  /// the note is missing, or its value is not a power of two from 16 to 2^20.
  public let vmcoreInfoPageByteCount: Int?

  /// The VMCOREINFO that the kernel left: lines `KEY=VALUE`; nil if none exists.
  public let vmcoreInfo: [UInt8]?

  /// Whether the dumper marked the file as incomplete: it ran out of space.
  let isMarkedIncomplete: Bool

  /// Whether memory that was left out is zeros, as elf(5) says of p_filesz < p_memsz; false of a capture
  /// of this project, which leaves out what it was not asked for.
  let tailsAreZeros: Bool

  /// Opens the ELF file at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `foreign` where it is not a dump of a machine; one of
  ///   the `elf…` cases of ``MemoryImageError`` for the rule that it breaks.
  /// - Complexity: O(*n* log *n*) for *n* program headers; memory of the image is read only where
  ///   segments overlap.
  public init(opening path: FilePath) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path))
  }

  init(_ file: MappedFile) throws(MemoryImageError) {
    let header = try ELFHeader(of: file)
    if let kind = header.foreignKind { throw .foreign(kind) }
    var segments: [FileSegment] = []
    var notes = ELFNoteReader()
    var loads = ELFLoads()
    try file.forEachProgramHeader(of: header) { index, entry throws(MemoryImageError) in
      switch entry.type {
      case ELFProgramHeader.load:
        loads.add(entry)
        if let segment = try FileSegment(index: index, entry, in: file) { segments.append(segment) }
      case ELFProgramHeader.note:
        notes.read(entry, of: file)
      default:
        break
      }
    }
    if notes.isXen { throw .foreign(.xenDump) }
    if loads.areOfProcess || (notes.isOfProcess && !loads.havePhysicalAddresses) {
      throw .foreign(.processCore)
    }
    guard !segments.isEmpty else {
      throw header.hasSectionNamed(".xen_", in: file) ? .foreign(.xenDump) : .elfNoLoadSegments
    }

    memory = try FileSegments(segments, of: file)
    machine = header.machine
    vmcoreInfoPageByteCount = notes.pageByteCount
    vmcoreInfo = notes.vmcoreInfo
    isMarkedIncomplete = header.isMarkedIncomplete
    tailsAreZeros = !header.isCapture && loads.haveFlags
  }

  /// The machine's memory, sorted by address; no two segments overlap.
  public var segments: [FileSegment] { memory.segments }

  /// What the file should hold and does not; nil where it is whole.
  public var shortfall: ImageShortfall? {
    let cut = memory.cut
    guard cut != nil || isMarkedIncomplete else { return memory.file.shortfall }
    return ImageShortfall(
      isMarkedIncomplete ? .markedIncomplete : .fileEnds(fileByteCount: memory.file.byteCount),
      firstMissing: cut?.firstMissing, byteCount: cut?.byteCount)
  }

  /// How many bytes from `address` on are zeros that the file leaves out; 0 where the byte at `address`
  /// is stored, or not known.
  ///
  /// - Complexity: O(log *n*) for *n* segments.
  public func leftOutZeros(from address: PhysicalAddress) -> UInt64 {
    tailsAreZeros ? memory.leftOutByteCount(from: address) : 0
  }
}

extension FileSegment {
  /// The segment that a PT_LOAD describes; nil when it has no size or no physical address.
  init?(
    index: Int, _ entry: ELFProgramHeader, in file: some FileBytes
  ) throws(MemoryImageError) {
    guard entry.physicalAddress != ELFProgramHeader.noPhysicalAddress else { return nil }
    guard entry.storedByteCount <= entry.memoryByteCount else {
      throw .elfSegmentStoresMoreThanItHolds(
        segment: index, storedByteCount: entry.storedByteCount,
        memoryByteCount: entry.memoryByteCount)
    }
    guard entry.memoryByteCount > 0 else { return nil }
    let start = PhysicalAddress(entry.physicalAddress)
    guard let range = PhysicalRange(checkedStart: start, byteCount: entry.memoryByteCount) else {
      throw .elfSegmentBeyondAddressSpace(
        segment: index, address: start, memoryByteCount: entry.memoryByteCount)
    }
    // No file is that long, however early this one ends.
    guard entry.storedByteCount == 0 || entry.fileOffset <= max(UInt64(Int64.max), file.byteCount)
    else {
      throw .elfSegmentBeyondEndOfFile(
        segment: index, fileOffset: entry.fileOffset, storedByteCount: entry.storedByteCount,
        fileByteCount: file.byteCount)
    }
    self.init(
      index: index, range, fileOffset: entry.fileOffset, fileByteCount: entry.storedByteCount,
      fileEnd: file.byteCount)
  }
}

/// What the PT_LOADs of a file have in common.
private struct ELFLoads {
  private var count = 0
  private var atZeroCount = 0
  private(set) var havePhysicalAddresses = false
  /// Whether one has permissions: makedumpfile takes them over from /proc/vmcore, and captures of this
  /// project have none.
  private(set) var haveFlags = false

  mutating func add(_ entry: ELFProgramHeader) {
    guard entry.memoryByteCount > 0 else { return }
    count &+= 1
    if entry.physicalAddress == 0 { atZeroCount &+= 1 } else { havePhysicalAddresses = true }
    if entry.flags != 0 { haveFlags = true }
  }

  /// Whether several segments all claim to be at address 0: a core of a process has no physical
  /// addresses.
  var areOfProcess: Bool { count > 1 && atZeroCount == count }
}
