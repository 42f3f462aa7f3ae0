internal import CacheCore
internal import Logging
internal import NIOCore
internal import ProcessHandover
internal import SystemPackage

/// Where a server gets its memory and its sockets from.
private enum StartSource {
  /// From the process that it replaces.
  case succeeding(PredecessorLink)
  /// From a file that another server uses, after that server has ended. Where the service manager has passed on no
  /// sockets, the server makes its own then.
  case standingBy(FilePath, [Listener], GivenBox)
  /// From a file, or from the service manager.
  case alone([Listener], MemoryOpening)
}

extension Engine {
  /// Begins to serve: from what a predecessor hands over, or from the memory file. A standby first waits for the end of
  /// the server that uses the file.
  ///
  /// - Returns: the engine, or `nil` if a signal ended the wait of a standby.
  /// - Throws: ``StartFailure``.
  static func start(
    _ configuration: ServerConfiguration, _ logger: Logger
  ) throws(StartFailure) -> Engine? {
    do {
      let manager = try ServiceManager.current()
      // Before a predecessor pauses, and before the memory may be made.
      let tls = try configuration.tls.map { try TLSIdentity($0) }
      let source = try findSource(configuration, logger, manager, hasTLS: tls != nil)
      let engine = Engine(configuration, logger)
      engine.facts.isSupervised = manager != nil
      engine.tls = tls
      var hasBegun = false
      defer { if !hasBegun { engine.abandonStart() } }
      switch source {
      case .succeeding(let link): try engine.takeOver(from: link)
      case .standingBy(let path, let listeners, let box):
        engine.listeners = listeners
        guard try engine.standBy(for: path, box, manager) else { return nil }
        try manager?.notifyReady()
      case .alone(let listeners, let opening):
        engine.listeners = listeners
        try engine.serve(from: opening)
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

  /// Finds the source, and does what needs no event loop: making the event loops takes as long as opening the memory.
  private static func findSource(
    _ configuration: ServerConfiguration, _ logger: Logger, _ manager: ServiceManager?, hasTLS: Bool
  ) throws -> StartSource {
    if let inherited = try Successor.inherited(), let link = try PredecessorLink(inherited) {
      return .succeeding(link)
    }
    let box = GivenBox(try GivenDescriptors())
    let given = box.given.takeListeners()
    try Listener.check(given, hasTLS: hasTLS)
    if case .path(let path) = configuration.place, configuration.isStandby {
      return .standingBy(path, given, box)
    }
    // The addresses come first: without them there is nothing to do with the memory, which may be made.
    let patience = Patience()
    let listeners = given.isEmpty ? try Listener.bindAll(configuration, patience) : given
    let opening = MemoryOpening {
      try patience.wait(
        for: { try configuration.openMemory(&box.given.descriptors, manager, logger) },
        after: OpenedMemory.hold)
    }
    return .alone(listeners, opening)
  }

  /// Serves from the memory that `opening` opens.
  private func serve(from opening: MemoryOpening) throws {
    // The event loop makes channels of the listening sockets meanwhile. A client that connects has to wait until this
    // thread releases the lock.
    lock.lock()
    let accepting = acceptClients()
    do {
      defer { lock.unlock() }
      let memory = try opening.wait()
      containerByteLimit = opening.containerByteLimit
      begin(with: memory)
    } catch {
      // The event loop uses the listeners until then.
      try? accepting.wait()
      throw error
    }
    try accepting.wait()
    logReady()
  }

  /// Begins to serve from `memory`.
  func begin(with memory: consuming OpenedMemory) {
    memoryFile = memory.file
    nextClientID = memory.cache.figures.connectionCount + 1
    begin(with: memory.cache)
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
}
