public import MemoryAccess
internal import Platform
public import Synchronization
internal import SystemPackage

/// A file that is the physical memory of a process, and of the processes after it.
///
/// A physical address is an offset in the file. The file is mapped, shared, into addresses that
/// were reserved for its capacity, so what is mapped stays where it is while the file grows:
///
///     0            byteCount              capacity
///     ├─ the file ─┤- not there yet ------┤
///
/// Two things can end a process that touches mapped bytes, with SIGBUS: bytes that another program
/// cut off, and a store into a hole of a file on a full file system. Against the first, a memfd is
/// sealed and a file at a path is for its owner alone; against the second there is ``back(_:)``.
///
/// `@unchecked Sendable`: the pointer and the descriptor never change, what does is atomic or
/// behind a lock, and the bytes are shared by the rules of `WritablePhysicalMemory`: one writer
/// at a time.
@safe
public final class MemoryFile: WritablePhysicalMemory, @unchecked Sendable {
  /// The size up to which the file can grow here, in bytes.
  public let capacity: UInt64
  /// What the file is made of.
  public let storage: MemoryFileStorage
  /// Which file it is.
  public let identity: FileIdentity

  /// Where offset 0 is mapped.
  @usableFromInline
  let base: UnsafeMutableRawPointer

  /// The number of bytes that may be touched: mapped, and in the file.
  @usableFromInline
  let presentByteCount: Atomic<UInt64>

  let addresses: AddressReservation
  let file: OwnedDescriptor
  let pageByteCount: UInt64
  /// The process that opened it. A forked child removes no file of its parent.
  private let processID = SystemCalls.processID
  let state: Mutex<State>

  /// What changes, one thread at a time.
  struct State: Sendable {
    var name: Name
    var backed: BackedChunks
    /// How many bytes may be backed until the limit of the control group is looked at again.
    var uncheckedByteCount: UInt64 = 0
  }

  /// How the file is called.
  enum Name: Sendable {
    case none
    case path(FilePath)
    /// Will be `path`; until then it is not found, or has a name that is not looked for.
    case unpublished(path: FilePath, temporary: FilePath?)
  }

  /// Maps a file that was just opened or made.
  init(
    mapping file: consuming OwnedDescriptor, _ status: FileStatus, _ storage: MemoryFileStorage,
    growableTo capacity: UInt64?, name: Name, isWritable: Bool = true
  ) throws(MemoryFileError) {
    let byteCount = status.byteCount
    guard byteCount <= capacity ?? byteCount else {
      throw .beyondCapacity(byteCount: byteCount, capacity: capacity ?? byteCount)
    }
    let pageByteCount = storage.pageByteCount
    self.capacity = Self.rounded(capacity ?? byteCount, to: pageByteCount)
    // Where pages of 2 MiB can be had, they need an aligned address.
    let alignment = max(pageByteCount, 1 << 21)
    do throws(Errno) {
      addresses = try AddressReservation.mapping(
        0..<Self.rounded(byteCount, to: pageByteCount), of: file.descriptor,
        capacity: self.capacity, alignment: alignment, isWritable: isWritable)
    } catch {
      throw .cannotMap(byteCount: self.capacity, error)
    }
    self.storage = storage
    self.identity = status.identity
    self.pageByteCount = pageByteCount
    // SAFETY: kept as long as `addresses`, which is as long as this object.
    unsafe self.base = addresses.start
    self.presentByteCount = Atomic(byteCount)
    self.state = Mutex(
      State(
        name: name,
        backed: BackedChunks(
          log2ByteCount: UInt64(alignment.trailingZeroBitCount), capacity: self.capacity)))
    self.file = file
  }

  deinit {
    guard processID == SystemCalls.processID,
      case .unpublished(_, let temporary?) = state.withLock({ $0.name })
    else { return }
    try? SystemCalls.unlink(temporary)
  }

  /// The next multiple of `unit`, a power of two; the last one if no next one exists.
  static func rounded(_ byteCount: UInt64, to unit: UInt64) -> UInt64 {
    let (sum, overflow) = byteCount.addingReportingOverflow(unit &- 1)
    return (overflow ? .max : sum) & ~(unit &- 1)
  }
}
