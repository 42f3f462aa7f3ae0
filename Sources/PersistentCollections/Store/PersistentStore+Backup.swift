import MemoryAccess
internal import Platform
import ProcessHandover
public import SystemPackage

extension PersistentStore {
  /// Copies the store to a new file at `path`, which is a memory file: `PersistentStore.open` and
  /// `kho store` read it.
  ///
  /// The copy has one state of all collections: threads that want to write wait until it is made, others
  /// read meanwhile. Of a store that was opened with ``openToRead(_:)``, the copy is made anew where the
  /// other process changed the store meanwhile. It appears under its name when all of it is on the disk, and nothing is left of it
  /// where that fails.
  ///
  /// - Throws: `Errno`: `resourceTemporarilyUnavailable` where another process changed its store during
  ///   each of 8 attempts; `fileExists` where there is something at `path`, and whatever open(2), write(2),
  ///   fsync(2) and link(2) say.
  /// - Precondition: the store is open.
  /// - Complexity: O(bytes that are stored); takes a system call for each MiB.
  public func backUp(to path: FilePath) throws(Errno) {
    guard !SystemCalls.exists(path) else { throw .fileExists }
    let folder = path.removingLastComponent()
    let copy = OwnedDescriptor(
      try SystemCalls.openUnnamed(in: folder.isEmpty ? "." : folder))
    let isCopied: Void? = try whileUnchanged { (file) throws(Errno) in
      // Nothing of an earlier attempt stays.
      try SystemCalls.resize(copy.descriptor, to: 0)
      try Self.copyMemory(of: file, to: copy.descriptor)
    }
    guard isCopied != nil else { throw .resourceTemporarilyUnavailable }
    try SystemCalls.synchronize(copy.descriptor)
    try SystemCalls.link(copy.descriptor, to: path)
  }

  /// Calls `body` with the store's memory, which no thread changes meanwhile; several times where another
  /// process has the store and changes it.
  ///
  /// - Returns: nil where it was changed during each of 8 attempts.
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
  var memoryIdentity: MemoryFileIdentity {
    if let reader {
      return (try? SuperblockContents(reading: reader.file).identity)
        ?? MemoryFileIdentity(high: 0, low: 0)
    }
    return lock.read {
      requireOpen()
      return engine!.arena.storage.preserved.identity
    }
  }

  private static func copyMemory(
    of file: MemoryFile, to descriptor: FileDescriptor
  ) throws(Errno) {
    try SystemCalls.resize(descriptor, to: file.byteCount)
    var next = PhysicalAddress.zero
    while let stored = file.storedRange(atOrAfter: next), let last = stored.last {
      let chunk = PhysicalRange(start: stored.start, byteCount: min(stored.byteCount, 1 << 20))
      var failure: Errno?
      _ = file.withBytes(in: chunk) { bytes in
        do throws(Errno) {
          try SystemCalls.write(bytes, to: descriptor, at: chunk.start.rawValue)
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      let end = chunk.start.rawValue &+ chunk.byteCount
      guard end > next.rawValue, end <= last.rawValue &+ 1 else { return }
      next = PhysicalAddress(end)
    }
  }
}
