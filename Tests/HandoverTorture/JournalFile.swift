import KHOCommands
import KexecHandover
import SystemPackage

/// A mapped file of words that a process shares with the process that kills it; each store survives the kill.
///
///     word  0        a magic number
///           1 to 63  the other fields of the header
///          64        what else a journal has
struct JournalFile<Field: RawRepresentable> where Field.RawValue == Int {
  let file: MemoryFile

  static var headerWordCount: Int { 64 }

  /// A new file.
  ///
  /// - Throws: ``CommandFailure`` if the file cannot be made.
  init(creating path: FilePath, byteCount: UInt64, magic: UInt64) throws(CommandFailure) {
    do throws(MemoryFileError) {
      file = try MemoryFile.create(.path(path), byteCount: byteCount)
      self[word: 0] = magic
      try file.publish()
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
  }

  /// The file of the process that started this one.
  ///
  /// - Throws: ``CommandFailure`` if the file cannot be opened or has another size or magic number.
  init(opening path: String, byteCount: UInt64, magic: UInt64) throws(CommandFailure) {
    do throws(MemoryFileError) { file = try MemoryFile.open(FilePath(path)) } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    guard file.byteCount >= byteCount, self[word: 0] == magic else {
      throw .badInput("\(path): the file is not the journal of a torture")
    }
  }

  subscript(field: Field) -> UInt64 {
    get { self[word: field.rawValue] }
    nonmutating set { self[word: field.rawValue] = newValue }
  }

  private subscript(word index: Int) -> UInt64 {
    get { file.withWords(at: .zero, count: Self.headerWordCount) { $0.load(index) } }
    nonmutating set {
      file.withWords(at: .zero, count: Self.headerWordCount) { $0.publish(newValue, at: index) }
    }
  }

  /// The page size of a memory file, from a field of the journal.
  func geometry(_ pageShift: Field) -> PageGeometry {
    PageGeometry(shift: Int(min(max(self[pageShift], 12), 16)))
  }
}
