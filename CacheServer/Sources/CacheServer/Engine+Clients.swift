internal import CacheCore
internal import Logging
internal import MemcachedProtocol
internal import NIOCore
internal import NIOPosix
internal import RESP
internal import SystemPackage

extension Engine {
  /// Has the main event loop make channels of the listening sockets, and accept clients from then on.
  func acceptClients() -> EventLoopFuture<Void> {
    setKeepAlive()
    for listener in listeners {
      SystemCalls.closeOnExec(listener.socket.rawValue)
      note(listener.endpoint)
    }
    let listeners = listeners
    return eventLoop.flatSubmit {
      EventLoopFuture.andAllSucceed(listeners.map(self.accept), on: self.eventLoop)
    }
  }

  /// Notes where clients connect to.
  private func note(_ endpoint: Endpoint) {
    switch (endpoint.service, endpoint.address) {
    case (.redis, .internet(let host, let port)) where facts.port == 0:
      facts.address = host
      facts.port = Int(port)
    case (.memcached, .internet(let host, let port)) where facts.memcachedPort == 0:
      facts.memcachedAddress = host
      facts.memcachedPort = Int(port)
    case (.redisTLS, .internet(_, let port)) where facts.tlsPort == 0: facts.tlsPort = Int(port)
    case (.metrics, .internet(_, let port)) where facts.metricsPort == 0:
      facts.metricsPort = Int(port)
    case (.memcached, .local(let path, _)): facts.memcachedSocket = path
    default: break
    }
  }

  private func accept(at listener: Listener) -> EventLoopFuture<Void> {
    serverBootstrap(for: listener.endpoint.service).withBoundSocket(listener.socket.rawValue).map {
      listener.channel = $0
      // SwiftNIO sets 128 for a socket that is bound already.
      SystemCalls.setBacklog(listener.socket, self.configuration.backlog)
    }
  }

  private func serverBootstrap(for service: Endpoint.Service) -> ServerBootstrap {
    // In turn, each connection goes to another event loop.
    ServerBootstrap(group: eventLoop, childGroup: group)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .serverChannelInitializer { listener in
        listener.eventLoop.makeCompletedFuture {
          try listener.pipeline.syncOperations.addHandler(
            AcceptedConnections { try self.prepare($0, for: service) })
        }
      }
  }

  /// Makes the handlers of a connection. Called on its event loop, without the lock.
  private func prepare(_ channel: any Channel, for service: Endpoint.Service) throws {
    try channel.syncOptions?.setOption(.recvAllocator, value: Self.receiveAllocator)
    try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 4)
    let pipeline = channel.pipeline.syncOperations
    guard service != .metrics else { return try pipeline.addHandler(MetricsHandler(self)) }
    if service == .redisTLS {
      guard let tls = locked({ self.tls }) else {
        throw StartFailure("the TLS port has no certificate")
      }
      try tls.protect(pipeline)
    }
    let loop = loop(of: channel)
    try pipeline.addHandler(locked { makeConnection(for: service, on: loop) })
  }

  /// Small at first, since a client that sends nothing keeps what it has; it follows what a client sends.
  private static var receiveAllocator: AdaptiveRecvByteBufferAllocator {
    AdaptiveRecvByteBufferAllocator(minimum: 2 << 10, initial: 4 << 10, maximum: 1 << 20)
  }

  private func makeConnection(
    for service: Endpoint.Service, on loop: ServingLoop
  ) -> ConnectionHandler {
    var session = Session(id: nextClientID)
    session.isAuthenticated = settings.password.isEmpty
    nextClientID += 1
    let now = cache?.now ?? 0
    cache?.figures.connectionCount += 1
    let handler = ConnectionHandler(
      self, loop, session, connectTime: now, isEncrypted: service == .redisTLS)
    if service == .memcached { handler.memcached = MemcachedParser() }
    return handler
  }

  /// Makes the socket of a client that was handed over a channel of the client's event loop.
  func adopt(_ client: ConnectionHandler, _ socket: Int32) {
    note((client, socket))
    client.loop.eventLoop.execute { self.makeChannel(for: client, socket) }
  }

  /// Counts a client that was handed over among the connections, before it has a channel.
  func note(_ waiting: WaitingClients.Client) {
    waiting.client.descriptor = waiting.socket
    connections[waiting.client.session.id] = waiting.client
    noteForUpgrade(connected: waiting.client)
  }

  /// Makes the socket of a client that was handed over a channel. Called on the client's event loop, without the lock.
  func makeChannel(for handler: ConnectionHandler, _ socket: Int32) {
    ClientBootstrap(group: handler.loop.eventLoop)
      .channelOption(.recvAllocator, value: Self.receiveAllocator)
      .channelOption(.maxMessagesPerRead, value: 4)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .withConnectedSocket(socket)
      .whenFailure { error in
        // It has gone meanwhile.
        self.locked { self.remove(handler) }
        self.logger.debug(
          "client \(handler.session.id) could not be taken over: \(sentence(of: error))")
      }
  }

  /// A client has connected.
  ///
  /// - Returns: why it is not served, if it is not.
  func add(_ connection: ConnectionHandler, isOfThisMachine: Bool) -> ConnectionRefusal? {
    let id = connection.session.id
    // A client that was handed over was accepted by the predecessor.
    guard connections[id] == nil else { return nil }
    guard connections.count < clientLimit else {
      facts.rejectedCount += 1
      return ConnectionRefusal(
        sentence: "ERR max number of clients reached",
        memcachedLine: "ERROR Too many open connections")
    }
    guard isOfThisMachine || !isProtected else {
      facts.rejectedCount += 1
      return ConnectionRefusal(
        sentence:
          "DENIED this server has no password, so it is in protected mode and serves only clients of its own "
          + "machine. Set requirepass, or protected-mode no where every client of the network may read and "
          + "write.")
    }
    connections[id] = connection
    noteForUpgrade(connected: connection)
    return nil
  }

  /// Whether the server serves only clients of its own machine.
  private var isProtected: Bool { settings.isProtected && settings.password.isEmpty }

  /// The settings of the cache. Without a cache, those with which this process handed the memory over, or will open it.
  var settings: Settings { cache?.settings ?? lastSettings }

  /// A client has gone.
  func remove(_ connection: ConnectionHandler) {
    if upgradeRequester === connection { upgradeRequester = nil }
    cache?.forgetWatches(of: &connection.session)
    guard connections[connection.session.id] === connection else { return }
    connections[connection.session.id] = nil
    noteForUpgrade(ended: connection)
  }
}
