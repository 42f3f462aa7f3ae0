internal import Platform
public import SystemPackage

/// The address of a UNIX socket, unix(7).
public enum LocalAddress: Hashable, Sendable {
  /// A file, at most 107 bytes of path.
  case path(FilePath)
  /// A name that is not a file, at most 107 bytes. Every process in the same network namespace may
  /// connect to it, and may take the name first.
  case abstract(String)

  /// The same address for a system call.
  var socketAddress: SocketAddress {
    switch self {
    case .path(let path): .path(path)
    case .abstract(let name): .abstract(name)
    }
  }

  /// Whether the name is not empty, and fits.
  var isValid: Bool { socketAddress.isValid }
}
