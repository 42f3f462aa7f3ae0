internal import TrialSupport

/// Upgrades while redis-benchmark runs: any error fails.
struct UpgradesUnderLoad {
  let upgradeCount: Int

  func run(in workshop: Workshop) throws {
    let server = try TrialServer(.cache, in: workshop)
    defer { server.stop() }
    try server.awaitReady()
    // Asked over the same connection all the while, which every upgrade hands over.
    let control = try Connection(port: server.port)
    let log = "\(server.folder)/benchmark"
    let benchmark = try ChildProcess(
      "redis-benchmark",
      [
        "-p", "\(server.port)", "-t", "set,get", "-P", "16", "-c", "50", "-r", "100000", "-d",
        "1024", "-q", "-l",
      ], log: log)
    defer { benchmark.kill() }
    var waited = Samples()
    for round in 1...upgradeCount {
      workshop.progress("upgrades while redis-benchmark runs: \(round) of \(upgradeCount)")
      try expectLoad(server, control, milliseconds: 300)
      let old = try server.askProcess(control)
      let start = SystemCalls.monotonicNanoseconds
      old.signal(SignalNumber.user2)
      var new = old
      while new.id == old.id {
        guard SystemCalls.monotonicNanoseconds - start < 30_000_000_000 else {
          throw TrialFailure("no successor serves after 30 s: \(server.log.suffix(500))")
        }
        SystemCalls.sleep(milliseconds: 2)
        new = try server.askProcess(control)
      }
      waited.add(milliseconds(start, SystemCalls.monotonicNanoseconds))
      server.process = new
      // The old one has some replies to send, and then nothing more to do.
      guard try old.wait(milliseconds: 40_000) != nil else {
        throw TrialFailure("process \(old.id) does not end after it has handed over")
      }
    }
    try expectLoad(server, control, milliseconds: 500)
    let ended = try benchmark.ended()
    let output = String(decoding: try SystemCalls.contents(of: log), as: UTF8.self)
    let errors = BenchmarkFigures.errors(in: output)
    workshop.claim(
      "\(upgradeCount) upgrades while redis-benchmark runs: nothing refused, nothing reset, no error",
      ended == nil && errors.isEmpty && !output.isEmpty,
      (errors.first.map { $0 + "; " } ?? ended.map { "redis-benchmark: \($0); " } ?? "")
        + "an upgrade took \(shortDecimal(waited.median ?? 0)) ms from signal to successor")
  }

  /// Waits that long, in which commands of others than `control` must be answered: a benchmark whose
  /// server pauses sees no error.
  private func expectLoad(
    _ server: TrialServer, _ control: Connection, milliseconds: Int
  ) throws {
    func answered() throws -> Int {
      try server.askNumber("stats", "total_commands_processed", control)
    }
    let before = try answered()
    SystemCalls.sleep(milliseconds: milliseconds)
    // One is the question itself.
    guard try answered() > before + 1 else {
      throw TrialFailure("redis-benchmark is not answered for \(milliseconds) ms")
    }
  }
}
