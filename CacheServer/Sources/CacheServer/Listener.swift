internal import NIOCore
internal import SystemPackage

/// A socket that listens at an endpoint.
///
/// `@unchecked Sendable`: after the start, its channel is touched on the main event loop alone.
final class Listener: @unchecked Sendable {
  let endpoint: Endpoint
  let socket: SystemPackage.FileDescriptor
  /// The channel that accepts clients; it closes the socket. Nil before it is made.
  var channel: (any Channel)?

  init(_ endpoint: Endpoint, _ socket: SystemPackage.FileDescriptor) {
    self.endpoint = endpoint
    self.socket = socket
  }

  /// The listener of a socket that another process has bound.
  convenience init(_ service: Endpoint.Service, given socket: SystemPackage.FileDescriptor) {
    let address: Endpoint.Address =
      if let (host, port) = SystemCalls.boundAddress(of: socket) {
        .internet(host: host, port: port)
      } else {
        // Its file belongs to the process that has bound it.
        .local(path: "", mode: nil)
      }
    self.init(Endpoint(service, address), socket)
  }

  /// Whether it is a TCP socket.
  var isInternet: Bool { endpoint.path == nil }

  /// Stops listening. The file of a UNIX socket goes, unless a successor listens at it.
  func close(removesFile: Bool) {
    if let channel {
      channel.close(promise: nil)
    } else {
      try? socket.close()
    }
    channel = nil
    if removesFile, let path = endpoint.path, !path.isEmpty { SystemCalls.removeFile(path) }
  }
}
