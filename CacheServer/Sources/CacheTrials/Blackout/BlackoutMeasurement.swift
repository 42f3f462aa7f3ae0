internal import TrialSupport

/// What happens to a server while a client asks.
enum BlackoutEvent: String, CaseIterable {
  case upgrade = "cache-server, upgrade"
  case crash = "cache-server, kill -9"
  case standby = "cache-server, kill -9 with a standby"
  case redis = "redis, SHUTDOWN SAVE"
  case memcached = "memcached, SIGUSR1"

  var kind: TrialServer.Kind {
    switch self {
    case .upgrade, .crash, .standby: .cache
    case .redis: .redis
    case .memcached: .memcached
    }
  }
}

/// One measurement, in milliseconds.
struct BlackoutFigures {
  /// The longest time between two right answers.
  var blackout = 0.0
  /// From the signal to the end of the process that served.
  var ending = 0.0
  /// From there until the new one was started, because the operator has to wait.
  var operatorWait = 0.0
  /// How often the client had to connect, or got an error that asks it to wait.
  var failureCount = 0
  /// How many right answers it has got.
  var rightCount = 0

  /// As if the operator had not to wait.
  var blackoutWithoutWait: Double { blackout - operatorWait }
}

/// Exchanges or kills a server, and measures how long the client waits.
struct BlackoutMeasurement {
  let server: TrialServer
  let event: BlackoutEvent
  /// How long memcached has to be down, in nanoseconds: it refuses what it has left where its clock,
  /// which counts seconds, says that no time has passed.
  private static let memcachedWait: UInt64 = 1_100_000_000
  /// How long the client asks before, in nanoseconds: the memory of a server that was killed before is taken apart
  /// meanwhile.
  private static let loadTime: UInt64 = 250_000_000
  /// How long the new one has to answer before the measurement ends, in nanoseconds.
  private static let quietTime: UInt64 = 20_000_000

  /// Measures once.
  func run(_ client: inout BlackoutClient) throws -> BlackoutFigures {
    var figures = BlackoutFigures()
    let rightBefore = client.rightCount
    // Before the client asks: what comes between two answers counts.
    let standby = event == .standby ? try server.startStandby() : nil
    let loadEnd = SystemCalls.monotonicNanoseconds + Self.loadTime
    while SystemCalls.monotonicNanoseconds < loadEnd {
      guard try client.ask({ nil }) else { throw TrialFailure("the server does not answer") }
    }
    let control = try Connection(port: server.port)
    if event.kind == .cache { server.process = try server.askProcess(control) }
    let old = server.process
    var watched: CInt? = try old.openForPolling()
    defer { if let watched { ChildProcess.close(watched) } }
    let failuresBefore = client.failureCount
    let start = SystemCalls.monotonicNanoseconds
    var goneTime: UInt64?
    var startTime: UInt64?
    var last = client.lastRight
    try trigger(control)

    let tick: () throws -> CInt? = {
      if goneTime == nil, try old.ended() != nil {
        goneTime = SystemCalls.monotonicNanoseconds
        if let descriptor = watched { ChildProcess.close(descriptor) }
        watched = nil
      }
      if let gone = goneTime, startTime == nil {
        let wait = event == .memcached ? Self.memcachedWait : 0
        if SystemCalls.monotonicNanoseconds >= gone + wait {
          if let standby {
            server.process = standby
          } else if event != .upgrade {
            try server.start()
          }
          startTime = SystemCalls.monotonicNanoseconds
          figures.operatorWait = event == .memcached ? milliseconds(gone, startTime ?? gone) : 0
        }
      }
      return watched
    }
    // Until the new one has answered for a while.
    while true {
      let now = SystemCalls.monotonicNanoseconds
      guard now - start < 300_000_000_000 else { throw TrialFailure("no server answers any more") }
      guard try client.ask(tick) else { continue }
      figures.blackout = max(figures.blackout, milliseconds(last, client.lastRight))
      last = client.lastRight
      if let startTime, last > startTime + Self.quietTime { break }
    }
    figures.ending = milliseconds(start, goneTime ?? start)
    figures.failureCount = client.failureCount - failuresBefore
    figures.rightCount = client.rightCount - rightBefore
    if event == .upgrade {
      server.process = try server.askProcess(try Connection(port: server.port))
      guard server.process.id != old.id else { throw TrialFailure("no successor serves") }
    }
    return figures
  }

  private func trigger(_ control: Connection) throws {
    switch event {
    case .upgrade: server.process.signal(SignalNumber.user2)
    case .crash, .standby: server.process.signal(SignalNumber.kill)
    case .redis:
      control.enqueue(requestBytes("SHUTDOWN", "SAVE"))
      try control.flush()
    case .memcached: server.process.signal(SignalNumber.user1)
    }
  }
}
