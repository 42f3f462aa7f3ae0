internal import CacheCore
internal import Logging
internal import NIOCore
internal import ProcessHandover
internal import RESP
internal import SystemPackage

extension Engine {
  /// Begins to serve: from what a predecessor hands over, or from the memory file. A standby first waits for the end of
  /// the server that uses the file.
  ///
  /// - Returns: the engine, or `nil` if a signal ended the wait of a standby.
  /// - Throws: ``StartFailure``.
  static func start(
    _ configuration: ServerConfiguration, _ logger: Logger
  ) throws(StartFailure) -> Engine? {
    let engine = Engine(configuration, logger)
    var hasBegun = false
    defer { if !hasBegun { engine.abandonStart() } }
    do {
      let manager = try ServiceManager.current()
      engine.facts.isSupervised = manager != nil
      // Before a predecessor pauses.
      if let options = configuration.tls { engine.tls = try TLSIdentity(options) }
      if let inherited = try Successor.inherited(), let link = try PredecessorLink(inherited) {
        try engine.takeOver(from: link)
      } else {
        let box = GivenBox(try GivenDescriptors())
        engine.listeners = box.given.takeListeners()
        if case .path(let path) = configuration.place, configuration.isStandby {
          guard try engine.standBy(for: path, box, manager) else { return nil }
        } else {
          try engine.startAlone(box, manager)
        }
        try manager?.notifyReady()
      }
      engine.startKeeper()
      hasBegun = true
      return engine
    } catch let failure as StartFailure {
      throw failure
    } catch let error as SuccessorError {
      throw StartFailure("the predecessor's memory and sockets cannot be taken over: \(error)")
    } catch let error as ServiceManagerError {
      throw StartFailure("the service manager: \(error)")
    } catch {
      throw StartFailure("\(configuration.memoryFile): \(sentence(of: error))")
    }
  }

  private func startAlone(_ box: GivenBox, _ manager: ServiceManager?) throws {
    // The addresses come first: without them there is nothing to do with the memory, which may be made.
    let patience = Patience()
    if listeners.isEmpty { try bindListeners(patience) }
    try checkListeners()
    try serve {
      try patience.wait(
        for: { try self.openMemory(&box.given.descriptors, manager) }, after: Self.hold)
    }
  }

  /// Serves from the memory that `open` returns, which runs on the event loop.
  func serve(_ open: @escaping () throws -> PreservedMemory) throws {
    let opening = Opening(open)
    try eventLoop.flatSubmit {
      self.eventLoop.makeCompletedFuture {
        try self.locked {
          let memory = try opening.open()
          self.memoryFile = memory.file
          self.warnOfDisk(memory)
          let cache = try Cache(in: memory, settings: self.configuration.settings)
          self.nextClientID = cache.figures.connectionCount + 1
          self.begin(with: cache)
        }
      }.flatMap { self.acceptClients() }
    }.wait()
    logReady()
  }

  /// Listens at the configured addresses.
  func bindListeners(_ patience: Patience) throws {
    for endpoint in configuration.endpoints {
      var endpoint = endpoint
      // Several addresses have the same port, also where it is any.
      if case .internet(let host, 0) = endpoint.address,
        let port = boundPort(for: endpoint.service)
      {
        endpoint.address = .internet(host: host, port: port)
      }
      let socket: SystemPackage.FileDescriptor
      do {
        socket = try patience.wait(
          for: { try SystemCalls.makeListener(at: endpoint, backlog: self.configuration.backlog) },
          after: { ($0 as? SocketFailure)?.isTaken ?? false ? .unclear : .lasting })
      } catch {
        let reason = (error as? SocketFailure)?.reason ?? "\(error)"
        throw StartFailure("\(endpoint.text) cannot be listened at: \(reason)")
      }
      if case .internet = endpoint.address, let (host, port) = SystemCalls.boundAddress(of: socket)
      {
        endpoint.address = .internet(host: host, port: port)
      }
      listeners.append(Listener(endpoint, socket))
    }
  }

  /// The port at which the server listens already for clients of `service`.
  private func boundPort(for service: Endpoint.Service) -> UInt16? {
    for listener in listeners where listener.endpoint.service == service {
      if case .internet(_, let port) = listener.endpoint.address { return port }
    }
    return nil
  }

  /// - Throws: ``StartFailure`` for a socket that another process has bound for TLS, if this one has no certificate.
  func checkListeners() throws(StartFailure) {
    guard tls == nil, let found = listeners.first(where: { $0.endpoint.service == .redisTLS })
    else {
      return
    }
    throw StartFailure(
      "\(found.endpoint.text) is for TLS: set tls-port and its certificate as well")
  }

  /// How long it may pass that another process has the memory.
  private static func hold(_ error: any Error) -> Patience.Hold {
    guard let error = error as? PreservedMemoryError, case .heldByAnother(.held(let holder)) = error
    else { return .lasting }
    guard let holder else { return .unseen }
    if SystemCalls.isEnding(holder.processID) { return .ending }
    return .unclear
  }

  /// A disk keeps the memory through a loss of power only as far as it was written there.
  private func warnOfDisk(_ memory: borrowing PreservedMemory) {
    guard memory.file.storage == .disk else { return }
    logger.warning(
      """
      the memory file \(configuration.memoryFile) is on a disk: every write is slower, and what SAVE \
      has not written there may be lost or torn when the machine ends without warning
      """)
  }

  /// Says that clients are served. The caller does not have the lock.
  func logReady() {
    let (start, facts) = locked { (cache?.start.rawValue ?? "", self.facts) }
    logger.notice(
      """
      ready to accept connections at \(facts.address) port \(facts.port)\(Self.otherPorts(facts)), \
      pid \(facts.processID), \
      memory \(facts.memoryFile) (\(start))
      """)
  }

  private static func otherPorts(_ facts: ServerFacts) -> String {
    (facts.memcachedPort == 0 ? "" : ", memcached port \(facts.memcachedPort)")
      + (facts.tlsPort == 0 ? "" : ", TLS port \(facts.tlsPort)")
      + (facts.metricsPort == 0 ? "" : ", metrics port \(facts.metricsPort)")
  }

  /// Lets a kill end this process at once, so that the next one gets the memory and the port.
  private func startKeeper() {
    do throws(MemoryKeeperError) { try MemoryKeeper.start() } catch {
      logger.warning(
        "a start after kill -9 will take longer: \(error)")
    }
  }

  func openMemory(
    _ descriptors: inout ReceivedDescriptors, _ manager: ServiceManager?
  ) throws -> PreservedMemory {
    switch configuration.place {
    case .path(let path):
      return try PreservedMemory.open(path, growableTo: configuration.capacity)
    case .memfd(let name):
      let stored = try PreservedMemory.stored(
        in: &descriptors, named: name, growableTo: configuration.capacity)
      if let stored { return stored }
      let memory = try PreservedMemory(
        creating: .memfd(name: name), growableTo: configuration.capacity)
      guard let manager else {
        logger.warning(
          "no service manager keeps the memory \(configuration.memoryFile): it ends with the server"
        )
        return memory
      }
      try memory.store(with: manager, named: name)
      return memory
    }
  }
}

/// Carries to the event loop how the memory is opened.
///
/// `@unchecked Sendable`: the thread that makes it waits for the event loop, which calls the function once.
private final class Opening: @unchecked Sendable {
  let open: () throws -> PreservedMemory

  init(_ open: @escaping () throws -> PreservedMemory) { self.open = open }
}
