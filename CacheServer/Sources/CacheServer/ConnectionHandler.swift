internal import CacheCore
internal import MemcachedProtocol
internal import NIOCore
internal import RESP

/// A client: takes what it sends to the cache, and the replies back.
///
/// `@unchecked Sendable`: what other event loops look at is touched with the engine's lock, the rest on the client's
/// event loop alone, or by the main one while that is parked.
///
/// A channel calls its handlers, which take the lock. So no function uses the channel while it has the lock; those that
/// are called with the lock leave that to a task: ``onLoop(_:)``.
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
  let loop: ServingLoop
  /// Whether it speaks TLS: then a handler before this one encrypts.
  let isEncrypted: Bool

  // MARK: With the lock

  var session: Session
  var hold = Hold.none
  /// How many bytes it has sent that are not carried out, and how many there is room for, at the last request.
  var inputByteCount = 0
  var inputCapacity = 0
  /// Its channel while it is connected, for the addresses alone.
  var channel: (any Channel)?
  /// Its socket; -1 if that is not known, or the connection has ended.
  var descriptor: Int32 = -1
  /// When it connected, and when it sent something last, in milliseconds since 1970.
  var connectTime: UInt64
  var lastTime: UInt64
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
  /// Whether replies waited to be sent at the last ``noteUnsent()``.
  var hasUnsent = false
  /// Whether the connection is closed as soon as everything is sent.
  var isClosing = false

  // MARK: On the event loop

  var parser = RequestParser()
  /// Of a client of the memcached protocol, what finds its commands.
  var memcached: MemcachedParser?
  /// What it has sent and is not carried out yet.
  var pending: ByteBuffer
  var context: ChannelHandlerContext?
  /// The number of its socket; -1 before it is connected.
  var socket: Int32 = -1
  /// Whether what it sends does not matter any more.
  var ignoresInput = false
  /// Whether the channel may have replies that wait to be sent.
  var mayHaveUnsent = false
  /// How many bytes of replies waited to be sent at the last look, and since when that number has not changed.
  var unsentByteCount = Int.max
  var unsentSince = NIODeadline.now()

  init(
    _ engine: Engine, _ loop: ServingLoop, _ session: Session, pending: ByteBuffer = ByteBuffer(),
    connectTime: UInt64, isEncrypted: Bool = false
  ) {
    self.engine = engine
    self.loop = loop
    self.session = session
    self.pending = pending
    self.connectTime = connectTime
    self.isEncrypted = isEncrypted
    lastTime = connectTime
  }

  // MARK: Events

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    let isNear = isOfThisMachine(context)
    socket = Self.socket(of: context.channel)
    engine.lock.lock()
    channel = context.channel
    descriptor = socket
    session.address = remoteText ?? ""
    // CLIENT KILL may have come before.
    let wasKilled = isClosing
    let refusal = wasKilled ? nil : engine.add(self, isOfThisMachine: isNear)
    let isLate = engine.state == .handedOver
    let isUpgradeDone = awaitsUpgrade
    awaitsUpgrade = false
    engine.lock.unlock()
    guard !wasKilled else { return close(context) }
    if let refusal {
      refuse(refusal, context)
      return close(context)
    }
    // A successor has the memory, and takes over this connection as well.
    if isLate {
      if isEncrypted { engine.locked { disconnect() } } else { applyReading(false, context) }
    }
    if isUpgradeDone { write(context) { $0.ok() } }
    // A client that was handed over may have sent before what is not answered yet.
    if pending.readableBytes > 0 { work(context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    engine.locked {
      engine.remove(self)
      channel = nil
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A connection that is reset, mostly.
    close(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !ignoresInput else { return }
    var input = unwrapInboundIn(data)
    guard pending.readableBytes == 0 else {
      pending.writeBuffer(&input)
      return work(context)
    }
    let isToClose = serve(&input, context)
    // What is left is copied, so that the buffer that it came in can be used again.
    if input.readableBytes > 0 {
      pending.clear()
      pending.writeBuffer(&input)
    }
    finish(context, closes: isToClose)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard context.channel.isWritable else { return }
    let goesOn = engine.locked {
      guard hold == .output else { return false }
      hold = .none
      return true
    }
    guard goesOn else { return }
    work(context)
    if engine.locked({ hold == .none }) { applyReading(true, context) }
  }

  /// Serves what the client has sent before.
  private func work(_ context: ChannelHandlerContext) {
    var input = ByteBuffer()
    swap(&input, &pending)
    let isToClose = serve(&input, context)
    input.discardReadBytes()
    pending = input.readableBytes > 0 || input.capacity <= 64 << 10 ? input : ByteBuffer()
    finish(context, closes: isToClose)
  }

  /// Sends the replies to what was just served.
  private func finish(_ context: ChannelHandlerContext, closes: Bool) {
    flush(context)
    if closes { closeWhenWritten(context) }
    if pending.readableBytes > Engine.inputLimit { close(context) }
  }

  // MARK: Requests

  /// Carries out what `input` holds, and takes it away. The replies are the event loop's, to be sent.
  ///
  /// - Returns: whether the connection is to be closed behind them.
  private func serve(_ input: inout ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    engine.lock.lock()
    defer { engine.lock.unlock() }
    isChangedSinceSent = true
    inputByteCount = input.readableBytes
    inputCapacity = input.capacity
    guard hold == .none, !isClosing, engine.cache != nil, !isHandedOver else { return false }
    lastTime = engine.cache!.beginBatch()
    loop.reply.isRESP3 = session.isRESP3
    loop.reply.byteLimit = Int(engine.cache!.settings.replyByteLimit)
    var isDone = false
    var isToClose = false
    var isOverLimit = false
    defer { if isOverLimit { loop.forgetReplies() } }
    while !isDone {
      switch serveSome(input) {
      case .incomplete: isDone = true
      case .failed, .close:
        isClosing = true
        isToClose = true
        isDone = true
      case .forServer(let command):
        performForServer(command, input)
        // What the client ended, it ended for itself: the transaction is carried out completely.
        session.endsAfterTransaction = isClosing
        isDone = engine.cache == nil || !session.isExecuting && (isClosing || hold != .none)
        isToClose = isDone && isClosing
        if isDone { parser.finishRequest() }
      case .forMemcachedStatistics:
        swap(&engine.reply, &loop.reply)
        engine.writeMemcachedStatistics(memcached!, input.readableBytesSpan)
        swap(&engine.reply, &loop.reply)
      case .paused:
        hold = .pause
        stopReading()
        isDone = true
      case .full where session.isExecuting:
        if !loop.setReplyAside() {
          // The transaction is carried out completely; its client gets no part of the replies.
          isOverLimit = true
          isClosing = true
          session.endsAfterTransaction = true
        }
      case .full:
        let isWritable = sendBetween(context)
        isDone = !mayGoOn
        if !isDone, !isWritable {
          hold = .output
          stopReading()
          isDone = true
        }
        if isDone, memcached == nil { parser.finishRequest() }
      case .turn:
        guard engine.lock.giveWay() else { break }
        isDone = !mayGoOn
        if !isDone {
          engine.cache!.beginBatch()
        } else if memcached == nil {
          parser.finishRequest()
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
    inputByteCount = input.readableBytes
    if engine.cache != nil { engine.cache!.endBatch() }
    return isToClose
  }

  /// Whether the client may be served, after others were.
  private var mayGoOn: Bool { engine.cache != nil && !isClosing && !isHandedOver }

  /// Carries out what is whole of `input`, as far as one round of replies goes.
  @inline(__always)
  private func serveSome(_ input: ByteBuffer) -> Cache.Stop {
    guard memcached == nil else {
      return engine.cache!.serveMemcached(
        input.readableBytesSpan, &memcached!, &session, &loop.reply,
        outputLimit: Engine.outputLimit)
    }
    return engine.cache!.serve(
      input.readableBytesSpan, &parser, &session, &loop.reply,
      outputLimit: Engine.outputLimit)
  }

  /// Carries out a command about the server.
  private func performForServer(_ command: Command, _ input: ByteBuffer) {
    swap(&engine.reply, &loop.reply)
    defer { swap(&engine.reply, &loop.reply) }
    let start = engine.reply.buffer.writerIndex
    if let queued = session.transaction?.current {
      engine.perform(command, queued.request, for: self)
    } else {
      engine.perform(command, parser.request(in: input.readableBytesSpan), for: self)
    }
    if session.replyMode != .on {
      engine.cache?.hushReply(from: start, &session, &engine.reply)
    }
  }

  /// Sends the replies so far, without the lock.
  ///
  /// - Returns: whether the client takes more.
  private func sendBetween(_ context: ChannelHandlerContext) -> Bool {
    engine.cache!.endBatch()
    engine.lock.unlock()
    flush(context)
    let isWritable = context.channel.isWritable
    engine.lock.lock()
    if engine.cache != nil { engine.cache!.beginBatch() }
    return isWritable
  }

  /// Goes on with what the client has sent before, unless it waits for something other than `reason`.
  ///
  /// The caller has the lock.
  func resume(from reason: Hold) {
    onLoop { context in
      let goesOn = self.engine.locked {
        guard self.hold == reason else { return false }
        self.hold = .none
        return true
      }
      guard goesOn else { return }
      self.applyReading(true, context)
      if self.pending.readableBytes > 0 { self.work(context) }
    }
  }
}
