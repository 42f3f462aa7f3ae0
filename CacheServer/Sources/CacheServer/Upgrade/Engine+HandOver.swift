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
//      ├─ the event loop pauses ─ ─ ─ ┤
//      │ settings, what has changed ───────►│
//      │ memory, listening socket ─────────►│ opens the cache
//      │◄────────────────────────── opened ─│
//      │ go ───────────────────────────────►│ serves: first the clients that have sent something
//      │ closes its copies                  │
//      │ clients whose replies were        ►│
//      │ not sent yet, one by one           │
//      ╵ ends
//
// Until `go`, the old process has everything it had: where something goes wrong, the new one is killed,
// and the old one goes on. After `go` it touches no client any more. A connection that ends before `go` is
// ended by shutdown(2), because the new process has a copy of its socket.

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

  /// How many clients are sent ahead before others are served again.
  private static let aheadCount = min(32, NamedDescriptor.countLimit)
  /// A client that has sent so much that is not carried out is not sent ahead.
  private static let aheadByteLimit = 64 << 10

  /// Sends clients to a successor that does not serve yet, while they are served here.
  private func sendAhead(_ ids: ArraySlice<UInt64>, to successor: SuccessorProcess) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    let clients = ids.prefix(Self.aheadCount).compactMap { connections[$0] }
      .filter { $0.isWritten && $0.pending.readableBytes <= Self.aheadByteLimit }
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
    for client in clients {
      client.isSentAhead = true
      client.isChangedSinceSent = false
      successor.clientsSentAhead.append(client.session.id)
    }
    let rest = ids.dropFirst(Self.aheadCount)
    guard !clients.isEmpty else { return goOn(with: rest, to: successor) }
    awaitAhead(rest, successor, until: .now() + Self.aheadPatience)
  }

  /// How long a successor may take for one of these steps.
  private static let aheadPatience = TimeAmount.seconds(30)

  private func goOn(with rest: ArraySlice<UInt64>, to successor: SuccessorProcess) {
    if rest.isEmpty { finishHandover(to: successor) } else { sendAhead(rest, to: successor) }
  }

  /// Goes on once the successor has taken what it was sent, so that nothing is left for it to do when the event loop
  /// pauses, and the event loop never waits for it before.
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

  /// The clients as they are when the event loop pauses.
  private struct Roster {
    /// All that the successor serves.
    var all: [ConnectionHandler] = []
    /// Those of them that it does not have yet, and those that are not any more what it has.
    var new: [ConnectionHandler] = []
    var changed: [ConnectionHandler] = []
    /// The numbers of those that it has and does not serve.
    var dropped: [UInt64] = []
  }

  /// Of a client that was sent ahead and has done nothing since, nothing is looked up: it has no replies to be sent.
  private func roster(for successor: SuccessorProcess) -> Roster {
    var roster = Roster()
    roster.all.reserveCapacity(connections.count)
    var keptCount = 0
    for client in connections.values {
      client.areWatchesTouched =
        client.session.isWatching && cache?.areWatchesTouched(of: client.session) == true
      guard client.isSentAhead && !client.isChangedSinceSent || client.isWritten else { continue }
      roster.all.append(client)
      guard client.isSentAhead else {
        roster.new.append(client)
        continue
      }
      keptCount += 1
      if client.isChangedSinceSent || client.areWatchesTouched { roster.changed.append(client) }
    }
    if keptCount < successor.clientsSentAhead.count {
      let kept = Set(roster.all.lazy.filter { $0.isSentAhead }.map { $0.session.id })
      roster.dropped = successor.clientsSentAhead.filter { !kept.contains($0) }
    }
    return roster
  }

  private func finishHandover(to successor: SuccessorProcess) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    let start = NIODeadline.now()
    let roster = roster(for: successor)
    do throws(UpgradeFailure) {
      try handOver(roster, to: successor)
    } catch {
      return resume(after: error)
    }
    let waited = (NIODeadline.now() - start).nanoseconds / 1000
    logger.notice(
      """
      upgrade: process \(successor.processID) serves from here on; \(roster.all.count) clients have \
      waited for \(waited) microseconds
      """)
    letGo(of: roster.all, to: successor)
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

  /// Goes on serving after a successor did not get as far.
  private func resume(after failure: UpgradeFailure) {
    guard let file = memoryFile else { return fail("upgrade: \(failure.sentence)") }
    do {
      let memory = try PreservedMemory(adopting: file)
      var cache = try Cache(in: memory, by: .resumed, settings: lastSettings)
      cache.beginBatch()
      self.cache = .some(cache)
      prepareCache()
      for client in connections.values {
        self.cache?.restoreWatches(of: client.session, isTouched: client.areWatchesTouched)
      }
    } catch {
      return fail("upgrade: \(failure.sentence); the memory is lost to it: \(sentence(of: error))")
    }
    upgradeFailed(failure)
  }

  private func upgradeFailed(_ error: any Error) {
    let sentence = sentence(of: error)
    logger.error("upgrade: \(sentence); going on as before")
    if state == .upgrading { state = .serving }
    for client in connections.values { client.isSentAhead = false }
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
    // Closing many sockets takes a while, in which the successor serves.
    SystemCalls.giveWay()
    for client in clients { client.leave() }
    for client in connections.values { client.setReading(false) }
    handOverRest(after: .milliseconds(2))
  }

  /// A client that takes nothing for so long will not take the rest of its replies.
  private static let readPatience = TimeAmount.minutes(10)

  /// Hands over the clients whose replies are sent meanwhile, and those that a predecessor still hands over.
  private func handOverRest(after delay: TimeAmount, wasEmpty: Bool = false) {
    guard state == .handedOver, let successor else { return }
    for client in connections.values.filter(\.isWritten) {
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
    // One that was just accepted may not be among them yet: none twice is none.
    let isEmpty = connections.isEmpty && !awaitsPredecessor
    guard !(isEmpty && wasEmpty) else { return end(afterHandover: true) }
    eventLoop.scheduleTask(in: delay) {
      let longer = TimeAmount.nanoseconds(min(delay.nanoseconds * 5 / 4, 50_000_000))
      self.handOverRest(after: isEmpty ? delay : longer, wasEmpty: isEmpty)
    }
  }
}

extension ConnectionHandler {
  /// Whether all replies are sent, as far as this process is concerned.
  var isWritten: Bool {
    guard let channel = context?.channel, descriptor >= 0, !isClosing else { return false }
    return (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0
  }

  /// Whether as many bytes wait to be sent as did that long ago.
  func isStalled(for patience: TimeAmount) -> Bool {
    let options = context?.channel.syncOptions
    guard let count = try? options?.getOption(.bufferedWritableBytes) else { return false }
    if count != unsentByteCount {
      unsentByteCount = count
      unsentSince = .now()
    }
    return .now() - unsentSince > patience
  }

  /// What a successor has to know.
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

  /// Closes this process's copy of the socket; the connection stays.
  func leave() {
    isHandedOver = true
    isSentAhead = false
    context?.close(promise: nil)
  }
}
