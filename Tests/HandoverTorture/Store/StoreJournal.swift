import KHOCommands
import KexecHandover
import SystemPackage

/// What a process that works on a store was about to do: a mapped file of its own, so that it survives
/// with every store that the process made.
///
/// Which operation has a number follows from the seed, so the journal contains numbers only.
struct StoreJournal {
  private let file: JournalFile<Field>

  /// "KHOSTORE".
  private static let magic: UInt64 = 0x4552_4f54_534f_484b
  private static let byteCount: UInt64 = 4096

  /// The words of the journal.
  enum Field: Int {
    case magic
    /// Where the operations come from; where the order comes from in which a process opens collections.
    case seed, orderSeed
    /// The number of collections.
    case collectionCount
    case pageShift, capacity
    /// The number of the next operation when the process starts, and when it ends by itself.
    case firstNumber, lastNumber
    /// The numbers of the operations that were begun, and that have ended.
    case begun, ended
    /// 1 where the timer starts before the memory is opened; else it starts with operation `killNumber`.
    case killsOpening, killNumber
    /// How many nanoseconds the process lives from then on.
    case lifetime
    /// How many nanoseconds the last opening took.
    case openingTime
    /// 1 from the moment on at which the store is open.
    case isOpen
  }

  /// A new journal.
  init(creating path: FilePath) throws(CommandFailure) {
    file = try JournalFile(creating: path, byteCount: Self.byteCount, magic: Self.magic)
  }

  /// The journal of the process that started this one.
  init(opening path: String) throws(CommandFailure) {
    file = try JournalFile(opening: path, byteCount: Self.byteCount, magic: Self.magic)
  }

  subscript(field: Field) -> UInt64 {
    get { file[field] }
    nonmutating set { file[field] = newValue }
  }

  /// The page size of the memory file.
  var geometry: PageGeometry { file.geometry(.pageShift) }

  /// Opens the memory file, or makes it.
  func openMemory(at path: FilePath) throws(PreservedMemoryError) -> PreservedMemory {
    let file: MemoryFile
    do throws(MemoryFileError) {
      file = try MemoryFile.open(path, growableTo: self[.capacity])
    } catch {
      guard case .cannotOpen(.noSuchFileOrDirectory) = error else { throw .file(error) }
      return try PreservedMemory(
        creating: .path(path), byteCount: 1 << 20, growableTo: self[.capacity],
        geometry: geometry)
    }
    return try PreservedMemory(adopting: file)
  }
}
