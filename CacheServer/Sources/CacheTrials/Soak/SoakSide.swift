internal import TrialSupport

/// One server of a soak, and its clients.
final class SoakSide {
  struct Figures {
    var upgradeCount = 0
    var killCount = 0
    var checkedKeyCount = 0
    var expiredCount = 0
    var evictedCount = 0
    /// From the end of the killed process to the first answer, in milliseconds.
    var restart = Samples()
  }

  let name: String
  let server: TrialServer
  private let clients: [KillClient]
  private(set) var figures = Figures()
  private var control: Connection?
  /// The process that is being replaced, and since when, in nanoseconds of the monotonic clock.
  private var replaced: (process: ChildProcess, since: UInt64)?

  private var upgradeEvery = 0.0
  private var killEvery = 0.0
  private var nextUpgrade = 0.0
  private var nextKill = 0.0
  private var nextSample = 0.0
  private var file = Growth()
  private var used = Growth()
  private var anonymous = Growth()

  /// How long an upgrade, or the last answers, may take, in nanoseconds.
  private static let patience: UInt64 = 30_000_000_000

  init(
    evicts: Bool, clientCount: Int, keyCount: Int, seed: UInt64, in workshop: Workshop
  ) throws {
    name = evicts ? "with eviction" : "without eviction"
    server = try TrialServer(
      .cache, in: workshop,
      extra: evicts ? TrialServer.evicting : [])
    var style = CommandGenerator.Style()
    style.mayBeEvicted = evicts
    clients = (0..<clientCount).map {
      KillClient(number: $0, keyCount: keyCount, seed: seed, style: style)
    }
  }

  var acknowledgedCount: Int { clients.reduce(0) { $0 + $1.acknowledgedCount } }
  /// How many values were there when keys were looked at.
  var foundCount: Int { clients.reduce(0) { $0 + $1.foundCount } }

  /// What was measured of the memory, by name.
  var memory: [(name: String, growth: Growth)] {
    [("the file", file), ("used_memory", used), ("the process's own memory", anonymous)]
  }

  func begin(upgradeEvery: Double, killEvery: Double, delay: Double) throws {
    self.upgradeEvery = upgradeEvery
    self.killEvery = killEvery
    nextUpgrade = upgradeEvery + delay
    nextKill = killEvery + delay
    try server.awaitReady()
    try connect()
  }

  private func connect() throws {
    for client in clients { try client.connect(server.port) }
    control = try Connection(port: server.port)
  }

  /// Has the clients work, and does what is due.
  func step(at time: Double) throws {
    do {
      for client in clients {
        try client.send()
        try client.receive()
      }
      try followUpgrade()
      if time >= nextSample {
        nextSample = time + 0.5
        try sample()
      }
    } catch let error as ConnectionError {
      throw TrialFailure("a connection ends: \(error): \(server.log.suffix(500))")
    }
    guard replaced == nil else { return }
    if time >= nextKill {
      try kill()
      nextKill += killEvery
    } else if time >= nextUpgrade {
      replaced = (server.process, SystemCalls.monotonicNanoseconds)
      server.process.signal(SignalNumber.user2)
      nextUpgrade += upgradeEvery
    }
  }

  /// Looks whether the process that is being replaced has gone.
  private func followUpgrade() throws {
    guard let (old, since) = replaced, let control else { return }
    guard let end = try old.ended() else {
      guard SystemCalls.monotonicNanoseconds - since < Self.patience else {
        throw TrialFailure(
          "an upgrade takes longer than \(Self.patience / 1_000_000_000) s: \(server.log.suffix(500))"
        )
      }
      return
    }
    // Over a connection that is older than the upgrade.
    let new = try server.askProcess(control)
    guard end == .exited(0), new.id != old.id else {
      throw TrialFailure("an upgrade ends with \(end): \(server.log.suffix(500))")
    }
    server.process = new
    replaced = nil
    figures.upgradeCount += 1
  }

  private func sample() throws {
    guard replaced == nil, let control else { return }
    file.add(Double(try SystemCalls.storageByteCount(server.memoryFile)))
    used.add(Double(try server.askNumber("memory", "used_memory", control)))
    if let byteCount = server.process.memoryByteCount("RssAnon") {
      anonymous.add(Double(byteCount))
    }
    figures.expiredCount = try server.askNumber("stats", "expired_keys", control)
    figures.evictedCount = try server.askNumber("stats", "evicted_keys", control)
  }

  private func kill() throws {
    try server.crash()
    let killTime = SystemCalls.realtimeMilliseconds
    for client in clients { try client.finish() }
    control = nil
    figures.restart.add(try server.restart())
    try check(killTime)
    try connect()
    figures.killCount += 1
  }

  /// Looks at all keys.
  private func check(_ killTime: UInt64) throws {
    for client in clients {
      _ = try client.check(server.port, all: true, killTime: killTime)
      figures.checkedKeyCount += client.keyCount
    }
  }

  /// Waits for all answers, and looks at all keys and at the file.
  func end(kho: String?) throws {
    let start = SystemCalls.monotonicNanoseconds
    while replaced != nil || clients.contains(where: { $0.model.inFlightCount > 0 }) {
      guard SystemCalls.monotonicNanoseconds - start < Self.patience else {
        throw TrialFailure("answers do not come")
      }
      for client in clients {
        try client.flush()
        try client.receive()
      }
      try followUpgrade()
      SystemCalls.sleep(microseconds: 100)
    }
    try check(SystemCalls.realtimeMilliseconds)
    try sample()
    guard let kho else { return }
    server.process.signal(SignalNumber.terminate)
    try server.process.wait()
    server.process = ChildProcess(id: 0)
    try server.checkFile(kho)
  }
}
