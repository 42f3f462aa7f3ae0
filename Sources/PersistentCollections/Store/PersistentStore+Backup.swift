import MemoryAccess
internal import Platform
import ProcessHandover
public import SystemPackage

extension PersistentStore {
  /// Copies the store to a new file at `path`, which is a memory file: `PersistentStore.open` and
  /// `kho store` read it.
  ///
  /// The copy has one state of all collections: threads that want to write wait until it is made, others
  /// read meanwhile. Of a store that was opened with ``openToRead(_:)``, the copy is made again if the other
  /// process changed the store meanwhile. The copy appears under its name when the disk has all of it; if that
  /// fails, nothing is left of it.
  ///
  /// - Throws: `Errno`: `resourceTemporarilyUnavailable` if another process changed its store during each of 8
  ///   attempts; `fileExists` if `path` exists, and the errors of open(2), write(2), fsync(2) and link(2).
  /// - Precondition: the store is open.
  /// - Complexity: O(bytes that are stored); takes a system call for each MiB.
  public func backUp(to path: FilePath) throws(Errno) {
    guard !SystemCalls.exists(path) else { throw .fileExists }
    let copy = OwnedDescriptor(
      try SystemCalls.openUnnamed(in: path.folder))
    let isCopied: Void? = try whileUnchanged { (file) throws(Errno) in
      // Nothing of an earlier attempt stays.
      try SystemCalls.resize(copy.descriptor, to: 0)
      try Self.copyMemory(of: file, to: copy.descriptor)
    }
    guard isCopied != nil else { throw .resourceTemporarilyUnavailable }
    try SystemCalls.synchronize(copy.descriptor)
    try SystemCalls.link(copy.descriptor, to: path)
  }

  /// Calls `body` with the store's memory, which no thread changes meanwhile; several times if another process
  /// has the store and changes it.
  ///
  /// - Returns: nil if it was changed during each of 8 attempts.
  func whileUnchanged<Result, Failure: Error>(
    _ body: (MemoryFile) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    if let reader {
      return try reader.whileUnchanged(attempts: 8) { () throws(Failure) in
        try body(reader.file)
      }
    }
    return try lock.read { () throws(Failure) -> Result in
      requireOpen()
      return try body(engine!.arena.storage.preserved.file)
    }
  }

  /// What identifies the memory under the store.
  ///
  /// - Precondition: the store is open.
  var memoryIdentity: MemoryFileIdentity {
    if let reader { return reader.identity }
    return lock.read {
      requireOpen()
      return engine!.arena.storage.preserved.identity
    }
  }

  private static func copyMemory(
    of file: MemoryFile, to descriptor: FileDescriptor
  ) throws(Errno) {
    try SystemCalls.resize(descriptor, to: file.byteCount)
    try file.forEachStoredChunk { (offset, bytes) throws(Errno) in
      try SystemCalls.write(bytes, to: descriptor, at: offset)
    }
  }
}
