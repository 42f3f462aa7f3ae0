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

extension Listener {
  /// Listens at the configured addresses.
  ///
  /// - Throws: ``StartFailure``. All sockets are closed then.
  static func bindAll(
    _ configuration: ServerConfiguration, _ patience: Patience
  ) throws -> [Listener] {
    var listeners: [Listener] = []
    do {
      for endpoint in configuration.endpoints {
        var endpoint = endpoint
        // Several addresses have the same port, also where it is any.
        if case .internet(let host, 0) = endpoint.address,
          let port = port(for: endpoint.service, in: listeners)
        {
          endpoint.address = .internet(host: host, port: port)
        }
        listeners.append(try bind(endpoint, configuration.backlog, patience))
      }
    } catch {
      for listener in listeners { listener.close(removesFile: true) }
      throw error
    }
    return listeners
  }

  private static func bind(
    _ endpoint: Endpoint, _ backlog: Int, _ patience: Patience
  ) throws -> Listener {
    let socket: SystemPackage.FileDescriptor
    do {
      socket = try patience.wait(
        for: { try SystemCalls.makeListener(at: endpoint, backlog: backlog) },
        after: { ($0 as? SocketFailure)?.isTaken ?? false ? .unclear : .lasting })
    } catch {
      let reason = (error as? SocketFailure)?.reason ?? "\(error)"
      throw StartFailure("\(endpoint.text) cannot be listened at: \(reason)")
    }
    var endpoint = endpoint
    if case .internet = endpoint.address, let (host, port) = SystemCalls.boundAddress(of: socket) {
      endpoint.address = .internet(host: host, port: port)
    }
    return Listener(endpoint, socket)
  }

  /// The port at which clients of `service` are listened for already.
  private static func port(for service: Endpoint.Service, in listeners: [Listener]) -> UInt16? {
    for listener in listeners where listener.endpoint.service == service {
      if case .internet(_, let port) = listener.endpoint.address { return port }
    }
    return nil
  }

  /// Checks that this process can serve the clients of sockets that another process has bound.
  ///
  /// - Throws: ``StartFailure`` for a socket for TLS, if this process has no certificate.
  static func check(_ listeners: [Listener], hasTLS: Bool) throws(StartFailure) {
    guard !hasTLS, let found = listeners.first(where: { $0.endpoint.service == .redisTLS }) else {
      return
    }
    throw StartFailure(
      "\(found.endpoint.text) is for TLS: set tls-port and its certificate as well")
  }
}
