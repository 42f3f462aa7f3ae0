internal import CacheCore
internal import KexecHandover
internal import Logging
internal import MemcachedProtocol
internal import NIOCore
internal import NIOPosix
internal import RESP
internal import SystemPackage

// The old process's side of an upgrade.
//
//     old                                  new
//      │ spawn ────────────────────────────►│ makes everything ready
//      │◄─────────────────────────── ready ─│
//      │ clients, some at a time, ─────────►│ keeps them
//      │   and serves them meanwhile        │
//      ├─ ─ ─ the event loop pauses ─ ─ ─ ─ ┤
//      │ settings, clients that changed ───►│
//      │ memory, listening socket ─────────►│ opens the cache
//      │◄────────────────────────── opened ─│
//      │ go ───────────────────────────────►│ serves: first the clients that have sent something
//      │ closes its copies                  │
//      │ clients whose replies were        ►│
//      │ not sent yet, one by one           │
//      ╵ ends
//
// Until `go`, the old process has everything it had: if something goes wrong, it kills the new one and goes on.
// After `go` it does not touch the clients. It ends a connection that closes before `go` by shutdown(2), because the
// new process has a copy of the socket.

extension Engine {
  /// Starts the program anew, and hands everything over to it.
  func upgrade(for requester: ConnectionHandler?) {
    guard state == .serving else {
      if requester != nil { reply.error("ERR an upgrade is under way") }
      logger.warning("no upgrade: one is under way")
      return
    }
    adoptWaiting(atMost: .max)
    state = .upgrading
    ahead = AheadClients(unsent: Set(connections.keys))
    upgradeRequester = requester
    if let requester {
      requester.hold = .upgrade
      requester.setReading(false)
    }
    logger.notice("upgrade: starting \(configuration.executable)")
    let configuration = configuration
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
      let successor = try SuccessorProcess.start(configuration)
      try successor.awaitReady()
      return successor
    }.whenComplete { self.handOver(to: $0) }
  }

  private func handOver(to result: Result<SuccessorProcess, any Error>) {
    switch result {
    case .failure(let error): upgradeFailed(error)
    case .success(let successor):
      if successor.takesClientsAhead {
        sendAhead(connections.keys.sorted()[...], to: successor)
      } else {
        finishHandover(to: successor)
      }
    }
  }

  /// How many clients are sent ahead before the event loop serves clients again.
  private static let aheadCount = min(32, NamedDescriptor.countLimit)
  /// The most bytes of requests that are not carried out yet of a client that is sent ahead.
  private static let aheadByteLimit = 64 << 10

  /// Sends clients to a successor that does not serve yet, while they are served here.
  private func sendAhead(_ ids: ArraySlice<UInt64>, to successor: SuccessorProcess) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    let clients = ids.prefix(Self.aheadCount).compactMap { connections[$0] }
      .filter { $0.canBeHandedOver && $0.pending.readableBytes <= Self.aheadByteLimit }
    do {
      if !clients.isEmpty {
        try successor.stream.write(HandoverState.ahead(clients.count))
        for client in clients { try successor.stream.write(client.state.frame) }
        try successor.stream.flush()
        try successor.channel.send(clients.map(\.namedDescriptor))
      }
    } catch {
      return upgradeFailed(
        successor.abandon(after: error as? DescriptorChannelError ?? .closed, "it served"))
    }
    for client in clients { noteForUpgrade(sent: client) }
    let rest = ids.dropFirst(Self.aheadCount)
    guard !clients.isEmpty else { return goOn(with: rest, to: successor) }
    awaitAhead(rest, successor, until: .now() + Self.aheadPatience)
  }

  /// How long a successor may take for the clients of one step.
  private static let aheadPatience = TimeAmount.seconds(30)

  private func goOn(with rest: ArraySlice<UInt64>, to successor: SuccessorProcess) {
    if rest.isEmpty { finishHandover(to: successor) } else { sendAhead(rest, to: successor) }
  }

  /// Goes on once the successor has taken the clients of this step. So it has none left to take when the event loop
  /// pauses, and the event loop does not wait for it before that.
  private func awaitAhead(
    _ rest: ArraySlice<UInt64>, _ successor: SuccessorProcess, until deadline: NIODeadline
  ) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    guard successor.stream.hasInput else {
      guard NIODeadline.now() < deadline else {
        return upgradeFailed(successor.abandon(after: .timedOut, "it served"))
      }
      eventLoop.scheduleTask(in: .microseconds(200)) {
        self.awaitAhead(rest, successor, until: deadline)
      }
      return
    }
    do {
      guard try successor.stream.read() == HandoverState.greeting else {
        throw DescriptorChannelError.closed
      }
    } catch {
      return upgradeFailed(successor.abandon(after: .closed, "it served"))
    }
    goOn(with: rest, to: successor)
  }

  private func finishHandover(to successor: SuccessorProcess) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    let start = NIODeadline.now()
    let roster = makeRoster()
    do throws(UpgradeFailure) {
      try handOver(roster, to: successor)
    } catch {
      return resume(after: error)
    }
    let waited = (NIODeadline.now() - start).nanoseconds / 1000
    // The successor serves from here on. What follows takes longer with many clients.
    SystemCalls.giveWay()
    for client in roster.new { client.isSentAhead = true }
    let clients = connections.values.filter(\.isSentAhead)
    ahead = AheadClients()
    logger.notice(
      """
      upgrade: process \(successor.processID) serves from here on; \(clients.count) clients have \
      waited for \(waited) microseconds
      """)
    letGo(of: clients, to: successor)
  }

  /// Hands over. Nothing else happens on the event loop meanwhile.
  private func handOver(
    _ roster: Roster, to successor: SuccessorProcess
  ) throws(UpgradeFailure) {
    guard let cache = cache.take() else { preconditionFailure("no cache to hand over") }
    let settings = cache.settings
    lastSettings = settings
    let memory = cache.close()
    do {
      let new = roster.new
      let state = HandoverState(
        settings: settings, nextClientID: nextClientID, clientCount: UInt32(new.count),
        endpoints: listeners.map(\.endpoint), droppedClients: roster.dropped,
        changedCount: UInt32(roster.changed.count))
      try successor.stream.write(state.frame)
      for client in new { try successor.stream.write(client.state.frame) }
      try successor.stream.flush()
      for batch in stride(from: 0, to: new.count, by: NamedDescriptor.countLimit) {
        let some = new[batch..<min(batch + NamedDescriptor.countLimit, new.count)]
        try successor.channel.send(some.map(\.namedDescriptor))
      }
      for client in roster.changed { try successor.stream.write(client.state.frame) }
      try successor.stream.flush()
      try memory.handOver(
        to: &successor.channel,
        with: listeners.enumerated().map {
          NamedDescriptor(HandoverState.listenerName($0), $1.socket)
        })
      guard try successor.channel.awaitAcknowledgement() == 0 else {
        throw DescriptorChannelError.malformedMessage
      }
      try successor.channel.acknowledge()
    } catch let error as DescriptorChannelError {
      throw successor.abandon(after: error, "it served")
    } catch {
      throw successor.abandon(after: .closed, "it served")
    }
  }

  /// Goes on serving after a successor that failed.
  private func resume(after failure: UpgradeFailure) {
    guard let file = memoryFile else { return fail("upgrade: \(failure.sentence)") }
    do {
      let memory = try PreservedMemory(adopting: file)
      var cache = try Cache(in: memory, by: .resumed, settings: lastSettings)
      cache.beginBatch()
      self.cache = .some(cache)
      prepareCache()
      connections.values.forEach(restoreWatches)
    } catch {
      return fail(
        "upgrade: \(failure.sentence); this process cannot open the memory again: "
          + sentence(of: error))
    }
    upgradeFailed(failure)
  }

  private func upgradeFailed(_ error: any Error) {
    let sentence = sentence(of: error)
    logger.error("upgrade: \(sentence); going on as before")
    if state == .upgrading { state = .serving }
    for client in connections.values { client.isSentAhead = false }
    ahead = AheadClients()
    guard let requester = upgradeRequester else { return }
    upgradeRequester = nil
    requester.send { $0.error("ERR upgrade failed: \(sentence)") }
    requester.resume()
  }

  /// Closes this process's copies of what the successor has, and waits for the rest.
  private func letGo(of clients: [ConnectionHandler], to successor: SuccessorProcess) {
    state = .handedOver
    self.successor = successor
    try? ServiceManager.current()?.notifyMainProcess(successor.processID)
    closeListeners(removesFiles: false)
    for client in clients { client.leave() }
    for client in connections.values {
      if client.isEncrypted { client.disconnect() } else { client.setReading(false) }
    }
    handOverRest(after: .milliseconds(2))
  }

  /// How long a client may read none of its replies before this process gives it up.
  private static let readPatience = TimeAmount.minutes(10)

  /// Hands over the clients whose replies have been sent since, and those that a predecessor hands over late.
  ///
  /// - Parameter delay: how long to wait before the next look at the others.
  /// - Parameter wasEmpty: whether the look before found none.
  private func handOverRest(after delay: TimeAmount, wasEmpty: Bool = false) {
    guard state == .handedOver, let successor else { return }
    for client in connections.values.filter(\.canBeHandedOver) {
      do {
        try successor.stream.write(client.state.frame)
        try successor.stream.flush()
        try successor.channel.send([client.namedDescriptor])
        client.leave()
      } catch {
        logger.error("upgrade: a client could not be handed over: \(sentence(of: error))")
        client.abandon()
      }
    }
    for client in connections.values where client.isStalled(for: Self.readPatience) {
      client.abandon()
    }
    // A connection that was just accepted may be missing here, so the process ends after two empty looks.
    let isEmpty = connections.isEmpty && !awaitsPredecessor
    guard !(isEmpty && wasEmpty) else { return end(afterHandover: true) }
    eventLoop.scheduleTask(in: delay) {
      let longer = TimeAmount.nanoseconds(min(delay.nanoseconds * 5 / 4, 50_000_000))
      self.handOverRest(after: isEmpty ? delay : longer, wasEmpty: isEmpty)
    }
  }
}

extension ConnectionHandler {
  /// Whether a successor can serve it: all replies are sent, as far as this process is concerned, and it does not
  /// encrypt. The keys of a TLS connection are in this process alone.
  var canBeHandedOver: Bool {
    guard let channel = context?.channel, descriptor >= 0, !isClosing, !isEncrypted else {
      return false
    }
    return (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0
  }

  /// Whether the number of bytes that wait to be sent has not changed for longer than `patience`.
  func isStalled(for patience: TimeAmount) -> Bool {
    let options = context?.channel.syncOptions
    guard let count = try? options?.getOption(.bufferedWritableBytes) else { return false }
    if count != unsentByteCount {
      unsentByteCount = count
      unsentSince = .now()
    }
    return .now() - unsentSince > patience
  }

  /// The state of the client for a successor.
  var state: ClientState {
    var rest = pending
    if let prefix = memcached?.resumption, !prefix.isEmpty {
      // A command whose first keys are answered goes on with the others.
      rest = ByteBuffer(bytes: prefix)
      rest.writeImmutableBuffer(pending)
    }
    return ClientState(
      session: session, connectTime: connectTime, lastTime: lastTime,
      awaitsUpgrade: engine.upgradeRequester === self, areWatchesTouched: areWatchesTouched,
      service: memcached == nil ? .redis : .memcached, skipCount: memcached?.skipCount ?? 0,
      pending: rest)
  }

  var namedDescriptor: NamedDescriptor {
    NamedDescriptor("client-\(session.id)", FileDescriptor(rawValue: descriptor))
  }

  /// Ends a connection that cannot be handed over: after the replies to everything that was carried out.
  func disconnect() {
    if engine.upgradeRequester === self { send { $0.ok() } }
    closeSoon()
  }

  /// Closes this process's copy of the socket; the connection stays.
  func leave() {
    isHandedOver = true
    isSentAhead = false
    context?.close(promise: nil)
  }
}
