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
    try eventLoop.flatSubmit {
      self.eventLoop.makeCompletedFuture { try self.receive(from: link) }
        .flatMap { self.acceptClients() }
    }.wait()
    logReady()
    receiveRest(from: link)
  }

  /// Takes clients and memory, and serves from there on; takes the listening sockets.
  private func receive(from link: PredecessorLink) throws {
    // Ready. The predecessor pauses from its answer on.
    do {
      try link.channel.acknowledge()
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      let state = try HandoverState(parsing: frame)
      let clients = try receiveClients(Int(state.clientCount), from: link)
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
      for (client, socket) in clients { adopt(client, socket) }
    } catch let error as HandoverStateError {
      throw StartFailure("the predecessor's state cannot be read: \(error.sentence)")
    } catch let error where error is DescriptorChannelError || error is Errno {
      throw StartFailure("the predecessor does not hand over: \(sentence(of: error))")
    }
  }

  private func receiveClients(
    _ count: Int, from link: PredecessorLink
  ) throws -> [(ConnectionHandler, Int32)] {
    var states: [ClientState] = []
    for _ in 0..<count {
      guard let frame = try link.stream.read() else { throw StartFailure.predecessorGone }
      states.append(try ClientState(parsing: frame))
    }
    var clients: [(ConnectionHandler, Int32)] = []
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
    NIOThreadPool.singleton.submit { _ in
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
