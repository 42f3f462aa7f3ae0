internal import Platform
public import SystemPackage

extension LiveUpdate {
  /// A session that is being prepared: the next kernel gives back the files that it preserves.
  ///
  /// It counts as long as a descriptor of it is open: keep the value until the kexec. Its end
  /// unpreserves the files.
  public struct OutgoingSession: ~Copyable {
    private let session: OwnedDescriptor

    /// The session of a descriptor that a broker passed on, systemd's `LUOSession=` for one.
    ///
    /// - Parameter descriptor: this value's from here on.
    public init(adopting descriptor: FileDescriptor) { session = OwnedDescriptor(descriptor) }

    /// Preserves the file, under a number of the caller's choice.
    ///
    /// All of its pages are backed, holes too. Until the session ends, the file keeps its size and its
    /// pages: fallocate(2) and ftruncate(2) fail with EPERM. Its bytes can be written up to the kexec.
    ///
    /// - Throws: `comesBackReadOnly`, `fileNotPreservable`, `fileHasName`, `alreadyPreserved`,
    ///   `tokenTaken`, `outOfMemory`, `failed`.
    public borrowing func preserve(
      _ file: FileDescriptor, token: UInt64
    ) throws(LiveUpdateError) {
      // If the call fails, the answer is unknown, and the kernel decides.
      if (try? SystemCalls.comesBackReadOnly(file)) == true { throw .comesBackReadOnly }
      var message = LiveUpdateMessage(.preserve)
      message.descriptor = file.rawValue
      message.token = token
      do throws(Errno) { try message.send(to: session.descriptor) } catch {
        switch error {
        case .noSuchFileOrDirectory:
          throw Self.refusal(of: file)
        case .resourceBusy: throw .alreadyPreserved
        case .fileExists: throw .tokenTaken(token)
        case .noMemory: throw .outOfMemory
        default: throw .failed(.preserve, error)
        }
      }
    }

    /// Why the kernel has no way to preserve the file.
    private static func refusal(of file: FileDescriptor) -> LiveUpdateError {
      // TMPFS_MAGIC; a device or a pipe can have a link as well.
      guard let system = try? SystemCalls.fileSystem(of: file), system.type == 0x0102_1994,
        let status = try? SystemCalls.status(of: file), status.kind == .regular,
        status.linkCount > 0
      else { return .fileNotPreservable }
      return .fileHasName(try? SystemCalls.target(ofLink: file.pathInProc))
    }

    /// The session's name, as the kernel knows it.
    ///
    /// - Throws: `failed`.
    public borrowing func name() throws(LiveUpdateError) -> String {
      try LiveUpdate.name(of: session.descriptor)
    }

    /// The descriptor, which the caller keeps open until the kexec and closes: for a process that
    /// passes it on.
    public consuming func take() -> FileDescriptor { session.take() }
  }

  /// A session that the previous kernel left: its files are given back, one at a time.
  public struct IncomingSession: ~Copyable {
    private let session: OwnedDescriptor

    /// The session of a descriptor that a broker passed on.
    ///
    /// - Parameter descriptor: this value's from here on.
    public init(adopting descriptor: FileDescriptor) { session = OwnedDescriptor(descriptor) }

    /// Takes a file back. Its position and its contents are those of before the kexec.
    ///
    /// - Returns: the file's descriptor, closed by exec, which is the caller's to close.
    /// - Throws: `noSuchFile`, `failed`.
    public borrowing func retrieve(token: UInt64) throws(LiveUpdateError) -> FileDescriptor {
      var message = LiveUpdateMessage(.retrieve)
      message.descriptor = -1
      message.token = token
      do throws(Errno) { try message.send(to: session.descriptor) } catch {
        switch error {
        case .noSuchFileOrDirectory: throw .noSuchFile(token: token)
        case .noMemory: throw .outOfMemory
        default: throw .failed(.retrieve, error)
        }
      }
      return FileDescriptor(rawValue: message.descriptor)
    }

    /// Ends the session: what was not retrieved is freed, and what was can be preserved again.
    ///
    /// - Throws: `failed`; the files that were retrieved stay usable.
    public consuming func finish() throws(LiveUpdateError) {
      var message = LiveUpdateMessage(.finish)
      do throws(Errno) { try message.send(to: session.descriptor) } catch {
        throw .failed(.finish, error)
      }
    }

    /// The session's name, as the kernel knows it.
    ///
    /// - Throws: `failed`.
    public borrowing func name() throws(LiveUpdateError) -> String {
      try LiveUpdate.name(of: session.descriptor)
    }
  }

  fileprivate static func name(of session: FileDescriptor) throws(LiveUpdateError) -> String {
    var message = LiveUpdateMessage(.getName)
    do throws(Errno) { try message.send(to: session) } catch { throw .failed(.getName, error) }
    return message.name
  }
}
