internal import CacheCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import RESP
internal import SystemPackage

/// The server: the cache, the clients that are connected, and the event loops on which they are served.
///
///     clients ──► ConnectionHandler ── lock ──► Cache ──► memory file
///                        └───────────────────── Engine ──► successor
///
/// Each connection belongs to one event loop, which receives and sends without the lock, and takes it for the requests
/// that a read has brought. Everything that event loops share is used with the lock: the cache, this object, and what
/// commands show or change of other connections. So a command about other connections is carried out at once,
/// wherever it comes from, and a transaction is one step. The main event loop accepts clients, does what is done from
/// time to time, and hands over.
///
/// A function is called with the lock unless its comment says otherwise.
///
/// `@unchecked Sendable`: everything but what is constant is touched with the lock.
final class Engine: @unchecked Sendable {
  /// What the engine is about.
  enum State: Equatable {
    /// Not yet serving.
    case starting
    /// Serving.
    case serving
    /// Serving; a successor is starting.
    case upgrading
    /// All clients are a successor's, but for some whose replies are not sent yet.
    case handedOver
    /// Over.
    case ended
  }

  /// The most bytes of replies that are made before they are sent.
  static let outputLimit = 1 << 20
  /// The most bytes of an incomplete request that the server keeps for a client, as Redis's
  /// client-query-buffer-limit.
  static let inputLimit = 1 << 30

  let configuration: ServerConfiguration
  let logger: Logger
  let group: MultiThreadedEventLoopGroup
  /// The event loops; the first is the main one.
  let loops: [ServingLoop]
  /// The main event loop.
  let eventLoop: any EventLoop
  /// Guards everything that event loops share.
  let lock = ServingLock()
  /// Done when the server is.
  let ended: EventLoopFuture<Void>
  private let end: EventLoopPromise<Void>

  var state = State.starting
  /// The cache; nil while another process has the memory.
  var cache: Cache?
  /// The replies to the client whose command about the server is being carried out; lent by its event loop.
  var reply = ReplyWriter()
  /// Keeps the memory file open for the case that a successor does not get as far as serving.
  var memoryFile: MemoryFile?

  var listeners: [Listener] = []
  var connections: [UInt64: ConnectionHandler] = [:]
  var nextClientID: UInt64 = 1
  /// The first number that a predecessor has not given to a client before the memory was handed over.
  var firstOwnClientID: UInt64 = 0
  /// Clients that a predecessor has handed over and that this process does not read from yet: see `adoptWaiting`.
  var waiting = WaitingClients()
  /// Whether a predecessor still has clients to hand over.
  var awaitsPredecessor = false
  /// How many connections to the metrics port are open.
  var metricsConnectionCount = 0
  let clientLimit: Int
  /// What TLS connections begin with; `nil` without `tls-port`.
  var tls: TLSIdentity?
  var facts = ServerFacts()
  /// Ends a pause: `CLIENT PAUSE`.
  var pauseEnd: Scheduled<Void>?
  /// The `tcp-keepalive` that the listening sockets have.
  var keepAliveSeconds = 0
  /// When clients that send nothing were looked for, in milliseconds since 1970.
  var lastIdleCheck: UInt64 = 0
  /// The client that waits for the end of an upgrade.
  var upgradeRequester: ConnectionHandler?
  var successor: SuccessorProcess?
  /// The clients of an upgrade that is under way.
  var ahead = AheadClients()
  /// How many bytes the container may take that the process is in, as it was when that was first asked.
  lazy var containerByteLimit = SystemCalls.containerByteLimit()
  /// The settings with which this process handed the memory over, or will open it.
  var lastSettings: Settings

  init(_ configuration: ServerConfiguration, _ logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    lastSettings = configuration.settings
    group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.loopCount)
    loops = group.makeIterator().enumerated().map { ServingLoop($0, $1) }
    eventLoop = loops[0].eventLoop
    end = eventLoop.makePromise(of: Void.self)
    ended = end.futureResult
    // Some are for the memory file, the listener, a successor, and three for each event loop.
    let own = 20 + 3 * max(loops.count, 4)
    let most = max(SystemCalls.raiseDescriptorLimit() - own, 1)
    clientLimit = min(configuration.clientLimit ?? most, most)
    facts.processID = SystemCalls.processID
    facts.executable = configuration.executable.string
    facts.memoryFile = configuration.memoryFile
    facts.capacity = configuration.capacity
    facts.clientLimit = clientLimit
    facts.loopCount = loops.count
    facts.backlog = configuration.backlog
    facts.configurationFile = configuration.file?.string ?? ""
  }

  /// Calls `body` with the lock. The caller does not have it.
  @inline(__always)
  func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure)
    -> Result
  {
    lock.lock()
    defer { lock.unlock() }
    return try body()
  }

  /// Has the main event loop call `body` with the lock. The caller may have it or not.
  func onMainLoop(_ body: @escaping @Sendable (Engine) -> Void) {
    eventLoop.execute { self.locked { body(self) } }
  }

  /// The same after a time.
  @discardableResult
  func onMainLoop(
    in delay: TimeAmount, _ body: @escaping @Sendable (Engine) -> Void
  ) -> Scheduled<Void> {
    eventLoop.scheduleTask(in: delay) { self.locked { body(self) } }
  }

  /// The event loop of a channel. Needs no lock.
  func loop(of channel: any Channel) -> ServingLoop {
    let eventLoop = channel.eventLoop
    return loops.first { $0.eventLoop === eventLoop } ?? loops[0]
  }

  /// The event loop for a client that was handed over. Needs no lock.
  func loop(for id: UInt64) -> ServingLoop { loops[Int(id % UInt64(loops.count))] }

  /// Takes the cache, and serves from it from now on.
  func begin(with cache: consuming Cache) {
    self.cache = .some(cache)
    facts.startTime = self.cache!.beginBatch()
    prepareCache()
    state = .serving
    scheduleUpkeep()
  }

  /// Gives the cache the facts that it does not know by itself.
  func prepareCache() {
    let isOnDisk = memoryFile?.storage == .disk
    facts.storage = memoryFile.map { Self.word(for: $0.storage) } ?? ""
    if isOnDisk, facts.saveTime == 0 { facts.saveTime = cache?.now ?? 0 }
    cache?.isOnDisk = isOnDisk
    // A part is for the process itself.
    if let containerByteLimit { cache?.containerByteLimit = containerByteLimit / 8 * 7 }
    cache?.fixedParameters = { [unowned self] in fixedParameters }
  }

  private static func word(for storage: MemoryFileStorage) -> String {
    switch storage {
    case .memfd: "memfd"
    case .tmpfs: "tmpfs"
    case .hugetlbfs: "hugetlbfs"
    case .disk: "disk"
    @unknown default: "unknown"
    }
  }

  /// Ends: no client is served any more, and the memory is let go of.
  func end(afterHandover: Bool = false) {
    guard state != .ended else { return }
    state = .ended
    closeListeners(removesFiles: !afterHandover)
    for connection in Array(connections.values) { connection.abandon() }
    if let cache = cache.take() { _ = cache.close() }
    memoryFile = nil
    logger.notice(afterHandover ? "everything is handed over; ending" : "ending")
    end.succeed()
  }

  /// Ends because nothing can be served any more.
  func fail(_ sentence: String) {
    logger.critical("\(sentence)")
    state = .ended
    end.fail(StartFailure(sentence))
  }

  func closeListeners(removesFiles: Bool) {
    for listener in listeners { listener.close(removesFile: removesFiles) }
    listeners = []
  }

  /// Ends before it has begun. The caller does not have the lock.
  func abandonStart() {
    locked {
      state = .ended
      closeListeners(removesFiles: true)
    }
    end.succeed()
  }

  /// Whether the end came because nothing could be served any more.
  func hasFailed() async -> Bool {
    do { try await ended.get() } catch { return true }
    return false
  }

  /// What `CONFIG GET` gives beside the settings.
  var fixedParameters: [(name: String, value: String)] {
    let hosts = listeners.compactMap { listener -> String? in
      if case .internet(let host, _) = listener.endpoint.address { host } else { nil }
    }
    let path = listeners.lazy.compactMap(\.endpoint.path).first ?? ""
    return [
      ("port", "\(facts.port)"), ("bind", hosts.joined(separator: " ")), ("unixsocket", path),
      ("databases", "16"), ("daemonize", "no"), ("save", ""), ("appendonly", "no"),
      ("maxclients", "\(clientLimit)"), ("io-threads", "\(loops.count)"),
      ("proto-max-bulk-len", "\(RequestParser.bulkByteLimit)"),
      ("supervised", facts.isSupervised ? "systemd" : "no"), ("tls-port", "\(facts.tlsPort)"),
      ("tls-cert-file", configuration.tls?.certificateFile ?? ""),
      ("tls-key-file", configuration.tls?.keyFile ?? ""),
      ("tls-ca-cert-file", configuration.tls?.authorityFile ?? ""),
      ("tls-auth-clients", (configuration.tls ?? TLSOptions()).clients.rawValue),
    ]
  }

  // MARK: What is done from time to time

  /// Removes what is over, and evicts what is too much, ten times a second, for up to a millisecond;
  /// more often while there is much of it.
  private func scheduleUpkeep(after delay: TimeAmount = .milliseconds(100)) {
    onMainLoop(in: delay) { $0.keepUp() }
  }

  private func keepUp() {
    guard state == .serving || state == .upgrading, cache != nil else {
      if state != .ended && state != .handedOver { scheduleUpkeep() }
      return
    }
    cache!.beginBatch()
    let deadline = NIODeadline.now() + .milliseconds(1)
    var sweep = Cache.ExpirySweep()
    var isMore = false
    repeat {
      let step = cache!.sweepExpired(lookingAt: 64)
      sweep.lookedAt += step.lookedAt
      sweep.removed += step.removed
      isMore = cache!.evictSurplus(atMost: 16)
      guard step.lookedAt > 0 || isMore else { break }
      if lock.giveWay() {
        guard cache != nil else { return scheduleUpkeep() }
        cache!.beginBatch()
      }
    } while NIODeadline.now() < deadline
    cache!.endBatch()
    cache!.tidyMemory()
    disconnectIdleClients()
    if keepAliveSeconds != cache!.settings.keepAliveSeconds { setKeepAlive() }
    // Where one in ten was over, there is more: up to a quarter of the time goes into it.
    let isMuch = isMore || sweep.removed * 10 > sweep.lookedAt
    scheduleUpkeep(after: isMuch ? .milliseconds(3) : .milliseconds(100))
  }

  /// Disconnects, once a second, the clients that have sent nothing for as long as `timeout` says.
  private func disconnectIdleClients() {
    guard let idleSeconds = cache?.settings.idleSeconds, let now = cache?.now, idleSeconds > 0,
      now &- min(lastIdleCheck, now) >= 1000
    else { return }
    lastIdleCheck = now
    let limit = UInt64(idleSeconds) * 1000
    for client in Array(connections.values) where now &- min(client.lastTime, now) > limit {
      facts.idleCount += 1
      client.abandon()
    }
  }
}
