internal import Platform
public import SystemPackage

extension MemoryFile {
  /// The file at `path`, for reading and writing, left as it is.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - capacity: the size in bytes that the file can grow to here; nil for its own.
  ///   - trust: which files are used.
  /// - Throws: `cannotOpen`, `isDirectory`, `notRegularFile`, `danglingLink`, `untrustedLink`,
  ///   `foreignOwner`, `writableByOthers`, `emptyFile`, `cannotInspect`, `beyondCapacity`, `cannotMap`.
  public static func open(
    _ path: FilePath, growableTo capacity: UInt64? = nil,
    trusting trust: MemoryFileTrust = .ownFiles
  ) throws(MemoryFileError) -> MemoryFile {
    try open(path, .readWrite, growableTo: capacity, trusting: trust)
  }

  /// The file at `path`, only for reading: a store to its bytes ends the process.
  ///
  /// - Throws: as ``open(_:growableTo:trusting:)``.
  package static func openToRead(
    _ path: FilePath, growableTo capacity: UInt64? = nil,
    trusting trust: MemoryFileTrust = .ownFiles
  ) throws(MemoryFileError) -> MemoryFile {
    try open(path, .readOnly, growableTo: capacity, trusting: trust)
  }

  private static func open(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode, growableTo capacity: UInt64?,
    trusting trust: MemoryFileTrust
  ) throws(MemoryFileError) -> MemoryFile {
    let file = try opened(path, mode, trust)
    let status = try status(of: file.descriptor)
    if trust == .ownFiles {
      guard status.ownerID == SystemCalls.effectiveUserID else {
        throw .foreignOwner(userID: status.ownerID)
      }
      guard status.permissions & 0o022 == 0 else {
        throw .writableByOthers(permissions: status.permissions)
      }
    }
    let storage = try MemoryFileStorage(of: file.descriptor)
    return try MemoryFile(
      mapping: file, status, storage, growableTo: capacity, name: .path(path),
      isWritable: mode == .readWrite)
  }

  private static func opened(
    _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ trust: MemoryFileTrust
  ) throws(MemoryFileError) -> OwnedDescriptor {
    let folder = try? SystemCalls.status(at: path.folder)
    let followsLinks = trust == .allFiles || (folder?.permissions ?? 0) & 0o002 == 0
    do throws(Errno) {
      return OwnedDescriptor(
        try SystemCalls.open(path, mode, options: followsLinks ? [] : .noFollow))
    } catch {
      switch error {
      case .isDirectory: throw .isDirectory
      // A socket, or a device without a driver.
      case .noSuchAddressOrDevice: throw .notRegularFile
      case .tooManySymbolicLinkLevels where !followsLinks: throw .untrustedLink
      case .noSuchFileOrDirectory where SystemCalls.exists(path): throw .danglingLink
      default: throw .cannotOpen(error)
      }
    }
  }

  /// The file of a descriptor that was received.
  ///
  /// A memfd that is not sealed against shrinking is sealed now, where its sender left that open:
  /// see ``isSealedAgainstShrinking``.
  ///
  /// - Parameter descriptor: this object's from here on, also where an error is thrown.
  /// - Parameter capacity: the size in bytes that the file can grow to here; nil for its own.
  /// - Throws: `isDirectory`, `notRegularFile`, `emptyFile`, `notWritable`, `cannotInspect`,
  ///   `beyondCapacity`, `cannotMap`.
  public static func adopt(
    _ descriptor: FileDescriptor, growableTo capacity: UInt64? = nil
  ) throws(MemoryFileError) -> MemoryFile {
    let file = OwnedDescriptor(descriptor)
    let status = try status(of: descriptor)
    let mode: CInt
    do throws(Errno) {
      mode = try SystemCalls.accessMode(of: descriptor)
      try SystemCalls.setCloseOnExec(descriptor, true)
    } catch {
      throw .cannotInspect(error)
    }
    guard mode == O_RDWR else { throw .notWritable }
    let storage = try MemoryFileStorage(of: descriptor)
    if storage != .disk, status.linkCount == 0 {
      try? SystemCalls.sealAgainstShrinking(descriptor)
    }
    return try MemoryFile(
      mapping: file, status, storage, growableTo: capacity,
      name: path(of: descriptor, status).map(Name.path) ?? .none)
  }

  /// Looks at the open file, and refuses what is not memory.
  static func status(of descriptor: FileDescriptor) throws(MemoryFileError) -> FileStatus {
    let status: FileStatus
    do throws(Errno) {
      status = try SystemCalls.status(of: descriptor)
    } catch {
      throw .cannotInspect(error)
    }
    switch status.kind {
    case .regular: break
    case .directory: throw .isDirectory
    default: throw .notRegularFile
    }
    guard status.byteCount > 0 else { throw .emptyFile }
    return status
  }

  /// The path that the file was opened by, where it still leads there.
  private static func path(of descriptor: FileDescriptor, _ status: FileStatus) -> FilePath? {
    guard status.linkCount > 0,
      let path = try? SystemCalls.target(ofLink: descriptor.pathInProc), path.isAbsolute,
      let found = try? SystemCalls.status(at: path), found.identity == status.identity
    else { return nil }
    return path
  }
}
