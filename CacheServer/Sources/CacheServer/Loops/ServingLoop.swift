internal import NIOCore
internal import RESP

/// An event loop, and what the connections on it share.
///
/// `@unchecked Sendable`: everything but what is constant is touched on the event loop alone.
final class ServingLoop: @unchecked Sendable {
  /// Its place among ``Engine/loops``.
  let index: Int
  let eventLoop: any EventLoop
  /// The replies to the client that is being served.
  var reply = ReplyWriter(ByteBufferAllocator().buffer(capacity: 64 << 10))
  /// Replies of a transaction that come before ``reply``. They are not sent before the transaction has ended.
  private(set) var earlierReplies: [ByteBuffer] = []

  init(_ index: Int, _ eventLoop: any EventLoop) {
    self.index = index
    self.eventLoop = eventLoop
  }

  /// Keeps the replies so far, and makes room for more.
  ///
  /// - Returns: whether those of the transaction are still within the limit of one reply. If not, they are forgotten.
  func setReplyAside() -> Bool {
    earlierReplies.append(reply.buffer)
    reply.buffer = ByteBufferAllocator().buffer(capacity: 64 << 10)
    let byteCount = earlierReplies.reduce(0) { $0 + $1.readableBytes }
    guard byteCount > reply.byteLimit else { return true }
    earlierReplies = []
    return false
  }

  /// Forgets all replies that are not sent.
  func forgetReplies() {
    earlierReplies = []
    emptyReply()
  }

  /// Returns the replies that were set aside, in order, and forgets them.
  func takeEarlierReplies() -> [ByteBuffer] {
    defer { earlierReplies = [] }
    return earlierReplies
  }

  /// Makes room for the next replies: in the same buffer, once it is sent, unless it has grown much.
  func emptyReply() {
    if reply.buffer.capacity > 4 * Engine.outputLimit {
      reply.buffer = ByteBufferAllocator().buffer(capacity: 64 << 10)
    } else {
      reply.buffer.clear()
    }
  }
}
