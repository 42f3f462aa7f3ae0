import NIOCore
import PersistentCollections
import SystemPackage

/// Counts: a client sends a name in a datagram, and the counter replies how often it has come.
///
/// `@unchecked Sendable`: after the start, touched on the event loop alone.
final class Counter: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  /// How often which name has come; nil only while it is on its way to a successor.
  var visits: PersistentMap<String, UInt64>?

  init(_ visits: consuming PersistentMap<String, UInt64>) { self.visits = .some(visits) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var message = unwrapInboundIn(data)
    let name = String(buffer: message.data)
    do {
      let count = try (visits!.value(of: name) ?? 0) + 1
      try visits!.setValue(count, of: name)
      message.data = ByteBuffer(string: "\(name) \(count)\n")
    } catch {
      message.data = ByteBuffer(string: "\(name) cannot be counted: \(error)\n")
    }
    context.writeAndFlush(wrapOutboundOut(message), promise: nil)
  }
}

extension Channel {
  /// The socket of the channel, on whose event loop this is.
  func descriptor() throws -> SystemPackage.FileDescriptor {
    try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
      SystemPackage.FileDescriptor(rawValue: $0)
    }!
  }
}
