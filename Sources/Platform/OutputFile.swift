internal import SystemPackage

/// What an output file may replace, and who may read it.
package struct OutputRules: Sendable {
  /// Whether a regular file of the name is replaced.
  package var replaces: Bool
  /// Whether only the owner may use the file (mode 0600); otherwise its mode is 0666 less the umask.
  package var isSecret: Bool
  /// The files that are never written over, whatever they are called.
  package var inputs: [FileStatus]

  package init(replacing replaces: Bool = false, isSecret: Bool = false, inputs: [FileStatus] = [])
  {
    self.replaces = replaces
    self.isSecret = isSecret
    self.inputs = inputs
  }
}

/// The one way in which a program writes a file that the user names.
///
/// - A regular file appears under its name when it is complete, and not before. One that has the name
///   already is replaced only where the rules say so.
/// - A device, a FIFO and a descriptor of this process (`/dev/stdout`, `/dev/fd/3`) are written into, and
///   never replaced.
/// - A symbolic link to a regular file, or to nothing, is refused.
/// - An input is never written over: the same device and inode.
///
/// A process that is killed leaves no unfinished file, where the file system has files without names.
package struct OutputFile: ~Copyable {
  private let descriptor: OwnedDescriptor
  private let destination: Destination
  private var byteCount: UInt64 = 0
  private var isFinished = false
  private let processID = SystemCalls.processID

  private enum Destination {
    /// Written from the first byte to the last, as it is.
    case stream
    /// A regular file that is to have a name; until then it has another, or none.
    case file(FilePath, temporary: FilePath?, replaces: Bool)
  }

  /// Opens the output.
  ///
  /// - Parameter path: as the user wrote it.
  /// - Throws: ``OutputFileError``; nothing has changed.
  package init(at path: String, _ rules: OutputRules) throws(OutputFileError) {
    let (descriptor, destination) = try Self.open(path, rules)
    self.descriptor = OwnedDescriptor(descriptor)
    self.destination = destination
  }

  private static func open(
    _ path: String, _ rules: OutputRules
  ) throws(OutputFileError) -> (FileDescriptor, Destination) {
    guard !path.isEmpty else { throw .cannotCreate(.noSuchFileOrDirectory) }
    guard !path.hasSuffix("/") else { throw .isDirectory }
    let place = FilePath(path)
    let number = ownDescriptor(place)
    let isStream = number == nil ? try isStream(place, rules) : true
    guard isStream else {
      let (file, temporary) = try unnamedFile(beside: place, isSecret: rules.isSecret)
      Interruption.note("interrupted; \(path) was not written", removing: temporary)
      return (file, .file(place, temporary: temporary, replaces: rules.replaces))
    }
    Interruption.note("interrupted; \(path) has none of the output, or a part of it")
    let stream: FileDescriptor
    do throws(Errno) {
      stream =
        if let number {
          try SystemCalls.duplicate(FileDescriptor(rawValue: number))
        } else {
          try SystemCalls.openToWriteInto(place)
        }
    } catch {
      throw .cannotCreate(error)
    }
    if let status = try? SystemCalls.status(of: stream),
      rules.inputs.contains(where: { $0.isSameFile(as: status) })
    {
      SystemCalls.release(stream)
      throw .isInput
    }
    return (stream, .stream)
  }

  /// Adds bytes.
  package mutating func write(_ bytes: RawSpan) throws(OutputFileError) {
    do throws(Errno) {
      switch destination {
      case .stream: try SystemCalls.write(bytes, to: descriptor.descriptor)
      case .file: try SystemCalls.write(bytes, to: descriptor.descriptor, at: byteCount)
      }
    } catch {
      throw .cannotWrite(error)
    }
    byteCount &+= UInt64(bytes.byteCount)
  }

  /// Adds bytes.
  package mutating func write(_ bytes: [UInt8]) throws(OutputFileError) {
    // SAFETY: every bit pattern of a byte is a value.
    try unsafe write(bytes.span.bytes)
  }

  /// Adds zeros: a hole of a regular file, which takes no room.
  package mutating func writeZeros(_ count: UInt64) throws(OutputFileError) {
    if case .file = destination {
      byteCount &+= count
      return
    }
    let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 16)))
    var left = count
    while left > 0 {
      let piece = min(left, UInt64(zeros.count))
      // SAFETY: every bit pattern of a byte is a value.
      try unsafe write(zeros.span.bytes.extracting(..<Int(piece)))
      left &-= piece
    }
  }

  /// Gives a regular file its length and its name.
  ///
  /// - Throws: ``OutputFileError``; the file is gone then, and what was there before is still there.
  package consuming func finish() throws(OutputFileError) {
    guard case .file(let path, let temporary, let replaces) = destination else {
      isFinished = true
      return
    }
    do throws(Errno) {
      try SystemCalls.resize(descriptor.descriptor, to: byteCount)
      try SystemCalls.synchronize(descriptor.descriptor)
    } catch {
      throw .cannotWrite(error)
    }
    do throws(Errno) {
      if !replaces {
        // A new name never replaces a file.
        try link(temporary, to: path)
        if let temporary { try? SystemCalls.unlink(temporary) }
      } else if let temporary {
        try SystemCalls.rename(temporary, to: path)
      } else {
        try replace(path)
      }
    } catch {
      throw error == .fileExists ? .exists : .cannotRename(error)
    }
    isFinished = true
    Interruption.note()
  }

  private func link(_ temporary: FilePath?, to path: FilePath) throws(Errno) {
    if let temporary {
      try SystemCalls.link(path: temporary, to: path)
    } else {
      try SystemCalls.link(descriptor.descriptor, to: path)
    }
  }

  /// A file without a name takes one that exists by way of another name.
  private func replace(_ path: FilePath) throws(Errno) {
    let temporary = Self.temporaryName(beside: path)
    try SystemCalls.link(descriptor.descriptor, to: temporary)
    do throws(Errno) {
      try SystemCalls.rename(temporary, to: path)
    } catch {
      try? SystemCalls.unlink(temporary)
      throw error
    }
  }

  deinit {
    guard !isFinished, processID == SystemCalls.processID else { return }
    if case .file(_, let temporary?, _) = destination { try? SystemCalls.unlink(temporary) }
    Interruption.note()
  }

  // MARK: What is at the path

  /// Whether there is a device or a FIFO.
  private static func isStream(
    _ path: FilePath, _ rules: OutputRules
  ) throws(OutputFileError) -> Bool {
    let own: FileStatus
    do throws(Errno) { own = try SystemCalls.status(at: path, followsLinks: false) } catch {
      guard error == .noSuchFileOrDirectory, path.lastComponent?.kind == .regular else {
        throw .cannotCreate(error)
      }
      return false
    }
    var status = own
    if own.kind == .symbolicLink {
      guard let target = try? SystemCalls.status(at: path) else { throw .isLink }
      status = target
    }
    guard !rules.inputs.contains(where: { $0.isSameFile(as: status) }) else { throw .isInput }
    switch status.kind {
    case .fifo, .characterDevice, .blockDevice: return true
    case .directory: throw .isDirectory
    case .regular where own.kind == .symbolicLink: throw .isLink
    case .regular where !rules.replaces: throw .exists
    case .regular: return false
    case .socket, .symbolicLink, .other: throw .cannotCreate(.noSuchAddressOrDevice)
    }
  }

  /// The number of the descriptor of this process that a path names, as `/dev/stdout` and `/dev/fd/1`
  /// do by links into /proc; nil where it names none.
  private static func ownDescriptor(_ path: FilePath) -> CInt? {
    var path = path
    // As many links as the kernel follows.
    for _ in 0..<40 {
      guard let name = path.lastComponent?.string,
        let folder = try? SystemCalls.resolved(path.folder)
      else { return nil }
      if let number = CInt(name), number >= 0, isDescriptorFolder(folder) { return number }
      guard let target = try? SystemCalls.target(ofLink: path) else { return nil }
      path = path.folder.pushing(target)
    }
    return nil
  }

  private static func isDescriptorFolder(_ folder: FilePath) -> Bool {
    let own = "/proc/\(SystemCalls.processID)"
    return folder.string == own + "/fd"
      || folder.string == own + "/task/\(SystemCalls.processID)/fd"
  }

  // MARK: Files that have no name yet

  private static func unnamedFile(
    beside path: FilePath, isSecret: Bool
  ) throws(OutputFileError) -> (FileDescriptor, temporary: FilePath?) {
    let permissions: FilePermissions =
      isSecret
      ? .ownerReadWrite
      : [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
    do throws(Errno) {
      do throws(Errno) {
        let file = try SystemCalls.openUnnamed(in: path.folder, permissions: permissions)
        // It gets its name by way of /proc.
        if SystemCalls.exists(file.pathInProc) { return (file, nil) }
        SystemCalls.release(file)
      } catch {
        // What file systems and kernels say that do not know O_TMPFILE, open(2).
        guard [.notSupported, .isDirectory, .invalidArgument].contains(error) else { throw error }
      }
      let temporary = temporaryName(beside: path)
      return (try SystemCalls.create(temporary, permissions: permissions), temporary)
    } catch {
      throw .cannotCreate(error)
    }
  }

  private static func temporaryName(beside path: FilePath) -> FilePath {
    let mark = String(UInt64.random(in: .min ... .max), radix: 36)
    return path.folder.appending(".kho-\(mark)")
  }
}
