internal import ArgumentParser
internal import TrialSupport

/// How long a client waits while a server is exchanged or has crashed.
struct Blackout: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Measure how long a client waits while a server is exchanged or has crashed.",
    discussion: """
      A client asks for keys that it knows, one after the other, for a quarter of a second before each \
      measurement, and connects again at once where it must. A \
      standby is a second cache-server that waits for the end of the first. The blackout is the longest time \
      between two right answers. redis-server ends by SHUTDOWN SAVE and loads its file, memcached ends by \
      SIGUSR1 and finds its memory in /dev/shm.
      """)
  static let title = "blackout of an exchange"

  @OptionGroup var shared: SharedOptions

  @Option(
    parsing: .upToNextOption,
    help: "How many keys of 1 KiB; several numbers, one after the other.")
  var keys = [10_000, 800_000]

  @Option(
    parsing: .upToNextOption,
    help: "How many other clients are connected to cache-server; several numbers (see ulimit -n).")
  var clients = [0]

  @Option(help: "How often each is measured.")
  var rounds = 5

  @Option(help: ArgumentHelp("Measure redis and memcached up to so many keys.", valueName: "keys"))
  var peersUpTo = 1_000_000

  @Flag(help: "Also upgrade while redis-benchmark runs, which must see no error.")
  var benchmarkRunning = false

  @Option(help: "How many upgrades happen while redis-benchmark runs.")
  var upgrades = 20

  func validate() throws {
    guard keys.allSatisfy({ (1...100_000_000).contains($0) }), !keys.isEmpty else {
      throw ValidationError("--keys takes numbers from 1 to 100000000")
    }
    try ClientCounts.validate(clients)
    guard rounds > 0, upgrades > 0 else {
      throw ValidationError("--rounds and --upgrades take numbers from 1")
    }
  }

  func run(in workshop: Workshop) throws {
    try ClientCounts.makeRoom(for: clients)
    var results: [BlackoutResult] = []
    for count in keys {
      for kind in [TrialServer.Kind.cache, .redis, .memcached]
      where kind == .cache || count <= peersUpTo {
        results += try measure(kind, count, workshop)
      }
    }
    report(results, in: workshop)
    if results.contains(where: { $0.event == .memcached }) {
      let refusalCount = try MemcachedRefusal.count(rounds: rounds, in: workshop)
      workshop.note(
        """
        memcached counts seconds, and refuses the memory that it has left where it is started in the \
        same one: \(refusalCount) of \(rounds) times when it was started at once. So the operator waits \
        1.1 s, which belongs to what its clients see; the comparison is given with it and without.
        """)
    }
    if benchmarkRunning { try UpgradesUnderLoad(upgradeCount: upgrades).run(in: workshop) }
  }

  private func measure(
    _ kind: TrialServer.Kind, _ count: Int, _ workshop: Workshop
  ) throws -> [BlackoutResult] {
    let server = try TrialServer(kind, in: workshop, extra: Self.sizes(kind, count))
    defer { server.stop() }
    try server.awaitReady()
    try server.fill(count, workshop)
    var client = BlackoutClient(server, keyCount: count, seed: shared.seed)
    var results: [BlackoutResult] = []
    for clientCount in kind == .cache ? clients : [0] {
      // With other clients, only upgrades are measured: a crash disconnects them.
      let others = try IdleConnections(port: server.port, count: clientCount)
      defer { withExtendedLifetime(others) {} }
      for event in BlackoutEvent.allCases
      where event.kind == kind && (clientCount == 0 || event == .upgrade) {
        var result = BlackoutResult(event: event, keyCount: count, clientCount: clientCount)
        for round in 1...rounds {
          workshop.progress(
            "\(event.rawValue), \(count) keys, \(clientCount) clients: \(round) of \(rounds)")
          result.add(try BlackoutMeasurement(server: server, event: event).run(&client))
        }
        results.append(result)
      }
    }
    return results
  }

  /// What makes a server take that many keys of 1 KiB.
  private static func sizes(_ kind: TrialServer.Kind, _ count: Int) -> [String] {
    let mebibytes = max(64, (count * 1400) >> 20)
    switch kind {
    case .cache: return ["--capacity", "\(max(1024, mebibytes * 2))mb"]
    case .redis, .valkey: return []
    case .memcached: return ["-m", "\(mebibytes)"]
    }
  }
}
