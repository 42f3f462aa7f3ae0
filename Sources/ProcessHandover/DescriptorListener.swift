internal import Platform
internal import SystemPackage

/// A process that waits for others to connect, to give them descriptors or to be given some.
///
/// The file of a path is for its owner alone (mode 0600), and goes with the value.
public struct DescriptorListener: ~Copyable, Sendable {
  private let socket: OwnedDescriptor
  private let path: FilePath?
  /// The file that was made, by which one that another process put there since is left alone.
  private let file: FileIdentity?
  private let timeout: Duration
  /// The process that made it, which removes the file; a forked child does not.
  private let processID = SystemCalls.processID

  /// Listens at `address`. A socket file at which no process listens any more is replaced.
  ///
  /// Two processes that replace the same file at the same instant may both believe that it is
  /// theirs; so the process that listens for a memory file has its ``WriterLock``.
  ///
  /// - Parameter address: where other processes connect.
  /// - Parameter timeout: how long the listener waits for a connection, and for each answer in it.
  /// - Throws: `invalidAddress`, `addressInUse`, `cannotListen`.
  public init(
    at address: LocalAddress, timeout: Duration = .seconds(10)
  ) throws(DescriptorChannelError) {
    guard address.isValid else { throw .invalidAddress }
    let socket: OwnedDescriptor
    do throws(Errno) {
      socket = OwnedDescriptor(try SystemCalls.makeSocket(isDatagram: false))
    } catch {
      throw .cannotListen(error)
    }
    do throws(Errno) {
      try SystemCalls.restrictToOwner(socket.descriptor)
      try SystemCalls.setTimeout(socket.descriptor, timeout)
    } catch {
      throw .cannotListen(error)
    }
    try Self.bind(socket.descriptor, to: address)
    let path: FilePath? = if case .path(let path) = address { path } else { nil }
    do throws(Errno) {
      try SystemCalls.listen(socket.descriptor)
    } catch {
      if let path { try? SystemCalls.unlink(path) }
      throw .cannotListen(error)
    }
    self.socket = socket
    self.timeout = timeout
    self.path = path
    self.file = path.flatMap { try? SystemCalls.status(at: $0, followsLinks: false).identity }
  }

  deinit {
    guard processID == SystemCalls.processID, let path, let file,
      (try? SystemCalls.status(at: path, followsLinks: false).identity) == file
    else { return }
    try? SystemCalls.unlink(path)
  }

  /// The next process that connects. One that only looked whether a process listens shows as
  /// a connection that is closed.
  ///
  /// - Throws: `timedOut`, `cannotConnect`; `foreignPeer`, after which the next can be waited for.
  public func accept(
    from userID: UInt32 = DescriptorChannel.currentUserID
  ) throws(DescriptorChannelError) -> DescriptorChannel {
    let peer: OwnedDescriptor
    do throws(Errno) {
      peer = OwnedDescriptor(try SystemCalls.accept(socket.descriptor))
    } catch {
      throw error == .resourceTemporarilyUnavailable ? .timedOut : .cannotConnect(error)
    }
    return try DescriptorChannel.checked(peer, from: userID, timeout: timeout)
  }

  private static func bind(
    _ socket: FileDescriptor, to address: LocalAddress
  ) throws(DescriptorChannelError) {
    do throws(Errno) {
      try SystemCalls.bind(socket, to: address.socketAddress)
      return
    } catch {
      guard error == .addressInUse else { throw .cannotListen(error) }
    }
    guard case .path(let path) = address, isAbandoned(path) else { throw .addressInUse }
    do throws(Errno) {
      try SystemCalls.unlink(path)
      try SystemCalls.bind(socket, to: address.socketAddress)
    } catch {
      throw error == .addressInUse ? .addressInUse : .cannotListen(error)
    }
  }

  /// Whether there is a socket at `path`, and no process listens. In doubt, one does.
  private static func isAbandoned(_ path: FilePath) -> Bool {
    guard let status = try? SystemCalls.status(at: path, followsLinks: false),
      status.kind == .socket,
      let probe = try? SystemCalls.makeSocket(isDatagram: false)
    else { return false }
    let socket = OwnedDescriptor(probe)
    do throws(Errno) {
      // A process that does not accept must not hold this up.
      try SystemCalls.setTimeout(socket.descriptor, .milliseconds(1))
      try SystemCalls.connect(socket.descriptor, to: .path(path))
      return false
    } catch {
      return error == .connectionRefused
    }
  }
}
