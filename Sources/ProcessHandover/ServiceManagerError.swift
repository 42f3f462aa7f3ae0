public import SystemPackage

/// Why the service manager's descriptors are not available, or it was not notified.
@nonexhaustive
public enum ServiceManagerError: Error, Equatable, Sendable {
  /// LISTEN_PID, LISTEN_FDS or LISTEN_FDNAMES is not what sd_listen_fds(3) describes.
  case malformedEnvironment
  /// The descriptor with that number is not open: fcntl(2).
  case missingDescriptor(number: Int32, Errno)
  /// NOTIFY_SOCKET is not the address of a UNIX socket.
  case unsupportedAddress
  /// The message could not be sent: socket(2), sendmsg(2).
  case cannotNotify(Errno)
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
