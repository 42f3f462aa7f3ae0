public import MemoryAccess
public import SystemPackage

/// A machine's memory, in whatever format it came.
public enum MemoryImage: PhysicalMemory, Sendable {
  /// Bytes from one base address on.
  case raw(RawImage)
  /// An ELF core file.
  case elf(ELFCoreImage)
  /// A compressed dump.
  case kdump(KdumpImage)
  /// No file: the memory of the running system.
  case live(LiveMemory)

  /// Opens the file at `path`, finding out its format from its first bytes.
  ///
  /// - Parameter base: the physical address of the first byte, for a raw image; ELF files and dumps
  ///   carry their own addresses.
  /// - Throws: `baseAddressMissing` for a raw image without a base, `baseAddressUnexpected` for an
  ///   ELF file and `dumpCarriesAddresses` for a compressed dump with one; what
  ///   ``RawImage/init(opening:base:)``, ``ELFCoreImage/init(opening:)`` and
  ///   ``KdumpImage/init(opening:)`` throw.
  /// - Complexity: as those.
  public static func open(
    _ path: FilePath, base: PhysicalAddress?
  ) throws(MemoryImageError) -> MemoryImage {
    let file = try MappedFile(opening: path)
    let start = file.copiedBytes(at: 0, count: 16)
    if start.littleEndian32(at: 0) == ELFHeader.magic {
      guard base == nil else { throw .baseAddressUnexpected }
      return .elf(try ELFCoreImage(file))
    }
    // makedumpfile: diskdump_mod.h and makedumpfile.h.
    let isFlattened = start.starts(with: KdumpImage.flattenedSignature.utf8)
    if isFlattened || start.starts(with: KdumpHeader.signature.utf8)
      || start.starts(with: KdumpHeader.diskdumpSignature.utf8)
    {
      guard base == nil else { throw .dumpCarriesAddresses }
      do throws(KdumpError) {
        return .kdump(try KdumpImage(isFlattened ? DumpFile(flattened: file) : DumpFile(file)))
      } catch {
        throw .kdump(error)
      }
    }
    guard let base else { throw .baseAddressMissing }
    return .raw(try RawImage(file, base: base))
  }

  /// The machine that the image says it is of; nil where it does not say.
  public var machine: ELFMachine? {
    switch self {
    case .raw: nil
    case .elf(let image): image.machine
    case .kdump(let image): image.machine
    case .live(let memory): memory.machine
    }
  }

  /// The VMCOREINFO that the kernel left, lines `KEY=VALUE`; nil where there is none.
  public var vmcoreInfo: [UInt8]? {
    switch self {
    case .raw: nil
    case .elf(let image): image.vmcoreInfo
    case .kdump(let image): image.vmcoreInfo
    case .live(let memory): memory.vmcoreInfo
    }
  }

  /// The page size in bytes that the kernel noted in its VMCOREINFO (line `PAGESIZE=`); nil where
  /// there is no such note, or it gives no power of two from 16 to 2^20.
  public var vmcoreInfoPageByteCount: Int? {
    switch self {
    case .raw: nil
    case .elf(let image): image.vmcoreInfoPageByteCount
    case .kdump(let image): image.vmcoreInfoPageByteCount
    case .live(let memory): memory.vmcoreInfoPageByteCount
    }
  }

  /// The number of bytes that the image stores, holes of the file included.
  @inlinable
  public var byteCount: UInt64 {
    switch self {
    case .raw(let image): image.byteCount
    case .elf(let image): image.byteCount
    case .kdump(let image): image.byteCount
    case .live(let memory): memory.byteCount
    }
  }

  /// Whether every byte of `range` is memory of the machine, stored here or not.
  @inlinable
  public func contains(_ range: PhysicalRange) -> Bool {
    switch self {
    case .raw(let image): image.contains(range)
    case .elf(let image): image.contains(range)
    case .kdump(let image): image.contains(range)
    case .live(let memory): memory.contains(range)
    }
  }

  /// Calls `body` with the bytes of `range`, or gives nil when one of them is not stored.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    switch self {
    case .raw(let image): try image.withBytes(in: range, body)
    case .elf(let image): try image.withBytes(in: range, body)
    case .kdump(let image): try image.withBytes(in: range, body)
    case .live(let memory): try memory.withBytes(in: range, body)
    }
  }

  /// The first run of stored bytes at or after `address`, cut to start no earlier.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    switch self {
    case .raw(let image): image.storedRange(atOrAfter: address)
    case .elf(let image): image.storedRange(atOrAfter: address)
    case .kdump(let image): image.storedRange(atOrAfter: address)
    case .live(let memory): memory.storedRange(atOrAfter: address)
    }
  }

  /// Lets the kernel take back the pages that `range` was read from.
  public func finishedReading(_ range: PhysicalRange) {
    switch self {
    case .raw(let image): image.finishedReading(range)
    case .elf(let image): image.finishedReading(range)
    case .kdump(let image): image.finishedReading(range)
    case .live(let memory): memory.finishedReading(range)
    }
  }
}
