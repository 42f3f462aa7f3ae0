internal import CacheCore
internal import KexecHandover
internal import Logging
internal import MemcachedProtocol
internal import NIOCore
internal import NIOPosix
internal import RESP
internal import SystemPackage

/// The connection to the process that hands over.
///
/// `@unchecked Sendable`: the start has it, then the event loop, then a thread that waits for the rest.
final class PredecessorLink: @unchecked Sendable {
  var channel: DescriptorChannel
  var stream: StateStream
  /// What else came with it.
  var descriptors: ReceivedDescriptors

  /// The connection that was passed on; nil where none was.
  init?(_ descriptors: consuming ReceivedDescriptors) throws(StartFailure) {
    guard let socket = descriptors.take(SuccessorProcess.channelName),
      let stream = descriptors.take(SuccessorProcess.streamName)
    else { return nil }
    do throws(DescriptorChannelError) {
      channel = try DescriptorChannel.adopt(socket)
    } catch {
      throw StartFailure("what the predecessor passed on is not a channel: \(error.sentence)")
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
      self.eventLoop.makeCompletedFuture { try self.receive(state, ahead, from: link) }
        .flatMap { self.acceptClients() }
    }.wait()
    logReady()
    receiveRest(from: link)
  }

  private typealias ReceivedClient = (client: ConnectionHandler, socket: Int32)

  /// Says what went wrong with a predecessor.
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
  ) throws -> (HandoverState, [ReceivedClient]) {
    try receiving {
      try link.stream.write(HandoverState.greeting)
      try link.stream.flush()
      try link.channel.acknowledge()
      var clients: [ReceivedClient] = []
      while true {
        guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
        guard let count = HandoverState.aheadCount(frame) else {
          return (try HandoverState(parsing: frame), clients)
        }
        clients += try receiveClients(count, from: link)
      }
    }
  }

  /// Takes what has changed, the memory and the listening sockets, and serves from there on.
  private func receive(
    _ state: HandoverState, _ ahead: [ReceivedClient], from link: PredecessorLink
  ) throws {
    try receiving {
      var clients = try receiveClients(Int(state.clientCount), from: link)
      clients += try choose(ahead, state, from: link)
      let memory = try PreservedMemory.receive(
        from: &link.channel, &link.descriptors, growableTo: configuration.capacity)
      for (index, endpoint) in state.endpoints.enumerated() {
        guard let socket = link.descriptors.take(HandoverState.listenerName(index)) else {
          throw StartFailure("the predecessor has not sent its listening sockets")
        }
        listeners.append(Listener(endpoint, socket))
      }
      nextClientID = state.nextClientID
      memoryFile = memory.file
      begin(with: try Cache(in: memory, by: .upgrade, settings: state.settings))
      try link.channel.acknowledge()
      guard try link.channel.awaitAcknowledgement() == 0 else {
        throw StartFailure.predecessorGone
      }
      for (client, _) in clients {
        cache?.restoreWatches(of: client.session, isTouched: client.areWatchesTouched)
      }
      waiting = clients
      adoptWaiting(atMost: Self.adoptionCount)
    }
  }

  /// Of the clients that were sent ahead, those that are to be served, as they are now.
  private func choose(
    _ ahead: [ReceivedClient], _ state: HandoverState, from link: PredecessorLink
  ) throws -> [ReceivedClient] {
    var changed: [UInt64: ClientState] = [:]
    for _ in 0..<state.changedCount {
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      let client = try ClientState(parsing: frame)
      changed[client.session.id] = client
    }
    let kept = Set(state.keptClients)
    var clients: [ReceivedClient] = []
    for (client, socket) in ahead {
      let id = client.session.id
      guard kept.contains(id) else {
        // It is gone, or follows once its replies are sent.
        try? SystemPackage.FileDescriptor(rawValue: socket).close()
        continue
      }
      clients.append((changed[id].map { ConnectionHandler(self, $0) } ?? client, socket))
    }
    guard clients.count == kept.count else {
      throw StartFailure("the predecessor has sent something else than its clients")
    }
    return clients
  }

  /// How many clients are taken before others are served again.
  private static let adoptionCount = 64

  /// Begins to read from clients that were handed over: first from those that have sent something. Making
  /// their sockets channels takes longer than handing them over, so it goes on beside service.
  func adoptWaiting(atMost limit: Int) {
    guard !waiting.isEmpty else { return }
    let isReadable = SystemCalls.areReadable(waiting.map(\.socket))
    var left = limit
    var others: [ReceivedClient] = []
    for (index, (client, socket)) in waiting.enumerated() {
      let isUrgent =
        isReadable[index] || client.pending.readableBytes > 0 || client.awaitsUpgrade
      if isUrgent, left > 0 {
        left -= 1
        adopt(client, socket)
      } else {
        others.append((client, socket))
      }
    }
    let count = min(left, others.count)
    for (client, socket) in others.prefix(count) { adopt(client, socket) }
    waiting = Array(others.dropFirst(count))
    guard !waiting.isEmpty else { return }
    // A moment, so that the event loop looks at the others' sockets in between.
    eventLoop.scheduleTask(in: .microseconds(100)) {
      self.adoptWaiting(atMost: Self.adoptionCount)
    }
  }

  private func receiveClients(
    _ count: Int, from link: PredecessorLink
  ) throws -> [ReceivedClient] {
    var states: [ClientState] = []
    for _ in 0..<count {
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      states.append(try ClientState(parsing: frame))
    }
    var clients: [ReceivedClient] = []
    while clients.count < count {
      var received = try link.channel.receive()
      for name in received.names {
        guard clients.count < count, name == "client-\(states[clients.count].session.id)",
          let socket = received.take(name)
        else { throw StartFailure("the predecessor has sent something else than its clients") }
        clients.append((ConnectionHandler(self, states[clients.count]), socket.rawValue))
      }
    }
    return clients
  }

  /// Takes the clients that are handed over later, on a thread of its own.
  private func receiveRest(from link: PredecessorLink) {
    eventLoop.execute { self.awaitsPredecessor = true }
    NIOThreadPool.singleton.submit { _ in
      defer { self.eventLoop.execute { self.awaitsPredecessor = false } }
      while true {
        do {
          guard let frame = try link.stream.read() else { return }
          let state = try ClientState(parsing: frame)
          var received = try link.channel.receive()
          guard let socket = received.take("client-\(state.session.id)") else { return }
          self.eventLoop.execute { self.adopt(ConnectionHandler(self, state), socket.rawValue) }
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
  static var predecessorGone: StartFailure { StartFailure("the predecessor is gone") }
}

extension ConnectionHandler {
  /// A client that was handed over.
  convenience init(_ engine: Engine, _ state: ClientState) {
    self.init(
      engine, state.session, pending: state.pending, connectTime: state.connectTime)
    lastTime = state.lastTime
    awaitsUpgrade = state.awaitsUpgrade
    areWatchesTouched = state.areWatchesTouched
    if state.service == .memcached { memcached = MemcachedParser(skipCount: state.skipCount) }
  }
}
