internal import ProcessHandover

/// What the service manager gave the process.
struct GivenDescriptors: ~Copyable {
  var descriptors: ReceivedDescriptors

  init() throws(ServiceManagerError) {
    descriptors = try ServiceManager.receivedDescriptors(removingVariables: true)
  }

  /// What clients speak at a socket: by `FileDescriptorName=` of its unit.
  private static let services: [String: Endpoint.Service] = [
    "listener": .redis, "redis": .redis, "memcached": .memcached,
    "metrics": .metrics, "redis-tls": .redisTLS,
  ]

  /// The listening sockets, by socket activation.
  mutating func takeListeners() -> [Listener] {
    var listeners: [Listener] = []
    // Several sockets of one unit have one name.
    for name in descriptors.names where name.hasSuffix(".socket") || Self.services[name] != nil {
      guard let socket = descriptors.take(name) else { continue }
      listeners.append(Listener(Self.services[name] ?? .redis, given: socket))
    }
    return listeners
  }
}

/// Carries what the service manager gave to the thread that opens the memory.
///
/// `@unchecked Sendable`: the thread that makes it does not touch it until the other one has ended.
final class GivenBox: @unchecked Sendable {
  var given: GivenDescriptors

  init(_ given: consuming GivenDescriptors) { self.given = given }
}
