internal import CacheCore
internal import NIOCore

/// Answers `GET /metrics` of HTTP, and closes the connection.
///
/// `@unchecked Sendable`: touched on its event loop alone.
final class MetricsHandler: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The longest head of a request, in bytes.
  static let headByteLimit = 8192
  /// The most connections at the same time.
  static let connectionLimit = 64
  /// How long a client may take to send its request.
  static let patience = TimeAmount.seconds(10)

  private let engine: Engine
  private var head = ByteBuffer()
  private var isAnswered = false
  private var deadline: Scheduled<Void>?

  init(_ engine: Engine) { self.engine = engine }

  func channelActive(context: ChannelHandlerContext) {
    try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { SystemCalls.closeOnExec($0) }
    let count = engine.locked {
      engine.metricsConnectionCount += 1
      return engine.metricsConnectionCount
    }
    guard count <= Self.connectionLimit else {
      return context.close(promise: nil)
    }
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    engine.locked { engine.metricsConnectionCount -= 1 }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isAnswered else { return }
    var bytes = unwrapInboundIn(data)
    head.writeBuffer(&bytes)
    let text = String(decoding: head.readableBytesView.prefix(Self.headByteLimit), as: UTF8.self)
    guard let end = Self.headEnd(text) else {
      if head.readableBytes >= Self.headByteLimit {
        answer(
          context, "431 Request Header Fields Too Large",
          "the head of the request has more than \(Self.headByteLimit) bytes\n")
      }
      return
    }
    let line = text[..<end].split(whereSeparator: \.isNewline).first ?? ""
    let words = line.split(separator: " ")
    guard words.count == 3, words[2].hasPrefix("HTTP/") else {
      return answer(context, "400 Bad Request", "the first line is not a request of HTTP\n")
    }
    guard words[0] == "GET" || words[0] == "HEAD" else {
      return answer(context, "405 Method Not Allowed", "only GET and HEAD are allowed\n")
    }
    guard words[1].split(separator: "?").first == "/metrics" else {
      return answer(context, "404 Not Found", "the figures are at /metrics\n")
    }
    guard let page = engine.locked({ engine.metrics() }) else {
      return answer(
        context, "503 Service Unavailable",
        "the memory is being handed over to a successor; ask again\n")
    }
    answer(context, "200 OK", page, hasBody: words[0] == "GET")
  }

  /// The index of the empty line that ends a head, or `nil` if the head is incomplete.
  private static func headEnd(_ text: String) -> String.Index? {
    var isLineEmpty = false
    for index in text.indices {
      // Swift reads a carriage return with a line feed as one character.
      guard text[index].isNewline else {
        isLineEmpty = false
        continue
      }
      if isLineEmpty { return index }
      isLineEmpty = true
    }
    return nil
  }

  private func answer(
    _ context: ChannelHandlerContext, _ status: String, _ body: String, hasBody: Bool = true
  ) {
    isAnswered = true
    var reply = ByteBuffer()
    reply.writeString(
      "HTTP/1.1 \(status)\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n")
    if hasBody { reply.writeString(body) }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(reply)).whenComplete { _ in channel.close(promise: nil) }
  }
}

extension Engine {
  /// The page of figures, or `nil` while another process has the memory.
  func metrics() -> String? {
    guard cache != nil else { return nil }
    cache!.beginBatch()
    refreshFacts()
    return cache!.metrics(facts)
  }
}
