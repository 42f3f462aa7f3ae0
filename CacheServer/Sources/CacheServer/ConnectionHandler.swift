internal import CacheCore
internal import MemcachedProtocol
internal import NIOCore
internal import NIOPosix
internal import RESP

/// A client: takes what it sends to the cache, and the replies back.
///
/// `@unchecked Sendable`: touched on the event loop alone.
final class ConnectionHandler: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Why the client is not served although it has sent something.
  enum Hold: Equatable {
    case none
    /// It does not read its replies.
    case output
    /// It waits for the end of an upgrade.
    case upgrade
    /// It waits for the end of a pause.
    case pause
  }

  let engine: Engine
  var session: Session
  var parser = RequestParser()
  /// Of a client of the memcached protocol, what finds its commands.
  var memcached: MemcachedParser?
  /// What it has sent and is not carried out yet.
  var pending: ByteBuffer
  /// How many bytes are being carried out.
  private(set) var servedByteCount = 0
  var hold = Hold.none
  /// Whether it speaks TLS: then a handler before this one encrypts.
  let isEncrypted: Bool
  /// Its socket; -1 if the connection had ended when this was first asked for.
  ///
  /// The channel is asked when the number is needed: that takes some 4 microseconds, and not every connection needs it.
  private(set) lazy var descriptor: Int32 = descriptorOfChannel ?? -1
  /// When it connected, and when it sent something last, in milliseconds since 1970.
  var connectTime: UInt64
  var lastTime: UInt64
  var context: ChannelHandlerContext?
  /// Whether a successor serves it from now on.
  var isHandedOver = false
  /// Whether a key that it watches has changed; set while it is handed over.
  var areWatchesTouched = false
  /// Whether it sent `UPGRADE` to the predecessor, and gets the reply from this process.
  var awaitsUpgrade = false
  /// Whether a successor that is not serving yet has a copy of the socket.
  var isSentAhead = false
  /// Whether its state has changed since the successor got it.
  var isChangedSinceSent = false {
    didSet {
      if isChangedSinceSent, !oldValue, isSentAhead { engine.ahead.changed.append(self) }
    }
  }
  /// Whether a reply was sent.
  private var isAnswered = false
  /// Whether the channel may have replies that wait to be sent.
  private var mayHaveUnsent = false
  /// How many bytes of replies waited to be sent at the last look, and since when that number has not changed.
  var unsentByteCount = Int.max
  var unsentSince = NIODeadline.now()
  /// Whether the connection is closed as soon as everything is sent.
  private(set) var isClosing = false

  init(
    _ engine: Engine, _ session: Session, pending: ByteBuffer = ByteBuffer(), connectTime: UInt64,
    isEncrypted: Bool = false
  ) {
    self.engine = engine
    self.session = session
    self.pending = pending
    self.connectTime = connectTime
    self.isEncrypted = isEncrypted
    lastTime = connectTime
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    session.address = remoteText ?? ""
    engine.add(self)
    // A successor has the memory, and takes over this connection as well.
    if engine.state == .handedOver {
      if isEncrypted { disconnect() } else { setReading(false) }
    }
    if awaitsUpgrade {
      awaitsUpgrade = false
      send { $0.ok() }
    }
    // A client that was handed over may have sent before what is not answered yet.
    if pending.readableBytes > 0 { work(context) }
  }

  func channelInactive(context: ChannelHandlerContext) { engine.remove(self) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A connection that is reset, mostly.
    close(context.channel)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    isChangedSinceSent = true
    var input = unwrapInboundIn(data)
    guard pending.readableBytes == 0, hold == .none else {
      pending.writeBuffer(&input)
      if hold == .none { work(context) }
      checkInput(context)
      return
    }
    serve(&input, context)
    guard input.readableBytes > 0 else { return }
    // What is left is copied, so that the buffer that it came in can be used again.
    pending.clear()
    pending.writeBuffer(&input)
    checkInput(context)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard hold == .output, context.channel.isWritable else { return }
    hold = .none
    work(context)
    if hold == .none { setReading(true) }
  }

  /// Goes on with what the client has sent before.
  func resume() {
    hold = .none
    setReading(true)
    if let context, pending.readableBytes > 0 { work(context) }
  }

  /// Closes the connection without a word.
  func abandon() {
    isClosing = true
    if let context { close(context.channel) }
  }

  /// Closes the connection, even if a successor has a copy of its socket.
  private func close(_ channel: any Channel) {
    // TLS waits for the other end, which may still send.
    isClosing = true
    if isSentAhead, channel.isActive { SystemCalls.shutDown(descriptor) }
    channel.close(promise: nil)
  }

  private func work(_ context: ChannelHandlerContext) {
    isChangedSinceSent = true
    var input = ByteBuffer()
    swap(&input, &pending)
    serve(&input, context)
    input.discardReadBytes()
    pending = input.readableBytes > 0 || input.capacity <= 64 << 10 ? input : ByteBuffer()
  }

  /// Carries out what `input` holds, and takes it away.
  private func serve(_ input: inout ByteBuffer, _ context: ChannelHandlerContext) {
    guard engine.cache != nil, !isHandedOver else { return }
    lastTime = engine.cache!.beginBatch()
    servedByteCount = input.readableBytes
    defer { servedByteCount = 0 }
    engine.reply.isRESP3 = session.isRESP3
    var isDone = false
    while !isDone {
      switch serveSome(input) {
      case .incomplete: isDone = true
      case .failed, .close:
        isClosing = true
        isDone = true
      case .forServer(let command):
        let start = engine.reply.buffer.writerIndex
        if let queued = session.transaction?.current {
          engine.perform(command, queued.request, for: self)
        } else {
          engine.perform(command, parser.request(in: input.readableBytesSpan), for: self)
        }
        if session.replyMode != .on {
          engine.cache?.hushReply(from: start, &session, &engine.reply)
        }
        if isClosing || hold != .none || engine.cache == nil {
          parser.finishRequest()
          isDone = true
        }
      case .forMemcachedStatistics:
        engine.writeMemcachedStatistics(memcached!, input.readableBytesSpan)
      case .paused:
        hold = .pause
        setReading(false)
        isDone = true
      case .full:
        flush(context)
        if !context.channel.isWritable {
          hold = .output
          if memcached == nil { parser.finishRequest() }
          setReading(false)
          isDone = true
        }
      }
    }
    if memcached != nil {
      input.moveReaderIndex(forwardBy: memcached!.consumed)
      memcached!.discardConsumed()
    } else {
      input.moveReaderIndex(forwardBy: parser.consumed)
      parser.discardConsumed()
    }
    if engine.cache != nil { engine.cache!.endBatch() }
    flush(context)
    if isClosing { closeWhenWritten(context) }
  }

  /// Carries out what is whole of `input`, as far as one round of replies goes.
  @inline(__always)
  private func serveSome(_ input: ByteBuffer) -> Cache.Stop {
    guard memcached == nil else {
      return engine.cache!.serveMemcached(
        input.readableBytesSpan, &memcached!, &session, &engine.reply,
        outputLimit: Engine.outputLimit)
    }
    return engine.cache!.serve(
      input.readableBytesSpan, &parser, &session, &engine.reply,
      outputLimit: Engine.outputLimit)
  }

  /// Sends the replies so far.
  private func flush(_ context: ChannelHandlerContext) {
    guard engine.reply.buffer.readableBytes > 0 else { return }
    sendNow(context)
    if engine.reply.buffer.readableBytes > 0 {
      mayHaveUnsent = true
      context.writeAndFlush(wrapOutboundOut(engine.reply.buffer), promise: nil)
    }
    engine.emptyReply()
  }

  /// Sends what the kernel takes at once of the replies so far.
  ///
  /// The channel sends the rest, and everything while it has something to send. It also gets the errors: after one, the
  /// kernel takes nothing. Sending through the channel takes 0.7 microseconds more.
  private func sendNow(_ context: ChannelHandlerContext) {
    // A connection that sends one request and ends is not worth the question for its socket.
    guard isAnswered else {
      isAnswered = true
      return
    }
    // The number of a socket that is closed may be another connection's.
    guard !isEncrypted, context.channel.isActive, descriptor >= 0 else { return }
    if mayHaveUnsent {
      let unsentByteCount = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
      guard unsentByteCount == 0 else { return }
      mayHaveUnsent = false
    }
    let socket = descriptor
    // SAFETY: the pointer is used by the call alone, which takes no more bytes than there are.
    unsafe engine.reply.buffer.readWithUnsafeReadableBytes {
      SystemCalls.sendNow(socket, $0)
    }
  }

  private var descriptorOfChannel: Int32? {
    guard let pipeline = context?.channel.pipeline else { return nil }
    return try? pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { $0 }
  }

  /// Closes the connection once everything is sent.
  private func closeWhenWritten(_ context: ChannelHandlerContext) {
    // The end of TLS is a message from each side. What else comes is ignored.
    setReading(isEncrypted)
    let channel = context.channel
    // Behind everything that was written.
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
      self.close(channel)
    }
  }

  /// Closes the connection once everything is sent, which may be now.
  func closeSoon() {
    guard !isClosing, let context else { return }
    isClosing = true
    closeWhenWritten(context)
  }

  /// Has the connection closed once everything is sent.
  func markClosing() { isClosing = true }

  /// Sends a reply that is not one to what was just read.
  func send(_ write: (inout ReplyWriter) -> Void) {
    guard let context else { return }
    isChangedSinceSent = true
    var reply = ReplyWriter()
    reply.isRESP3 = session.isRESP3
    write(&reply)
    mayHaveUnsent = true
    context.writeAndFlush(wrapOutboundOut(reply.buffer), promise: nil)
  }

  /// Sends the client the reason why it is not served.
  ///
  /// - Parameter line: the line for a client of the memcached protocol, if memcached has one of its own.
  func refuse(_ sentence: String, memcached line: String? = nil) {
    send { reply in
      if memcached == nil {
        reply.error(sentence)
      } else {
        reply.textLine(line ?? "SERVER_ERROR \(sentence)")
      }
    }
  }

  func setReading(_ isReading: Bool) {
    guard let channel = context?.channel else { return }
    try? channel.syncOptions?.setOption(.autoRead, value: isReading)
    if isReading { channel.read() }
  }

  /// Whether it has connected from this machine: over a UNIX socket, or from an address of loopback.
  var isOfThisMachine: Bool {
    guard let address = context?.channel.remoteAddress else { return false }
    switch address {
    case .v4: return address.ipAddress?.hasPrefix("127.") ?? false
    case .v6:
      return address.ipAddress == "::1" || address.ipAddress?.hasPrefix("::ffff:127.") == true
    case .unixDomainSocket: return true
    }
  }

  private func checkInput(_ context: ChannelHandlerContext) {
    if pending.readableBytes > Engine.inputLimit { close(context.channel) }
  }
}
