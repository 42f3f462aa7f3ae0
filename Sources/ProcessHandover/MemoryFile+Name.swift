internal import Platform
internal import Synchronization
public import SystemPackage

extension MemoryFile {
  /// The path the file was published at or opened by; nil of a memfd, and before publication.
  public var path: FilePath? {
    state.withLock { if case .path(let path) = $0.name { path } else { nil } }
  }

  /// Lets a new file appear at its path, unless there is one.
  ///
  /// On a disk the contents come first, so that not even a loss of power shows the name without
  /// them. A memfd, or a file that has its name, stays as it is.
  ///
  /// - Throws: `alreadyExists`, `cannotPublish`, and nothing has changed; `cannotSynchronize`,
  ///   where ``path`` says whether the file has its name.
  public func publish() throws(MemoryFileError) {
    try state.withLock { (state) throws(MemoryFileError) in
      guard case .unpublished(let path, let temporary) = state.name else { return }
      if storage == .disk { try synchronize(file.descriptor) }
      do throws(Errno) {
        if let temporary {
          try SystemCalls.link(path: temporary, to: path)
        } else {
          try SystemCalls.link(file.descriptor, to: path)
        }
      } catch {
        throw error == .fileExists ? .alreadyExists : .cannotPublish(error)
      }
      state.name = .path(path)
      if let temporary { try? SystemCalls.unlink(temporary) }
      if storage == .disk { try synchronizeFolder(of: path) }
    }
  }

  private func synchronize(_ descriptor: FileDescriptor) throws(MemoryFileError) {
    do throws(Errno) {
      try SystemCalls.synchronize(descriptor)
    } catch {
      throw .cannotSynchronize(error)
    }
  }

  private func synchronizeFolder(of path: FilePath) throws(MemoryFileError) {
    let folder: OwnedDescriptor
    do throws(Errno) {
      folder = OwnedDescriptor(
        try SystemCalls.open(path.folder, .readOnly, options: .directory))
    } catch {
      throw .cannotSynchronize(error)
    }
    try synchronize(folder.descriptor)
  }
}
