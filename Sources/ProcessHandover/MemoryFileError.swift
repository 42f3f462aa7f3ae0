public import SystemPackage

/// Why a memory file cannot be had, or cannot do what was asked.
@nonexhaustive
public enum MemoryFileError: Error, Equatable, Sendable {
  // The file.

  /// open(2) failed.
  case cannotOpen(Errno)
  /// The file could not be made: open(2) or memfd_create(2).
  case cannotCreate(Errno)
  /// A file exists at the path.
  case alreadyExists
  /// The path or the descriptor is that of a directory.
  case isDirectory
  /// The path or the descriptor is that of a device, a pipe or a socket.
  case notRegularFile
  /// The path is that of a symbolic link to a file that does not exist.
  case danglingLink
  /// The path is that of a symbolic link in a folder that every user may write, so any user may have made
  /// it.
  case untrustedLink
  /// The file is another user's, who can change it and cut it off at any time.
  case foreignOwner(userID: UInt32)
  /// Other users may write the file: its mode.
  case writableByOthers(permissions: UInt32)
  /// The folder for this user's memory files, `/dev/shm/UID-memory`, is not this user's alone.
  case untrustedFolder
  /// The file holds no byte.
  case emptyFile
  /// The descriptor is not open for reading and writing.
  case notWritable
  /// fstat(2), fstatfs(2) or fcntl(2) failed.
  case cannotInspect(Errno)
  /// The name could not be given: linkat(2).
  case cannotPublish(Errno)

  // Its size.

  /// ftruncate(2) to `byteCount` bytes failed.
  case cannotResize(byteCount: UInt64, Errno)
  /// A file of `byteCount` bytes does not fit into the `capacity` it was opened with.
  case beyondCapacity(byteCount: UInt64, capacity: UInt64)
  /// `byteCount` bytes cannot be mapped: mmap(2).
  case cannotMap(byteCount: UInt64, Errno)

  // Its storage.

  /// The file system, or the pool of huge pages, has no more room.
  case outOfSpace
  /// The process's control group may not take `byteCount` bytes more memory under its limit; the kernel
  /// would end the process.
  case beyondMemoryLimit(byteCount: UInt64, limit: UInt64)
  /// The file is being kept for a kernel update, or is sealed: it can neither grow nor give storage back.
  /// What is stored in it can be read and written.
  case frozen
  /// Storage could not be had for another reason: fallocate(2) or pwrite(2).
  case cannotBack(Errno)
  /// Storage could not be given back: fallocate(2).
  case cannotRelease(Errno)
  /// What was written may not be on the disk: msync(2) or fsync(2).
  case cannotSynchronize(Errno)
}
