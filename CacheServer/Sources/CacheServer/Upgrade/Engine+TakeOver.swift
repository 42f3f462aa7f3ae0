internal import CacheCore
internal import Logging
internal import MemcachedProtocol
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import RESP
internal import SystemPackage

/// The connection to the process that hands over.
///
/// `@unchecked Sendable`: the start has it, then the event loop, then a thread that waits for the rest.
final class PredecessorLink: @unchecked Sendable {
  var channel: DescriptorChannel
  var stream: StateStream
  /// The other descriptors that the predecessor passed on.
  var descriptors: ReceivedDescriptors

  /// The connection that the predecessor passed on, or `nil` if this process has no predecessor.
  init?(_ descriptors: consuming ReceivedDescriptors) throws(StartFailure) {
    guard let socket = descriptors.take(SuccessorProcess.channelName),
      let stream = descriptors.take(SuccessorProcess.streamName)
    else { return nil }
    do throws(DescriptorChannelError) {
      channel = try DescriptorChannel.adopt(socket)
    } catch {
      throw StartFailure("the predecessor's channel cannot be used: \(error)")
    }
    self.stream = StateStream(stream)
    self.descriptors = descriptors
  }
}

// The new process's side of an upgrade: see Engine+HandOver.swift.

extension Engine {
  /// Makes everything ready, waits for what the predecessor hands over, and serves from there on.
  func takeOver(from link: PredecessorLink) throws {
    do { try Rehearsal.run(self) } catch {
      throw StartFailure("the rehearsal of an upgrade has failed: \(sentence(of: error))")
    }
    let (state, ahead) = try receiveAhead(from: link)
    try eventLoop.flatSubmit {
      self.eventLoop.makeCompletedFuture {
        try self.locked { try self.receive(state, ahead, from: link) }
      }.flatMap { self.locked { self.acceptClients() } }
    }.wait()
    logReady()
    receiveRest(from: link)
  }

  /// Calls `body`, and names the predecessor in the errors of the connection to it.
  private func receiving<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as HandoverStateError {
      throw StartFailure("the predecessor's state cannot be read: \(error.sentence)")
    } catch let error where error is DescriptorChannelError || error is Errno {
      throw StartFailure("the predecessor does not hand over: \(sentence(of: error))")
    }
  }

  /// Takes clients while the predecessor serves them; the predecessor pauses when it sends its state.
  private func receiveAhead(
    from link: PredecessorLink
  ) throws -> (HandoverState, WaitingClients) {
    try receiving {
      try link.stream.write(HandoverState.greeting)
      try link.stream.flush()
      try link.channel.acknowledge()
      let clients = WaitingClients()
      while true {
        guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
        guard let count = HandoverState.aheadCount(frame) else {
          return (try HandoverState(parsing: frame), clients)
        }
        try receiveClients(count, into: clients, from: link)
        // The predecessor sends the next clients after this.
        try link.stream.write(HandoverState.greeting)
        try link.stream.flush()
      }
    }
  }

  /// Takes what has changed, the memory and the listening sockets, and serves from there on.
  private func receive(
    _ state: HandoverState, _ clients: WaitingClients, from link: PredecessorLink
  ) throws {
    try receiving {
      try receiveClients(Int(state.clientCount), into: clients, from: link)
      try correct(clients, state, from: link)
      let memory = try PreservedMemory.receive(
        from: &link.channel, &link.descriptors, growableTo: configuration.capacity)
      for (index, endpoint) in state.endpoints.enumerated() {
        guard let socket = link.descriptors.take(HandoverState.listenerName(index)) else {
          throw StartFailure("the predecessor has not sent its listening sockets")
        }
        listeners.append(Listener(endpoint, socket))
      }
      try Listener.check(listeners, hasTLS: tls != nil)
      nextClientID = state.nextClientID
      firstOwnClientID = state.nextClientID
      memoryFile = memory.file
      begin(with: try Cache(in: memory, by: .upgrade, settings: state.settings))
      try link.channel.acknowledge()
      guard try link.channel.awaitAcknowledgement() == 0 else {
        throw StartFailure.predecessorGone
      }
      clients.forEachWatching(restoreWatches)
      waiting = clients
      adoptWaiting(atMost: Self.adoptionCount)
    }
  }

  /// Replaces the clients that have changed since they were sent ahead, and drops those that this process does not
  /// serve.
  private func correct(
    _ clients: WaitingClients, _ state: HandoverState, from link: PredecessorLink
  ) throws {
    for _ in 0..<state.changedCount {
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      let client = try ClientState(parsing: frame)
      guard clients.replace(with: ConnectionHandler(self, client)) else {
        throw StartFailure.foreignClients
      }
    }
    for id in state.droppedClients {
      guard clients.drop(id) else { throw StartFailure.foreignClients }
    }
  }

  /// How many of the waiting clients are adopted before the event loops serve the others again.
  private static let adoptionCount = 16

  /// Begins to read from at most `limit` of the waiting clients, and schedules the rest beside service.
  func adoptWaiting(atMost limit: Int) {
    guard !waiting.isEmpty else { return }
    var clients: [[WaitingClients.Client]] = loops.map { _ in [] }
    for taken in waiting.take(atMost: limit) {
      note(taken)
      clients[taken.client.loop.index].append(taken)
    }
    let steps = zip(loops, clients).map { loop, clients in
      loop.eventLoop.submit {
        for (client, socket) in clients { self.makeChannel(for: client, socket) }
      }
    }
    guard !waiting.isEmpty else {
      waiting = WaitingClients()
      return
    }
    // A moment after all are done, so that every event loop serves the others' sockets in between.
    EventLoopFuture.andAllComplete(steps, on: eventLoop).whenComplete { _ in
      self.onMainLoop(in: .microseconds(100)) { $0.adoptWaiting(atMost: Self.adoptionCount) }
    }
  }

  private func receiveClients(
    _ count: Int, into clients: WaitingClients, from link: PredecessorLink
  ) throws {
    var states: [ClientState] = []
    for _ in 0..<count {
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      states.append(try ClientState(parsing: frame))
    }
    var next = 0
    while next < count {
      var received = try link.channel.receive()
      for name in received.names {
        guard next < count, name == "client-\(states[next].session.id)",
          let socket = received.take(name)
        else { throw StartFailure.foreignClients }
        clients.add(ConnectionHandler(self, states[next]), socket.rawValue)
        next += 1
      }
    }
  }

  /// Watches the keys again that a client watched in the predecessor, or in this process before a failed upgrade.
  func restoreWatches(of client: ConnectionHandler) {
    cache?.restoreWatches(of: client.session, isTouched: client.areWatchesTouched)
  }

  /// Takes the clients that are handed over later, on a thread of its own.
  /// Called without the lock.
  private func receiveRest(from link: PredecessorLink) {
    locked { awaitsPredecessor = true }
    NIOThreadPool.singleton.submit { _ in
      defer { self.locked { self.awaitsPredecessor = false } }
      while true {
        do {
          guard let frame = try link.stream.read() else { return }
          var state = try ClientState(parsing: frame)
          var received = try link.channel.receive()
          guard let socket = received.take("client-\(state.session.id)") else { return }
          self.locked {
            // The predecessor has accepted it since, with a number that another client may have here.
            if state.session.id >= self.firstOwnClientID {
              state.session.id = self.nextClientID
              self.nextClientID += 1
              self.cache?.figures.connectionCount += 1
            }
            let client = ConnectionHandler(self, state)
            self.restoreWatches(of: client)
            self.adopt(client, socket.rawValue)
          }
        } catch Errno.resourceTemporarilyUnavailable {
          // Replies to slow clients take their time.
          continue
        } catch {
          self.logger.error("the predecessor's last clients are lost: \(sentence(of: error))")
          return
        }
      }
    }
  }
}

extension StartFailure {
  static var predecessorGone: StartFailure { StartFailure("the predecessor has ended") }
  static var foreignClients: StartFailure {
    StartFailure("the predecessor has sent other clients than it announced")
  }
}

extension ConnectionHandler {
  /// A client that was handed over.
  convenience init(_ engine: Engine, _ state: ClientState) {
    self.init(
      engine, engine.loop(for: state.session.id), state.session, pending: state.pending,
      connectTime: state.connectTime)
    lastTime = state.lastTime
    awaitsUpgrade = state.awaitsUpgrade
    areWatchesTouched = state.areWatchesTouched
    if state.service == .memcached { memcached = MemcachedParser(skipCount: state.skipCount) }
  }
}
