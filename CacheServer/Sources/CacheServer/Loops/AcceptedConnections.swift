internal import NIOCore

/// Prepares the connections that a listening socket accepts, each on its own event loop.
///
/// It comes before SwiftNIO's handler for that, and goes round it: that one has each connection go from the main event
/// loop to its own, back and there again, and gives it up if the listening socket is closed meanwhile. Here it goes there
/// once.
///
/// `@unchecked Sendable`: touched on the main event loop alone.
final class AcceptedConnections: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel

  private let prepare: @Sendable (any Channel) throws -> Void
  /// The place of SwiftNIO's handler in the pipeline.
  private var bypassed: ChannelHandlerContext?

  /// - Parameter prepare: called on the event loop of each connection, before that is served.
  init(_ prepare: @escaping @Sendable (any Channel) throws -> Void) { self.prepare = prepare }

  func channelActive(context: ChannelHandlerContext) {
    bypassed = try? context.pipeline.syncOperations.context(name: "AcceptHandler")
    context.fireChannelActive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { bypassed = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let connection = unwrapInboundIn(data)
    let prepare = prepare
    connection.eventLoop.execute {
      do { try prepare(connection) } catch { connection.close(promise: nil) }
    }
    // The listening channel registers the connection with its event loop behind that.
    (bypassed ?? context).fireChannelRead(data)
  }
}
