internal import CacheCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RESP

extension Engine {
  /// Makes the listening socket a channel, and accepts clients from now on.
  func listen(at socket: Int32) -> EventLoopFuture<Void> {
    serverBootstrap.withBoundSocket(socket).flatMapThrowing { try self.take($0) }
  }

  /// Listens at the configured address.
  func listen() -> EventLoopFuture<Void> {
    let bootstrap = serverBootstrap
    let channel: EventLoopFuture<any Channel>
    // Names are looked up; an address needs not be.
    if let address = try? SocketAddress(
      ipAddress: configuration.address, port: configuration.port)
    {
      channel = bootstrap.bind(to: address)
    } else {
      channel = bootstrap.bind(host: configuration.address, port: configuration.port)
    }
    return channel.flatMapThrowing { try self.take($0) }
  }

  private func take(_ channel: any Channel) throws {
    listener = channel
    listenerDescriptor =
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self
      ) { $0 } ?? -1
    if let port = channel.localAddress?.port { facts.port = port }
    if let address = channel.localAddress?.ipAddress { facts.address = address }
    // The port is known now.
    cache?.fixedParameters = fixedParameters
  }

  private var serverBootstrap: ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 511)
      // A restart does not wait until the last connections are forgotten.
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.recvAllocator, value: Self.receiveAllocator)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = self.makeConnection()
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
  }

  private static var receiveAllocator: AdaptiveRecvByteBufferAllocator {
    AdaptiveRecvByteBufferAllocator(minimum: 16 << 10, initial: 64 << 10, maximum: 1 << 20)
  }

  private func makeConnection() -> ConnectionHandler {
    let session = Session(id: nextClientID)
    nextClientID += 1
    let now = cache?.now ?? 0
    cache?.figures.connectionCount += 1
    return ConnectionHandler(self, session, connectTime: now)
  }

  /// Makes the socket of a client that was handed over a channel.
  func adopt(_ handler: ConnectionHandler, _ socket: Int32) {
    ClientBootstrap(group: group)
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
        self.logger.debug("client \(handler.session.id) could not be taken over: \(error)")
      }
  }

  /// A client has connected.
  func add(_ connection: ConnectionHandler) {
    guard connections.count < clientLimit else {
      facts.rejectedCount += 1
      connection.send { $0.error("ERR max number of clients reached") }
      connection.abandon()
      return
    }
    connections[connection.session.id] = connection
  }

  /// A client has gone.
  func remove(_ connection: ConnectionHandler) {
    if upgradeRequester === connection { upgradeRequester = nil }
    connections[connection.session.id] = nil
  }

  /// Makes room for the next replies: in the same buffer, once it is sent, unless it has grown much.
  func emptyReply() {
    if reply.buffer.capacity > 4 * Self.outputLimit {
      reply.buffer = ByteBufferAllocator().buffer(capacity: 64 << 10)
    } else {
      reply.buffer.clear()
    }
  }
}
