internal import SystemPackage

extension PreservedMemory {
  /// Opens the memory file called `name` in ``MemoryFile/privateFolder()``, or makes it if it does not exist.
  ///
  /// - Parameters:
  ///   - name: the name of the file in that folder.
  ///   - byteCount: the size of a new file, in bytes; it takes storage as it is used.
  ///   - capacity: the size up to which the file grows by itself.
  /// - Throws: ``PreservedMemoryError``.
  /// - Precondition: `name` is one component of a path, and not `.` or `..`.
  public static func open(
    named name: String, byteCount: UInt64 = 64 << 20, growableTo capacity: UInt64 = standardCapacity
  ) throws(PreservedMemoryError) -> PreservedMemory {
    guard let component = FilePath.Component(name), component.kind == .regular else {
      preconditionFailure("not the name of a file: \(name)")
    }
    let folder: FilePath
    do throws(MemoryFileError) { folder = try MemoryFile.privateFolder() } catch {
      throw .file(error)
    }
    return try open(folder.appending(component), byteCount: byteCount, growableTo: capacity)
  }
}
