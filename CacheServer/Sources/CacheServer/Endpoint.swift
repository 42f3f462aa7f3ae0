/// Something that clients connect to.
struct Endpoint: Equatable, Sendable {
  /// What clients speak there.
  enum Service: String, Sendable {
    case redis
    /// Redis's protocol inside TLS.
    case redisTLS = "redis-tls"
    case memcached
    case metrics
  }

  enum Address: Equatable, Sendable {
    case internet(host: String, port: UInt16)
    /// A UNIX socket; the mode of its file, nil for what the umask leaves.
    case local(path: String, mode: UInt32?)
  }

  var service: Service
  var address: Address

  init(_ service: Service, _ address: Address) {
    self.service = service
    self.address = address
  }

  /// The path of a UNIX socket.
  var path: String? {
    if case .local(let path, _) = address { path } else { nil }
  }

  /// As an error message has it.
  var text: String {
    switch address {
    case .internet(let host, let port): "\(host):\(port)"
    case .local(let path, _): path
    }
  }
}
