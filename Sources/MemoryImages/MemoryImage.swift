public import MemoryModel
public import SystemPackage

/// A file that holds a machine's memory, in whatever format it came.
public enum MemoryImage: PhysicalMemory, Sendable {
  /// Bytes from one base address on.
  case raw(RawImage)
  /// An ELF core file.
  case elf(ELFCoreImage)

  /// Opens the file at `path`, finding out its format from its first bytes.
  ///
  /// - Parameter base: the physical address of the first byte, for a raw image; an ELF file carries
  ///   its own addresses.
  /// - Throws: `baseAddressMissing` for a raw image without a base, `baseAddressUnexpected` for an
  ///   ELF file with one; `compressedDump`, `flattenedDump` for formats that cannot be read; what
  ///   ``RawImage/init(opening:base:)`` and ``ELFCoreImage/init(opening:)`` throw.
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
    if start.starts(with: "KDUMP   ".utf8) || start.starts(with: "DISKDUMP".utf8) {
      throw .compressedDump
    }
    if start.starts(with: "makedumpfile".utf8) { throw .flattenedDump }
    guard let base else { throw .baseAddressMissing }
    return .raw(try RawImage(file, base: base))
  }

  /// The number of bytes that the image stores, holes of the file included.
  @inlinable
  public var byteCount: UInt64 {
    switch self {
    case .raw(let image): image.byteCount
    case .elf(let image): image.byteCount
    }
  }

  /// Whether every byte of `range` is memory of the machine, stored here or not.
  @inlinable
  public func contains(_ range: PhysicalRange) -> Bool {
    switch self {
    case .raw(let image): image.contains(range)
    case .elf(let image): image.contains(range)
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
    }
  }

  /// The first run of stored bytes at or after `address`, cut to start no earlier.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    switch self {
    case .raw(let image): image.storedRange(atOrAfter: address)
    case .elf(let image): image.storedRange(atOrAfter: address)
    }
  }

  /// Lets the kernel take back the pages that `range` was read from.
  public func finishedReading(_ range: PhysicalRange) {
    switch self {
    case .raw(let image): image.finishedReading(range)
    case .elf(let image): image.finishedReading(range)
    }
  }
}
