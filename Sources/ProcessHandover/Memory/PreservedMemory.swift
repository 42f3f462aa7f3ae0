public import Handover
public import MemoryAccess
import MemoryImages
import PreservedPages
public import SystemPackage

/// A process's memory that survives it: allocated, named, and found again by the next process.
///
///     var memory = try PreservedMemory.open(named: "service")
///     let table = try memory.region(named: "table") ?? memory.makeRegion(named: "table", byteCount: 1 << 20)
///     memory.withMutableBytes(of: table) { … }
///
/// The memory is a ``MemoryFile``, and what is preserved of it is a handover in Linux's format. The
/// successor, a new binary after exec, a restart after kill -9, has all of it back by opening the
/// file: nothing is copied, and what it takes does not depend on how much there is.
///
/// Each operation leaves, at whatever instruction the process is killed, the state before or after
/// it. The bytes inside a region are the owner's: stores to them are seen in the order in which the
/// processor made them.
///
/// One process at a time, and in it one thread at a time, uses the value. The value holds the lock that
/// keeps the others out: keep it where it lives as long as the service, since a local variable that is
/// not used any more may be gone before its scope ends.
public struct PreservedMemory: ~Copyable {
  typealias Outgoing = OutgoingHandover<MemoryFile, Superblock<MemoryFile>>

  /// How the memory came to this process.
  @nonexhaustive
  public enum Origin: Hashable, Sendable {
    /// It is new.
    case created
    /// A predecessor left it: the generation before the given one.
    case adopted(generation: UInt64)
  }

  /// The file.
  public let file: MemoryFile
  /// How the memory came to this process.
  public let origin: Origin

  var lock: MemoryLock
  var outgoing: Outgoing
  var frames: FileFrames
  /// What was found when the memory was taken over; nil once the allocator knows it.
  var foundPages: PreservedPagesSurvey?
  /// Whether the tree may have empty nodes that the predecessor left.
  var mayHaveEmptyNodes = false
  /// Whether the memory is in a file on a disk, and the kernel has been started again since a process last had
  /// it, and no program has called ``confirmWhole()``.
  ///
  /// After an orderly shutdown, all of it is there. After a loss of power, or a crash of the kernel, any page may
  /// be as it was earlier. The tree and the device tree were checked when the memory was opened, and
  /// `PersistentStore` checks the structure of its collections; bytes of regions and values may be old.
  public private(set) var mayBeTorn = false
  /// Whether no frame was allocated or freed since ``gather(forFrames:)`` ran.
  var isGathered = false

  /// The size up to which a file grows where nothing else is said: 1 TiB, or what the file has.
  public static var standardCapacity: UInt64 { 1 << 40 }

  /// The page size.
  public var geometry: PageGeometry { outgoing.geometry }
  /// How many processes had the memory before this one.
  public var generation: UInt64 { outgoing.anchor.state.generation }
  /// How many bytes of the file are memory, free or not.
  public var byteCount: UInt64 { outgoing.anchor.state.byteCount }
  /// A number that identifies a memory file.
  public var identity: MemoryFileIdentity { outgoing.anchor.identity }

  /// Opens the memory file at `path`, or makes it if it does not exist.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - byteCount: the size of a new file, in bytes; it takes storage as it is used.
  ///   - capacity: the size up to which the file grows by itself.
  ///   - trust: which existing files are used: by default this user's, which no other user may write.
  /// - Throws: ``PreservedMemoryError``.
  public static func open(
    _ path: FilePath, byteCount: UInt64 = 64 << 20, growableTo capacity: UInt64 = standardCapacity,
    trusting trust: MemoryFileTrust = .ownFiles
  ) throws(PreservedMemoryError) -> PreservedMemory {
    var attemptCount = 0
    while true {
      let file: MemoryFile
      do throws(MemoryFileError) {
        file = try openFile(path, growableTo: capacity, trust)
      } catch {
        guard case .cannotOpen(.noSuchFileOrDirectory) = error else { throw .file(error) }
        do throws(PreservedMemoryError) {
          return try PreservedMemory(
            creating: .path(path), byteCount: byteCount, growableTo: capacity)
        } catch {
          // Another process was faster: its file is opened. One that appears and is gone again, over
          // and over, is not waited for.
          attemptCount += 1
          guard case .file(.alreadyExists) = error, attemptCount < 16 else { throw error }
          continue
        }
      }
      return try PreservedMemory(adopting: file)
    }
  }

  /// Opens the file with room for what it has, where that is more than `capacity`.
  private static func openFile(
    _ path: FilePath, growableTo capacity: UInt64, _ trust: MemoryFileTrust
  ) throws(MemoryFileError) -> MemoryFile {
    do throws(MemoryFileError) {
      return try MemoryFile.open(path, growableTo: capacity, trusting: trust)
    } catch {
      guard case .beyondCapacity = error else { throw error }
    }
    return try MemoryFile.open(path, trusting: trust)
  }

  /// Makes new memory.
  ///
  /// - Throws: ``PreservedMemoryError``.
  /// - Precondition: pages are of 4 to 64 KiB, and `version` is one that is written.
  public init(
    creating place: MemoryFilePlace, byteCount: UInt64 = 64 << 20,
    growableTo capacity: UInt64 = standardCapacity, geometry: PageGeometry = .pages4KiB,
    version: ABIVersion = .v4
  ) throws(PreservedMemoryError) {
    let file: MemoryFile
    do throws(MemoryFileError) {
      let atLeast = UInt64(16 * geometry.pageByteCount)
      file = try MemoryFile.create(
        place, byteCount: max(byteCount, atLeast), growableTo: max(capacity, byteCount, atLeast))
      // The superblock is written before frames are backed one by one.
      try file.back(PhysicalRange(start: .zero, byteCount: UInt64(geometry.pageByteCount)))
    } catch {
      throw .file(error)
    }
    let lock = try Self.lock(file)
    let wholeByteCount = file.byteCount & ~(UInt64(geometry.pageByteCount) - 1)
    var superblock = Superblock(
      formatting: file, geometry: geometry, byteCount: wholeByteCount, identity: .random())
    superblock.store {
      $0.writer = .current
      $0.boot = KernelBoot.current
    }
    try self.init(
      beginningIn: file, consume superblock, lock: consume lock, version: version)
  }

  /// Takes over the memory in `file`, as a successor does, and completes what a predecessor was
  /// killed in.
  ///
  /// - Throws: ``PreservedMemoryError``; the file is as it was then.
  public init(adopting file: MemoryFile) throws(PreservedMemoryError) {
    try self.init(adopting: file, lock: Self.lock(file))
  }

  init(adopting file: MemoryFile, lock: consuming WriterLock) throws(PreservedMemoryError) {
    let contents = try Self.read(file)
    guard contents.survey != nil else {
      // Its maker was killed before it had begun; nothing was preserved.
      var superblock = try Self.superblock(of: file)
      superblock.forgetNext()
      superblock.store {
        $0.writer = .current
        $0.boot = KernelBoot.current
      }
      try self.init(beginningIn: file, superblock, lock: lock, version: .v4)
      return
    }
    var adopted: AdoptedHandover<MemoryFile>
    do throws(MemoryContentsError) { adopted = try AdoptedHandover(contents, in: file) } catch {
      throw .contents(error)
    }
    let boot = adopted.outgoing.anchor.state.boot
    let mayBeTorn = file.storage == .disk && boot != 0 && boot != KernelBoot.current
    adopted.outgoing.anchor.store {
      $0.generation &+= 1
      $0.writer = .current
      if !mayBeTorn { $0.boot = KernelBoot.current }
    }
    let pages = adopted.pages
    self.init(
      file, .adopted(generation: adopted.outgoing.anchor.state.generation), lock: lock,
      outgoing: adopted.takeOutgoing(),
      frames: FileFrames(of: file, geometry: contents.superblock.geometry), pages)
    self.mayBeTorn = mayBeTorn
  }

  /// Records that the program has checked the memory: ``mayBeTorn`` is false from then on, also in the next
  /// process.
  public mutating func confirmWhole() {
    guard mayBeTorn else { return }
    outgoing.anchor.store { $0.boot = KernelBoot.current }
    mayBeTorn = false
  }

  /// Begins a handover in a file that has none, and publishes the file.
  private init(
    beginningIn file: MemoryFile, _ superblock: consuming Superblock<MemoryFile>,
    lock: consuming WriterLock, version: ABIVersion
  ) throws(PreservedMemoryError) {
    let geometry = superblock.geometry
    var frames = FileFrames(of: file, geometry: geometry)
    do throws(MemoryImageError) {
      try frames.prepare(byteCount: superblock.state.byteCount, without: nil)
    } catch {
      throw .outOfProcessMemory(byteCount: error.byteCount ?? 0)
    }
    let outgoing: Outgoing
    do throws(OutgoingHandoverError) {
      outgoing = try OutgoingHandover(
        in: file, geometry: geometry, version: version, anchor: superblock, from: &frames)
    } catch {
      if let failure = frames.storageFailure { throw .outOfStorage(failure) }
      throw .handover(error)
    }
    // It appears under its name when all of it is in place.
    do throws(MemoryFileError) { try file.publish() } catch { throw .file(error) }
    self.init(file, .created, lock: lock, outgoing: outgoing, frames: frames, nil)
  }

  private init(
    _ file: MemoryFile, _ origin: Origin, lock: consuming WriterLock,
    outgoing: consuming Outgoing, frames: consuming FileFrames, _ foundPages: PreservedPagesSurvey?
  ) {
    self.file = file
    self.origin = origin
    self.lock = MemoryLock(lock)
    self.outgoing = outgoing
    self.frames = frames
    self.foundPages = foundPages
  }

  // MARK: Errors in this type's words

  static func lock(_ file: MemoryFile) throws(PreservedMemoryError) -> WriterLock {
    do throws(WriterLockError) { return try WriterLock.acquire(of: file) } catch {
      throw .heldByAnother(error)
    }
  }

  static func read(_ file: MemoryFile) throws(PreservedMemoryError) -> MemoryContents {
    do throws(MemoryContentsError) {
      let contents = try MemoryContents(reading: file)
      try contents.requireSound()
      return contents
    } catch {
      throw .contents(error)
    }
  }

  static func superblock(
    of file: MemoryFile
  ) throws(PreservedMemoryError) -> Superblock<MemoryFile> {
    do throws(SuperblockError) { return try Superblock(reading: file) } catch {
      throw .contents(.superblock(error))
    }
  }
}
