internal import CacheCore
internal import KexecHandover
internal import Logging
internal import NIOCore
internal import RESP
internal import SystemPackage

extension Engine {
  /// Begins to serve: from what a predecessor hands over, or from the memory file.
  ///
  /// - Throws: ``StartFailure``.
  static func start(
    _ configuration: ServerConfiguration, _ logger: Logger
  ) throws(StartFailure) -> Engine {
    let engine = Engine(configuration, logger)
    var hasBegun = false
    defer { if !hasBegun { engine.abandonStart() } }
    do {
      let manager = try ServiceManager.current()
      engine.facts.isSupervised = manager != nil
      if let inherited = try Successor.inherited(), let link = try PredecessorLink(inherited) {
        try engine.takeOver(from: link)
      } else {
        let given = try GivenDescriptors()
        try engine.startAlone(given, manager)
        try manager?.notifyReady()
      }
      engine.startKeeper()
      hasBegun = true
      return engine
    } catch let failure as StartFailure {
      throw failure
    } catch let error as SuccessorError {
      throw StartFailure("what the predecessor passed on cannot be used: \(error.sentence)")
    } catch let error as ServiceManagerError {
      throw StartFailure("the service manager cannot be spoken to: \(error)")
    } catch let error as any ErrorForPeople {
      throw StartFailure("\(configuration.memoryFile): \(error.sentence)")
    } catch {
      throw StartFailure(
        "\(configuration.address):\(configuration.port) cannot be listened at: \(error)")
    }
  }

  private func startAlone(_ given: consuming GivenDescriptors, _ manager: ServiceManager?) throws {
    let box = GivenBox(given)
    try eventLoop.flatSubmit {
      self.eventLoop.makeCompletedFuture {
        let memory = try self.openMemory(&box.given.descriptors, manager)
        self.memoryFile = memory.file
        let cache = try Cache(in: memory, settings: self.configuration.settings)
        self.nextClientID = cache.figures.connectionCount + 1
        self.begin(with: cache)
      }.flatMap {
        if let socket = box.given.listener { self.listen(at: socket) } else { self.listen() }
      }
    }.wait()
    logReady()
  }

  /// Says that clients are served.
  func logReady() {
    let start = cache?.start.rawValue ?? ""
    logger.notice(
      """
      ready to accept connections at \(facts.address) port \(facts.port), pid \(facts.processID), \
      memory \(facts.memoryFile) (\(start))
      """)
  }

  /// Lets a kill end this process at once, so that the next one gets the memory and the port.
  private func startKeeper() {
    do throws(MemoryKeeperError) { try MemoryKeeper.start() } catch {
      logger.warning("no keeper of the memory: a start after kill -9 takes longer (\(error))")
    }
  }

  private func openMemory(
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

/// What the service manager gave the process.
struct GivenDescriptors: ~Copyable {
  var descriptors: ReceivedDescriptors
  /// A listening socket, by socket activation.
  let listener: Int32?

  init() throws(ServiceManagerError) {
    var descriptors = try ServiceManager.receivedDescriptors(removingVariables: true)
    let socket = descriptors.names.first { $0.hasSuffix(".socket") || $0 == "listener" }
    listener = if let socket { descriptors.take(socket)?.rawValue } else { nil }
    self.descriptors = descriptors
  }
}

/// Carries them to the event loop.
///
/// `@unchecked Sendable`: whoever makes it does not touch it any more.
private final class GivenBox: @unchecked Sendable {
  var given: GivenDescriptors

  init(_ given: consuming GivenDescriptors) { self.given = given }
}
