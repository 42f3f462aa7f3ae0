public import SystemPackage

/// Why descriptors cannot be passed between processes.
@nonexhaustive
public enum DescriptorChannelError: Error, Equatable, Sendable {
  // The connection.

  /// The address is empty or longer than 107 bytes.
  case invalidAddress
  /// Another process listens at the address, or something else than a socket is there.
  case addressInUse
  /// socket(2), bind(2) or another call to listen failed.
  case cannotListen(Errno)
  /// socket(2), connect(2) or accept(2) failed.
  case cannotConnect(Errno)
  /// The descriptor is not a connected UNIX socket of SOCK_SEQPACKET.
  case notPacketSocket
  /// The other end belongs to another user.
  case foreignPeer(userID: UInt32)

  // A message.

  /// sendmsg(2) failed.
  case cannotSend(Errno)
  /// recvmsg(2) failed.
  case cannotReceive(Errno)
  /// The other end did nothing for too long.
  case timedOut
  /// The other end is gone.
  case closed
  /// The message, or what came with it, is larger than any that this package sends.
  case truncated
  /// The message is not one that this package sends, or not the one that is expected now.
  case malformedMessage
  /// The message is of a newer version of this package.
  case unsupportedVersion(UInt8)
  /// The other end does not take what was sent, and says why in its own code.
  case refused(code: UInt8)
}

extension DescriptorChannelError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String {
    switch self {
    case .invalidAddress: "the address is empty or longer than 107 bytes"
    case .addressInUse:
      "a process listens at the address already, or the file at the address is not a socket"
    case .cannotListen(let errno): "listening at the address failed (\(errno))"
    case .cannotConnect(let errno): "the connection failed (\(errno))"
    case .notPacketSocket: "the descriptor is not a connected UNIX socket of type SOCK_SEQPACKET"
    case .foreignPeer(let userID):
      "the process at the other end belongs to user \(userID); both must run as the same user"
    case .cannotSend(let errno): "the message cannot be sent (\(errno))"
    case .cannotReceive(let errno): "no message can be received (\(errno))"
    case .timedOut: "the other end did not answer in time"
    case .closed: "the other end closed the connection"
    case .truncated:
      "the message, or the number of descriptors with it, is larger than this protocol allows"
    case .malformedMessage: "the message is not the one that is expected now"
    case .unsupportedVersion(let version):
      "the message is of version \(version), which a newer version of this package sends"
    case .refused(let code): "the other end refused what was sent, with its code \(code)"
    }
  }
}
