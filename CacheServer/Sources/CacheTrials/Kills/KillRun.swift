internal import TrialSupport

/// What was counted.
struct KillFigures {
  var killCount = 0
  /// Kills that hit commands in flight.
  var inFlightCount = 0
  /// Of a client's commands in flight, some had happened and some had not: kills with such a client.
  var partialCount = 0
  /// Kills at which all had happened, though none was answered.
  var wholeCount = 0
  var acknowledgedCount = 0
  var stepCount = 0
  var doneStepCount = 0
  var evictedCount = 0
  /// Values that were there when keys were looked at.
  var foundCount = 0
  var fileCheckCount = 0
  /// From the end of the killed process to the first answer, in milliseconds.
  var restart = Samples()
}

/// Kills a server again and again.
struct KillRun {
  private let server: TrialServer
  private let clients: [KillClient]
  private let every: Int
  private let kho: String?
  private var random: SplitMix
  private(set) var figures = KillFigures()

  init(
    server: TrialServer, clients: [KillClient], every: Int, kho: String?, seed: UInt64
  ) {
    self.server = server
    self.clients = clients
    self.every = every
    self.kho = kho
    random = SplitMix(seed: Pattern.seed(seed, 0x6b69_6c6c))
  }

  mutating func kill(_ count: Int, _ workshop: Workshop) throws {
    for number in 1...count {
      workshop.progress(
        "\(number) of \(count) kills, \(figures.acknowledgedCount) commands acknowledged")
      for client in clients { try client.connect(server.port) }
      try load(microseconds: 500 + random.number(below: 30_000))
      let killTime = try killServer()
      let isWhole = number % every == 0 || number == count
      if isWhole, let kho {
        try server.checkFile(kho)
        figures.fileCheckCount += 1
      }
      figures.restart.add(try server.restart())
      try check(all: isWhole, killTime)
      figures.killCount = number
    }
    if clients.contains(where: \.model.mayBeEvicted) {
      figures.evictedCount = try server.askNumber(
        "stats", "evicted_keys", Connection(port: server.port))
    }
  }

  /// Has the clients work for a while, without ever waiting; at the end, the server has more to do than
  /// it does until it is killed.
  private mutating func load(microseconds: Int) throws {
    let end = SystemCalls.monotonicNanoseconds + UInt64(microseconds) * 1000
    do {
      repeat {
        for client in clients {
          try client.send()
          try client.receive()
        }
      } while SystemCalls.monotonicNanoseconds < end
      for client in clients { client.prepare() }
      for client in clients { try client.flush() }
      let instant = SystemCalls.monotonicNanoseconds + UInt64(random.number(below: 400_000))
      while SystemCalls.monotonicNanoseconds < instant {}
    } catch let error as ConnectionError {
      throw TrialFailure("a connection ends under load: \(error): \(server.log.suffix(500))")
    }
  }

  private mutating func killServer() throws -> UInt64 {
    try server.crash()
    let time = SystemCalls.realtimeMilliseconds
    for client in clients { try client.finish() }
    figures.acknowledgedCount = clients.reduce(0) { $0 + $1.acknowledgedCount }
    if clients.contains(where: { $0.model.inFlightCount > 0 }) { figures.inFlightCount += 1 }
    return time
  }

  private mutating func check(all: Bool, _ killTime: UInt64) throws {
    var isPartial = false
    var isWhole = true
    for client in clients {
      let resolution = try client.check(server.port, all: all, killTime: killTime)
      figures.stepCount += resolution.stepCount
      figures.doneStepCount += resolution.prefix
      if resolution.prefix > 0, resolution.prefix < resolution.stepCount { isPartial = true }
      if resolution.prefix < resolution.stepCount || resolution.stepCount == 0 { isWhole = false }
    }
    figures.foundCount = clients.reduce(0) { $0 + $1.foundCount }
    if isPartial { figures.partialCount += 1 }
    if isWhole { figures.wholeCount += 1 }
  }
}
