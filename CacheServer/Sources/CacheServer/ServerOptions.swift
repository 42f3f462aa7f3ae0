internal import CacheCore
internal import ProcessHandover
internal import SystemPackage

/// What the operator asked for, by the command line and the configuration file.
struct ServerOptions: Equatable, Sendable {
  /// The port of the TCP sockets; nil for none.
  var port: UInt16? = 6379
  var addresses = ["127.0.0.1"]
  var backlog = 511
  /// How many event loops serve clients; `nil` for as many as the process may use processors, up to
  /// ``standardLoopLimit``.
  var loopCount: Int?
  static let standardLoopLimit = 16
  /// The path of a UNIX socket.
  var unixSocket: String?
  /// The mode of its file; nil for what the process's umask leaves.
  var unixSocketMode: UInt32?
  /// The port of the memcached protocol; nil for none.
  var memcachedPort: UInt16?
  /// The path of a UNIX socket for it, and the mode of its file.
  var memcachedSocket: String?
  var memcachedSocketMode: UInt32?
  /// The port of Redis's protocol inside TLS; `nil` for none.
  var tlsPort: UInt16?
  var tls = TLSOptions()
  /// The port that serves figures to Prometheus; `nil` to serve none.
  var metricsPort: UInt16?
  var memoryFile = "/dev/shm/cache-server"
  /// Whether the server waits for the end of one that uses the memory file.
  var isStandby = false
  /// How large the memory file may grow, in bytes.
  var capacity: UInt64?
  /// How many clients may be connected; `nil` for as many as the limit on descriptors allows.
  var clientLimit: Int?
  /// What can be changed while the server runs.
  var settings = Settings()
  /// The configuration file.
  var file: FilePath?

  /// What it means.
  ///
  /// - Throws: ``OptionError``.
  func configuration(
    executable: FilePath, arguments: [String]
  ) throws(OptionError) -> ServerConfiguration {
    var endpoints: [Endpoint] = []
    if let port {
      endpoints += addresses.map { Endpoint(.redis, .internet(host: $0, port: port)) }
    }
    if let unixSocket {
      endpoints.append(Endpoint(.redis, .local(path: unixSocket, mode: unixSocketMode)))
    }
    if let memcachedPort {
      endpoints += addresses.map {
        Endpoint(.memcached, .internet(host: $0, port: memcachedPort))
      }
    }
    if let tlsPort {
      try tls.validate()
      endpoints += addresses.map { Endpoint(.redisTLS, .internet(host: $0, port: tlsPort)) }
    }
    if let metricsPort {
      endpoints += addresses.map { Endpoint(.metrics, .internet(host: $0, port: metricsPort)) }
    }
    if let memcachedSocket {
      endpoints.append(
        Endpoint(.memcached, .local(path: memcachedSocket, mode: memcachedSocketMode)))
    }
    guard endpoints.contains(where: { $0.service != .metrics }) else {
      throw OptionError(
        "the options name no address for clients: set port, tls-port, unixsocket, or one of memcached's"
      )
    }
    let place = try place
    if isStandby, case .memfd = place {
      throw OptionError("standby yes needs a memory-file with a path")
    }
    return ServerConfiguration(
      endpoints: endpoints, backlog: backlog,
      loopCount: loopCount ?? min(SystemCalls.processorCount(), Self.standardLoopLimit),
      place: place, isStandby: isStandby,
      settings: settings,
      capacity: capacity ?? PreservedMemory.standardCapacity, clientLimit: clientLimit, file: file,
      tls: tlsPort == nil ? nil : tls, executable: executable, arguments: arguments)
  }

  private var place: ServerConfiguration.Place {
    get throws(OptionError) {
      guard memoryFile.hasPrefix("memfd:") else { return .path(FilePath(memoryFile)) }
      let name = String(memoryFile.dropFirst(6))
      guard NamedDescriptor.isValidName(name), !name.contains(" ") else {
        throw OptionError(
          "memory-file \(memoryFile): memfd: needs a name of 1 to 64 printable characters")
      }
      return .memfd(name: name)
    }
  }
}

/// Why a directive or an argument is refused: a sentence for the operator.
struct OptionError: ErrorForPeople, Equatable {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
