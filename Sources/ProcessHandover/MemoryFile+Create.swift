internal import Platform
internal import SystemPackage

extension MemoryFile {
  /// A new file of zeros, which takes storage once it is written or backed.
  ///
  /// A file at a path is made without a name, and appears with ``publish()``; so no process ever finds
  /// one that is half made. Dropped before, it leaves nothing.
  ///
  /// - Parameter place: where the file is made.
  /// - Parameter byteCount: the size in bytes, rounded up to whole pages of the file.
  /// - Parameter capacity: the size in bytes that the file can grow to, rounded up likewise. It
  ///   takes addresses, and no memory but one bit for 2 MiB.
  /// - Throws: `alreadyExists`, `cannotCreate`, `cannotInspect`, `cannotResize`, `beyondCapacity`,
  ///   `cannotMap`.
  /// - Precondition: `byteCount` is not 0.
  public static func create(
    _ place: MemoryFilePlace, byteCount: UInt64, growableTo capacity: UInt64? = nil
  ) throws(MemoryFileError) -> MemoryFile {
    precondition(byteCount > 0, "empty memory file")
    switch place {
    case .memfd(let name, let pages):
      return try create(
        memfd: name, pages: pages, byteCount: byteCount, growableTo: capacity)
    case .path(let path):
      return try create(path, byteCount: byteCount, growableTo: capacity)
    }
  }

  private static func create(
    memfd name: String, pages: MemfdPageSize, byteCount: UInt64, growableTo capacity: UInt64?
  ) throws(MemoryFileError) -> MemoryFile {
    let file: OwnedDescriptor
    do throws(Errno) {
      file = OwnedDescriptor(
        try SystemCalls.createMemfd(name: name, hugePageShift: pages.log2ByteCount))
    } catch {
      throw .cannotCreate(error)
    }
    do throws(Errno) {
      try SystemCalls.sealAgainstShrinking(file.descriptor)
    } catch {
      throw .cannotCreate(error)
    }
    return try sized(file, byteCount: byteCount, growableTo: capacity, name: .none)
  }

  private static func create(
    _ path: FilePath, byteCount: UInt64, growableTo capacity: UInt64?
  ) throws(MemoryFileError) -> MemoryFile {
    // The caller should not wait for the contents only to hear it then.
    switch Result(catching: { () throws(Errno) in
      try SystemCalls.status(at: path, followsLinks: false)
    }) {
    case .success: throw .alreadyExists
    case .failure(.noSuchFileOrDirectory) where path.lastComponent != nil: break
    case .failure(let error): throw .cannotCreate(error)
    }
    let (descriptor, temporary) = try unpublishedFile(beside: path)
    let file = OwnedDescriptor(descriptor)
    do throws(MemoryFileError) {
      return try sized(
        file, byteCount: byteCount, growableTo: capacity,
        name: .unpublished(path: path, temporary: temporary))
    } catch {
      if let temporary { try? SystemCalls.unlink(temporary) }
      throw error
    }
  }

  /// A file of mode 0600 on the file system of `path`, without a name, or where that cannot be
  /// under one that is not looked for.
  private static func unpublishedFile(
    beside path: FilePath
  ) throws(MemoryFileError) -> (FileDescriptor, temporary: FilePath?) {
    let folder = path.folder
    do throws(Errno) {
      return (try SystemCalls.openUnnamed(in: folder), nil)
    } catch {
      // What file systems and kernels say that know no O_TMPFILE, open(2).
      guard [.notSupported, .isDirectory, .invalidArgument].contains(error) else {
        throw .cannotCreate(error)
      }
    }
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    let temporary = folder.appending(".memory-file-\(number)")
    do throws(Errno) {
      return (try SystemCalls.create(temporary, .readWrite), temporary)
    } catch {
      throw .cannotCreate(error)
    }
  }

  /// Gives a new file its size, and maps it.
  private static func sized(
    _ file: consuming OwnedDescriptor, byteCount: UInt64, growableTo capacity: UInt64?, name: Name
  ) throws(MemoryFileError) -> MemoryFile {
    let storage = try MemoryFileStorage(of: file.descriptor)
    let byteCount = rounded(byteCount, to: storage.pageByteCount)
    do throws(Errno) {
      try SystemCalls.resize(file.descriptor, to: byteCount)
    } catch {
      throw .cannotResize(byteCount: byteCount, error)
    }
    let status = try Self.status(of: file.descriptor)
    return try MemoryFile(
      mapping: file, status, storage, growableTo: capacity.map { max($0, byteCount) }, name: name)
  }
}
