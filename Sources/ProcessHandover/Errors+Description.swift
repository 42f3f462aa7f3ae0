extension DescriptorChannelError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String {
    switch self {
    case .invalidAddress: "the address is empty or longer than 107 bytes"
    case .addressInUse:
      "a process listens at the address already, or the file there is not a socket"
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
      "the message, or the number of descriptors with it, is larger than any that is sent"
    case .malformedMessage: "the message is not the one that is expected now"
    case .unsupportedVersion(let version):
      "the message is of version \(version), which a newer version of this package sends"
    case .refused(let code): "the other end refused what was sent, with its code \(code)"
    }
  }
}

extension MemoryKeeperError: CustomStringConvertible {
  /// What was found, as a part of a sentence.
  public var description: String {
    switch self {
    case .notSupported: "a process under the thread sanitizer cannot have a keeper"
    case .cannotStart(let errno): "the keeper cannot be started (\(errno))"
    }
  }
}

extension ServiceManagerError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String {
    switch self {
    case .malformedEnvironment:
      "LISTEN_PID, LISTEN_FDS or LISTEN_FDNAMES is not as sd_listen_fds(3) describes it"
    case .missingDescriptor(let number, let errno):
      "descriptor \(number), which LISTEN_FDS counts, is not open (\(errno))"
    case .unsupportedAddress: "NOTIFY_SOCKET is not the address of a UNIX socket"
    case .cannotNotify(let errno): "the service manager cannot be notified (\(errno))"
    }
  }
}

extension PreservedMemory.RetrievalError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String {
    switch self {
    case .liveUpdate(let error): "\(error)"
    case .memory(let error): "the memory came back, and cannot be taken over: \(error)"
    }
  }
}
