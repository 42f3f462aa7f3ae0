public import MemoryAccess

/// A machine's memory, in whatever format it came.
@nonexhaustive
public enum MemoryImage: PhysicalMemory, Sendable {
  /// Bytes without a header, at base addresses that the caller gave.
  case raw(RawImage)
  /// An ELF core file.
  case elf(ELFCoreImage)
  /// A dump of LiME, or an uncompressed one of AVML.
  case lime(LiMEImage)
  /// A compressed dump of AVML.
  case avml(AVMLImage)
  /// A compressed dump of makedumpfile or QEMU.
  case kdump(KdumpImage)
  /// No file: the memory of the running system.
  case live(LiveMemory)

  /// The machine that the image says it is of; nil where it does not say.
  public var machine: ELFMachine? {
    switch self {
    case .raw, .lime, .avml: nil
    case .elf(let image): image.machine
    case .kdump(let image): image.machine
    case .live(let memory): memory.machine
    }
  }

  /// The VMCOREINFO that the kernel left, lines `KEY=VALUE`; nil if none exists.
  public var vmcoreInfo: [UInt8]? {
    switch self {
    case .raw, .lime, .avml: nil
    case .elf(let image): image.vmcoreInfo
    case .kdump(let image): image.vmcoreInfo
    case .live(let memory): memory.vmcoreInfo
    }
  }

  /// The page size in bytes that the kernel noted in its VMCOREINFO (line `PAGESIZE=`); nil where
  /// the note is missing, or its value is not a power of two from 16 to 2^20.
  public var vmcoreInfoPageByteCount: Int? {
    switch self {
    case .raw, .lime, .avml: nil
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
    case .lime(let image): image.byteCount
    case .avml(let image): image.byteCount
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
    case .lime(let image): image.contains(range)
    case .avml(let image): image.contains(range)
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
    // Reading through `SegmentedImage` copies its `memory`, three references, each time.
    case .raw(let image): try image.memory.withBytes(in: range, body)
    case .elf(let image): try image.memory.withBytes(in: range, body)
    case .lime(let image): try image.memory.withBytes(in: range, body)
    case .avml(let image): try image.withBytes(in: range, body)
    case .kdump(let image): try image.withBytes(in: range, body)
    case .live(let memory): try memory.withBytes(in: range, body)
    }
  }

  /// The first run of stored bytes at or after `address`, cut to start no earlier.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    switch self {
    case .raw(let image): image.storedRange(atOrAfter: address)
    case .elf(let image): image.storedRange(atOrAfter: address)
    case .lime(let image): image.storedRange(atOrAfter: address)
    case .avml(let image): image.storedRange(atOrAfter: address)
    case .kdump(let image): image.storedRange(atOrAfter: address)
    case .live(let memory): memory.storedRange(atOrAfter: address)
    }
  }

  /// Lets the kernel take back the pages that `range` was read from.
  public func finishedReading(_ range: PhysicalRange) {
    switch self {
    case .raw(let image): image.finishedReading(range)
    case .elf(let image): image.finishedReading(range)
    case .lime(let image): image.finishedReading(range)
    case .avml: break
    case .kdump(let image): image.finishedReading(range)
    case .live(let memory): memory.finishedReading(range)
    }
  }

  /// What the file should hold of the machine's memory and does not; nil where it is whole.
  ///
  /// - Complexity: O(segments), or O(bytes of the bitmaps) of a compressed dump.
  public var shortfall: ImageShortfall? {
    switch self {
    case .raw(let image): image.memory.file.shortfall
    case .elf(let image): image.shortfall
    case .lime(let image): image.shortfall
    case .avml(let image): image.shortfall
    case .kdump(let image): image.shortfall
    case .live: nil
    }
  }

  /// How many bytes from `address` on exist and are zeros that the dump leaves out; 0 where the byte at
  /// `address` is stored, does not exist, or was left out for another reason.
  ///
  /// - Complexity: O(log *n*) for *n* segments; of a compressed dump, O(1).
  public func leftOutZeros(from address: PhysicalAddress) -> UInt64 {
    switch self {
    case .elf(let image): image.leftOutZeros(from: address)
    case .kdump(let image): image.leftOutZeros(from: address)
    case .raw, .lime, .avml, .live: 0
    }
  }
}
