public import Handover
public import MemoryAccess
public import MemoryImages
public import SystemPackage

/// Why a handover cannot be forged, or cannot be made to boot.
@nonexhaustive
public enum ForgeError: Error, Equatable, Sendable {
  // What goes in.

  /// A file cannot be read: open(2) or read(2).
  case cannotRead(FilePath, Errno)
  /// A file has become shorter while it was read.
  case fileBecameShorter(FilePath)
  /// A name has to have 1 to so many bytes, none of them 0.
  case nameInvalid(String, limit: Int)
  /// A region's size is 0, not whole pages, or smaller than its contents.
  case regionSizeInvalid(name: String, byteCount: UInt64)
  /// The handover has nothing to which this damage can be done.
  case nothingToDamage(String)
  /// A blob without a byte.
  case blobEmpty(name: String)
  /// Two sessions have one name, or two files of a session one token.
  case repeated(String)

  // Where it goes.

  /// The range is not whole pages, or overlaps another, or is not memory.
  case rangeInvalid(PhysicalRange)
  /// The place is full; so many bytes in one piece were wanted.
  case placeFull(frameCount: UInt64)
  /// The memory cannot be had in this process.
  case memory(MemoryImageError)
  /// The handover refused.
  case handover(OutgoingHandoverError)

  // How it boots.

  /// The machine's device tree cannot be read, or cannot take more.
  case deviceTreeInvalid(reason: String)
  /// The kernel is not a bzImage of x86-64 that can be loaded in 32-bit mode.
  case kernelNotBootable(reason: String)
  /// No run of free memory has so many bytes, for the kernel and what goes with it.
  case noRoom(byteCount: UInt64)
  /// An address at 4 GiB or above, which the 32-bit entry cannot reach.
  case beyond4GiB(PhysicalRange)
  /// Nothing of the handover says where the memory that is to be replayed is stored.
  case nothingStored
}

extension ForgeError: CustomStringConvertible {
  /// One sentence without a full stop.
  public var description: String {
    switch self {
    case .cannotRead(let path, let errno): "\(path): cannot be read (\(errno))"
    case .fileBecameShorter(let path): "\(path): became shorter while it was read"
    case .nameInvalid(let name, let limit):
      "the name \(name.debugDescription) cannot be used: it needs 1 to \(limit) bytes, none of them 0"
    case .regionSizeInvalid(let name, let byteCount):
      "the region \(name.debugDescription) has \(byteCount) bytes: it needs whole pages, enough for its contents"
    case .nothingToDamage(let code):
      "the handover has nothing to which the damage \(code) can be done: forge one with sessions of files, "
        + "reserve_mem and test folios of all orders"
    case .blobEmpty(let name):
      "the blob \(name.debugDescription) is empty: it needs at least one byte"
    case .repeated(let what): "\(what) is given twice"
    case .rangeInvalid(let range):
      "\(range) cannot be used: it needs whole pages of the machine's memory, used for nothing else"
    case .placeFull(let frameCount):
      "the handover does not fit where it is placed: \(frameCount) more pages in one piece are needed"
    case .memory(let error): error.description
    case .handover(let error): "the handover refused: \(error)"
    case .deviceTreeInvalid(let reason):
      "is not a device tree that the handover can be added to: \(reason)"
    case .kernelNotBootable(let reason): "the kernel cannot be booted this way: \(reason)"
    case .noRoom(let byteCount):
      "no \(byteCount) bytes of memory in one piece are free for the kernel: give the machine more memory"
    case .beyond4GiB(let range):
      "\(range) reaches beyond 4 GiB, and what is loaded with one ELF file has to be below"
    case .nothingStored: "the image stores no memory of a handover to replay"
    }
  }
}
