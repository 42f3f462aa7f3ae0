import KexecHandover
import SystemPackage

/// What must not happen, in a sentence.
struct TortureFailure: Error {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }

  /// Does `body`, which must not fail.
  static func unless<Result: ~Copyable>(
    _ action: String, _ body: () throws(PreservedMemoryError) -> Result
  ) throws(TortureFailure) -> Result {
    do throws(PreservedMemoryError) { return try body() } catch {
      throw TortureFailure("\(action): \(error.sentence)")
    }
  }
}

extension TortureJournal {
  /// Opens the memory file, or makes the one that the journal describes if none exists.
  func openMemory(at path: FilePath) throws(PreservedMemoryError) -> PreservedMemory {
    if let file = try openFile(path) { return try PreservedMemory(adopting: file) }
    return try PreservedMemory(
      creating: .path(path), byteCount: self[.byteCount], growableTo: self[.capacity],
      geometry: geometry)
  }

  /// Opens the memory file; nil if none exists.
  func openFile(_ path: FilePath) throws(PreservedMemoryError) -> MemoryFile? {
    do throws(MemoryFileError) {
      return try MemoryFile.open(path, growableTo: self[.capacity])
    } catch {
      if error == .cannotOpen(.noSuchFileOrDirectory) { return nil }
      throw .file(error)
    }
  }
}
