internal import CPlatform
package import SystemPackage

// Calls that open files and ask about them.

extension SystemCalls {
  /// open(2), close-on-exec. A FIFO without a peer does not block it.
  package static func open(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode,
    options: FileDescriptor.OpenOptions = []
  ) throws(Errno) -> FileDescriptor {
    let number = try performThrowing(.open) {
      try Int(
        FileDescriptor.open(
          path, mode, options: options.union([.closeOnExec, .nonBlocking])
        ).rawValue)
    }
    return FileDescriptor(rawValue: CInt(number))
  }

  /// open(2) of a device or a FIFO, to write into it, close-on-exec: waits for the reader of a FIFO.
  package static func openToWriteInto(_ path: FilePath) throws(Errno) -> FileDescriptor {
    let number = try performThrowing(.open) {
      try Int(FileDescriptor.open(path, .writeOnly, options: .closeOnExec).rawValue)
    }
    return FileDescriptor(rawValue: CInt(number))
  }

  /// open(2) of a file that does not exist yet, close-on-exec; by default only its owner can use it.
  package static func create(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode = .writeOnly,
    permissions: FilePermissions = .ownerReadWrite
  ) throws(Errno) -> FileDescriptor {
    let number = try performThrowing(.create) {
      try Int(
        FileDescriptor.open(
          path, mode, options: [.create, .exclusiveCreate, .closeOnExec],
          permissions: permissions
        ).rawValue)
    }
    return FileDescriptor(rawValue: CInt(number))
  }

  /// open(2) with O_TMPFILE: a file without a name, close-on-exec; by default only its owner can use it.
  package static func openUnnamed(
    in folder: FilePath, permissions: FilePermissions = .ownerReadWrite
  ) throws(Errno) -> FileDescriptor {
    let number = try perform(.openUnnamed) {
      // SAFETY: the string is a whole path, and outlives the call.
      unsafe folder.withPlatformString {
        unsafe kho_open_unnamed($0, CUnsignedInt(permissions.rawValue))
      }
    }
    return FileDescriptor(rawValue: number)
  }

  /// memfd_create(2); see `CPlatform.h`.
  package static func createMemfd(
    name: String, hugePageShift: UInt32
  ) throws(Errno) -> FileDescriptor {
    let number = try perform(.memfdCreate) {
      // SAFETY: the string ends with a zero byte, and outlives the call.
      unsafe name.withCString { unsafe kho_memfd_create($0, hugePageShift) }
    }
    return FileDescriptor(rawValue: number)
  }

  /// fcntl(2) with F_ADD_SEALS and F_SEAL_SHRINK.
  package static func sealAgainstShrinking(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.sealShrink) { kho_seal_shrink(descriptor.rawValue) }
  }

  /// fcntl(2) with F_GET_SEALS: none where the file cannot be sealed.
  package static func seals(of descriptor: FileDescriptor) -> FileSeals {
    FileSeals(rawValue: (try? perform(.getSeals) { kho_seals(descriptor.rawValue) }) ?? 0)
  }

  /// mkdir(2): a folder for its owner alone.
  package static func makeFolder(_ path: FilePath) throws(Errno) {
    try perform(.mkdir) {
      // SAFETY: the path is whole, and outlives the call.
      unsafe path.withPlatformString { path -> CInt in
        unsafe mkdir(path, 0o700) == 0 ? 0 : -errno
      }
    }
  }

  /// fstat(2).
  package static func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
    var status = stat()
    try perform(.fstat) {
      // SAFETY: `status` is a whole `struct stat` and outlives the call.
      unsafe fstat(descriptor.rawValue, &status) == 0 ? 0 : -errno
    }
    return FileStatus(status)
  }

  /// stat(2), or lstat(2) where a link at the end is not followed.
  package static func status(
    at path: FilePath, followsLinks: Bool = true
  ) throws(Errno) -> FileStatus {
    var status = stat()
    try perform(.stat) {
      // SAFETY: the path and `status` are whole and outlive the call.
      unsafe path.withPlatformString { path -> CInt in
        let result = unsafe followsLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? 0 : -errno
      }
    }
    return FileStatus(status)
  }

  /// fstatfs(2): the type of the file system, and the size of its blocks in bytes.
  package static func fileSystem(
    of descriptor: FileDescriptor
  ) throws(Errno) -> (type: UInt64, blockByteCount: UInt64) {
    var type: UInt64 = 0
    var blockByteCount: UInt64 = 0
    try perform(.fstatfs) {
      // SAFETY: both numbers outlive the call.
      unsafe kho_file_system(descriptor.rawValue, &type, &blockByteCount)
    }
    return (type, blockByteCount)
  }

  /// readlink(2); nil where the target is longer than any path.
  package static func target(ofLink path: FilePath) throws(Errno) -> FilePath? {
    var bytes = [CChar](repeating: 0, count: 4097)
    let count = try perform(.readlink) { () -> Int in
      // SAFETY: the call fills no more than the buffer, less one byte that stays zero.
      unsafe path.withPlatformString { path in
        let count = unsafe readlink(path, &bytes, bytes.count - 1)
        return count < 0 ? Int(-errno) : count
      }
    }
    guard count < bytes.count - 1 else { return nil }
    return FilePath(platformString: bytes)
  }

  /// realpath(3): the absolute path of an existing file, without links.
  package static func resolved(_ path: FilePath) throws(Errno) -> FilePath {
    var found: FilePath?
    try perform(.realpath) { () -> CInt in
      // SAFETY: the path outlives the call; what comes back is copied, and freed once.
      unsafe path.withPlatformString { name in
        guard let real = unsafe realpath(name, nil) else { return -errno }
        defer { unsafe free(real) }
        found = unsafe FilePath(platformString: real)
        return 0
      }
    }
    return found ?? path
  }

  /// Whether there is a file at `path`, a dangling link counted: lstat(2).
  package static func exists(_ path: FilePath) -> Bool {
    (try? status(at: path, followsLinks: false)) != nil
  }
}
