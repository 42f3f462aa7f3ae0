internal import Platform
public import SystemPackage

/// A connection of two processes of one machine, over which descriptors are passed: a UNIX socket
/// of SOCK_SEQPACKET, with SCM_RIGHTS.
///
/// The other end is not trusted: what it sends is bounded and checked, nothing waits for it longer
/// than the timeout, and where something is wrong, what was received is closed.
public struct DescriptorChannel: ~Copyable, Sendable {
  let socket: OwnedDescriptor

  init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

  /// The user whose processes are trusted if nothing else is said: this process's.
  public static var currentUserID: UInt32 { SystemCalls.effectiveUserID }

  /// A socket that was connected elsewhere.
  ///
  /// - Parameter socket: the channel's from here on, also where an error is thrown.
  /// - Parameter userID: the user whose processes may be at the other end.
  /// - Parameter timeout: how long each call waits for the other end.
  /// - Throws: `notPacketSocket`, `foreignPeer`, `cannotConnect`.
  public static func adopt(
    _ socket: FileDescriptor, from userID: UInt32 = currentUserID, timeout: Duration = .seconds(10)
  ) throws(DescriptorChannelError) -> DescriptorChannel {
    let owned = OwnedDescriptor(socket)
    do throws(Errno) {
      try SystemCalls.checkPacketSocket(socket)
    } catch {
      throw .notPacketSocket
    }
    return try checked(owned, from: userID, timeout: timeout)
  }

  /// Both ends of a connection, one of which goes to a child.
  ///
  /// - Throws: `cannotConnect`.
  public static func pair() throws(DescriptorChannelError) -> (FileDescriptor, FileDescriptor) {
    do throws(Errno) {
      return try SystemCalls.makeSocketPair()
    } catch {
      throw .cannotConnect(error)
    }
  }

  /// Connects to a process that listens at `address`.
  ///
  /// - Throws: `invalidAddress`, `cannotConnect`, `timedOut`, `foreignPeer`.
  public static func connect(
    to address: LocalAddress, of userID: UInt32 = currentUserID, timeout: Duration = .seconds(10)
  ) throws(DescriptorChannelError) -> DescriptorChannel {
    guard address.isValid else { throw .invalidAddress }
    let socket: OwnedDescriptor
    do throws(Errno) {
      socket = OwnedDescriptor(try SystemCalls.makeSocket(isDatagram: false))
    } catch {
      throw .cannotConnect(error)
    }
    do throws(Errno) {
      try SystemCalls.setTimeout(socket.descriptor, timeout)
      try SystemCalls.connect(socket.descriptor, to: address.socketAddress)
    } catch {
      throw error == .resourceTemporarilyUnavailable ? .timedOut : .cannotConnect(error)
    }
    return try checked(socket, from: userID, timeout: timeout)
  }

  /// Looks who is at the other end, and bounds how long it is waited for.
  static func checked(
    _ socket: consuming OwnedDescriptor, from userID: UInt32, timeout: Duration
  ) throws(DescriptorChannelError) -> DescriptorChannel {
    let peer: UInt32
    do throws(Errno) {
      peer = try SystemCalls.peer(of: socket.descriptor)
      try SystemCalls.setTimeout(socket.descriptor, timeout)
      try SystemCalls.setCloseOnExec(socket.descriptor, true)
    } catch {
      throw .cannotConnect(error)
    }
    guard peer == userID else { throw .foreignPeer(userID: peer) }
    return DescriptorChannel(socket)
  }
}
