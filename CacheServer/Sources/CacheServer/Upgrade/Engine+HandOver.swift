internal import CacheCore
internal import Logging
internal import MemcachedProtocol
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import RESP
internal import SystemPackage

// The old process's side of an upgrade.
//
//     old                                  new
//      │ spawn ────────────────────────────►│ makes everything ready
//      │◄─────────────────────────── ready ─│
//      │ clients, some at a time, ─────────►│ keeps them
//      │   and serves them meanwhile        │
//      ├─ ─ ─ the event loops park ─ ─ ─ ─ ─┤
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
//
// Each event loop sends the clients that are its own, closes its copies before it reads again, and hands over what is
// left of its clients.

extension Engine {
  /// Starts the program anew, and hands everything over to it.
  func upgrade(for requester: ConnectionHandler?) {
    guard state == .serving else {
      if requester != nil { reply.error("ERR an upgrade is under way") }
      logger.warning("no upgrade: one is under way")
      return
    }
    state = .upgrading
    ahead = AheadClients()
    upgradeRequester = requester
    if let requester {
      requester.hold = .upgrade
      requester.stopReading()
    }
    startSuccessor()
  }

  /// Starts the program once this process reads from all clients that its own predecessor has handed over. Beginning to
  /// read from all of them at once would keep the others waiting.
  private func startSuccessor() {
    guard state == .upgrading else { return }
    guard waiting.isEmpty else {
      onMainLoop(in: .milliseconds(1)) { $0.startSuccessor() }
      return
    }
    ahead = AheadClients(unsent: Set(connections.keys))
    logger.notice("upgrade: starting \(configuration.executable)")
    let configuration = configuration
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
      let successor = try SuccessorProcess.start(configuration)
      try successor.awaitReady()
      return successor
    }.whenComplete { result in self.locked { self.handOver(to: result) } }
  }

  private func handOver(to result: Result<SuccessorProcess, any Error>) {
    switch result {
    case .failure(let error): upgradeFailed(error)
    case .success(let successor):
      guard successor.takesClientsAhead else { return goOn(with: [], to: successor) }
      // Those of an event loop together.
      let clients = connections.values.sorted {
        ($0.loop.index, $0.session.id) < ($1.loop.index, $1.session.id)
      }
      goOn(with: clients[...], to: successor)
    }
  }

  /// How many clients are sent ahead before their event loop serves clients again.
  private static let aheadCount = min(32, NamedDescriptor.countLimit)
  /// The most bytes of requests that are not carried out yet of a client that is sent ahead.
  private static let aheadByteLimit = 64 << 10

  /// Sends the next clients ahead, or, if there are none, hands over.
  private func goOn(with clients: ArraySlice<ConnectionHandler>, to successor: SuccessorProcess) {
    guard let loop = clients.first?.loop else {
      return eventLoop.execute { self.finishHandover(to: successor) }
    }
    let next = clients.prefix(Self.aheadCount).prefix { $0.loop === loop }
    loop.eventLoop.execute {
      for client in next { client.noteUnsent() }
      self.locked { self.sendAhead(next, clients.dropFirst(next.count), to: successor) }
    }
  }

  /// Sends clients to a successor that does not serve yet, while they are served here. Called on their event loop.
  private func sendAhead(
    _ next: ArraySlice<ConnectionHandler>, _ rest: ArraySlice<ConnectionHandler>,
    to successor: SuccessorProcess
  ) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    let clients = next.filter {
      connections[$0.session.id] === $0 && $0.canBeHandedOver
        && $0.pending.readableBytes <= Self.aheadByteLimit
    }
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
    guard !clients.isEmpty else { return goOn(with: rest, to: successor) }
    awaitAhead(rest, successor, until: .now() + Self.aheadPatience)
  }

  /// How long a successor may take for the clients of one step.
  private static let aheadPatience = TimeAmount.seconds(30)

  /// Goes on once the successor has taken the clients of this step. So it has none left to take when the event loops
  /// pause, and no event loop waits for it before that.
  private func awaitAhead(
    _ rest: ArraySlice<ConnectionHandler>, _ successor: SuccessorProcess,
    until deadline: NIODeadline
  ) {
    guard state == .upgrading else { return SystemCalls.killAndWait(successor.processID) }
    guard successor.stream.hasInput else {
      guard NIODeadline.now() < deadline else {
        return upgradeFailed(successor.abandon(after: .timedOut, "it served"))
      }
      onMainLoop(in: .microseconds(200)) { $0.awaitAhead(rest, successor, until: deadline) }
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

  /// Hands over, while the other event loops are parked. Called on the main event loop, without the lock.
  private func finishHandover(to successor: SuccessorProcess) {
    let start = NIODeadline.now()
    let parking = Parking(loops.dropFirst()) { self.prepareRoster(on: $0) }
    prepareRoster(on: loops[0])
    let isDone = locked {
      guard state == .upgrading else {
        SystemCalls.killAndWait(successor.processID)
        return false
      }
      let roster = makeRoster()
      do throws(UpgradeFailure) {
        try handOver(roster, to: successor)
      } catch {
        resume(after: error)
        return false
      }
      for client in roster.new { client.isSentAhead = true }
      ahead = AheadClients()
      state = .handedOver
      self.successor = successor
      return true
    }
    guard isDone else { return parking.end() }
    let waited = (NIODeadline.now() - start).nanoseconds / 1000
    // The successor serves from here on. What follows takes longer with many clients.
    SystemCalls.giveWay()
    let count = locked { connections.values.count(where: \.isSentAhead) }
    // One event loop after the other, so that the successor has the other processors meanwhile.
    let turn = NIOLock()
    turn.lock()
    parking.end { loop in
      SystemCalls.giveWay()
      turn.lock()
      self.letGo(on: loop)
      loop.eventLoop.execute { turn.unlock() }
    }
    letGo(on: loops[0])
    eventLoop.execute { turn.unlock() }
    logger.notice(
      """
      upgrade: process \(successor.processID) serves from here on; \(count) clients have \
      waited for \(waited) microseconds
      """)
    try? ServiceManager.current()?.notifyMainProcess(successor.processID)
    locked { closeListeners(removesFiles: false) }
    handOverRest(after: .milliseconds(2))
  }

  /// Hands over. Nothing else happens on the event loops meanwhile.
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
    requester.resume(from: .upgrade)
  }

  /// Closes this process's copies of an event loop's clients that the successor has, before it reads from them again.
  /// Called on that event loop, without the lock.
  private func letGo(on loop: ServingLoop) {
    let clients = locked { connections.values.filter { $0.loop === loop } }
    for (index, client) in clients.enumerated() {
      if index % 32 == 31 {
        SystemCalls.yield()
        // Also between the tasks in which SwiftNIO takes the channels apart.
        loop.eventLoop.execute { SystemCalls.yield() }
      }
      if locked({ client.isSentAhead }) {
        client.leave()
      } else if client.isEncrypted {
        locked { client.disconnect() }
      } else if let context = client.context {
        client.applyReading(false, context)
      }
    }
  }

  /// How long a client may read none of its replies before this process gives it up.
  private static let readPatience = TimeAmount.minutes(10)

  /// Hands over the clients whose replies have been sent since, and those that a predecessor hands over late. Called
  /// without the lock.
  ///
  /// - Parameter delay: how long to wait before the next look at the others.
  /// - Parameter wasEmpty: whether the look before found none.
  private func handOverRest(after delay: TimeAmount, wasEmpty: Bool = false) {
    let looks = loops.map { loop in loop.eventLoop.submit { self.handOverRest(on: loop) } }
    EventLoopFuture.andAllComplete(looks, on: eventLoop).whenComplete { _ in
      // Every connection that was accepted is on its event loop by now. One that a predecessor hands over may be missing
      // here, so the process ends after two empty looks.
      let isEmpty = self.locked { self.connections.isEmpty && !self.awaitsPredecessor }
      guard !(isEmpty && wasEmpty) else { return self.locked { self.end(afterHandover: true) } }
      self.eventLoop.scheduleTask(in: delay) {
        let longer = TimeAmount.nanoseconds(min(delay.nanoseconds * 5 / 4, 50_000_000))
        self.handOverRest(after: isEmpty ? delay : longer, wasEmpty: isEmpty)
      }
    }
  }

  /// The same for the clients of one event loop. Called on it, without the lock.
  private func handOverRest(on loop: ServingLoop) {
    let clients = locked {
      state == .handedOver ? connections.values.filter { $0.loop === loop } : []
    }
    for client in clients {
      client.noteUnsent()
      do {
        let isSent = try locked {
          guard client.canBeHandedOver, let successor else { return false }
          try successor.stream.write(client.state.frame)
          try successor.stream.flush()
          try successor.channel.send([client.namedDescriptor])
          return true
        }
        if isSent { client.leave() }
      } catch {
        logger.error("upgrade: a client could not be handed over: \(sentence(of: error))")
        locked { client.abandon() }
      }
    }
    for client in clients where client.isStalled(for: Self.readPatience) {
      locked { client.abandon() }
    }
  }
}

extension ConnectionHandler {
  /// Whether a successor can serve it: all replies were sent at the last ``noteUnsent()``, as far as this process is
  /// concerned, and it does not encrypt. The keys of a TLS connection are in this process alone.
  var canBeHandedOver: Bool {
    channel != nil && descriptor >= 0 && !hasUnsent && !isClosing && !isEncrypted
  }

  /// The state of the client for a successor. Called on the client's event loop, or while that is parked.
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

  /// Closes this process's copy of the socket; the connection stays. Called on the event loop, without the lock.
  func leave() {
    engine.locked {
      isHandedOver = true
      isSentAhead = false
    }
    context?.close(promise: nil)
  }
}
