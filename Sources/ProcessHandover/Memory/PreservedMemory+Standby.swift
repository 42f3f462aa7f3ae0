internal import Platform
public import SystemPackage

extension PreservedMemory {
  /// Waits until no process uses the memory file at `path`: for a standby, which makes everything ready and serves once
  /// the process that serves ends.
  ///
  /// The call returns as soon as the kernel has released the lock of that process, however the process ended, and at
  /// once if no file is at `path` or no process uses it. Memory that is handed over keeps its lock, so an upgrade does
  /// not end the wait. If the file is replaced, the call waits for the new one.
  ///
  /// ```swift
  /// // All that takes time, and does not need the memory, comes first.
  /// try PreservedMemory.awaitRelease(of: path)
  /// let memory = try PreservedMemory.open(path)
  /// ```
  ///
  /// Of several standbys, all are woken, and one gets the memory: `open` throws ``PreservedMemoryError/heldByAnother(_:)``
  /// in the others, which wait again.
  ///
  /// The call blocks its thread for as long as it waits.
  ///
  /// - Throws: ``PreservedMemoryError/file(_:)`` where a file at `path` cannot be opened or is none of memory;
  ///   ``PreservedMemoryError/heldByAnother(_:)`` with `cannotLock` where its file system has no locks.
  /// - Complexity: O(1) system calls for each file that is at `path` meanwhile.
  public static func awaitRelease(of path: FilePath) throws(PreservedMemoryError) {
    while true {
      let file: OwnedDescriptor
      do throws(Errno) { file = OwnedDescriptor(try SystemCalls.open(path, .readOnly)) } catch {
        guard error != .noSuchFileOrDirectory else { return }
        throw .file(.cannotOpen(error))
      }
      let identity: FileIdentity
      do throws(MemoryFileError) {
        identity = try MemoryFile.status(of: file.descriptor).identity
      } catch {
        throw .file(error)
      }
      do throws(Errno) { try SystemCalls.awaitLock(file.descriptor) } catch {
        throw .heldByAnother(.cannotLock(error))
      }
      // Merely closed, it would last as long as a copy that a child has until it calls execve(2).
      try? SystemCalls.unlock(file.descriptor)
      guard let present = try? SystemCalls.status(at: path).identity, present != identity else {
        return
      }
    }
  }
}
