internal import ArgumentParser
internal import TrialSupport

/// Kills a server at random instants, and looks what it knows after each.
struct Kills: Trial {
  /// Which server.
  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case cache
    /// With `appendonly yes`: the trial must pass.
    case redisAppendOnly = "redis-aof"
    /// Without persistence: the trial must fail.
    case redisForgetful = "redis-none"
  }

  static let configuration = CommandConfiguration(
    abstract: "Kill a server under load again and again: what it has acknowledged must be there.",
    discussion: """
      Several clients, each with keys of its own, send commands without waiting for the answers. After \
      a kill -9, what was answered must have happened, and of what was not, the first few commands \
      and no others: one number of them must explain every key of the client.
      """)
  static let title = "kills at random instants"

  @OptionGroup var shared: SharedOptions

  @Argument(help: "How often the server is killed.")
  var count = 1000

  @Option(help: "How many clients are connected.")
  var clients = 4

  @Option(help: "How many keys each has.")
  var keys = 200

  @Option(help: "Look at all keys, and check the file, every so many kills.")
  var every = 20

  @Option(help: ArgumentHelp("kho, which checks the file.", valueName: "path"))
  var kho: String?

  @Flag(help: "Limit the memory, so that keys are evicted: they may be gone, and never wrong.")
  var eviction = false

  @Option(help: "Which server: cache, redis-aof to see the trial pass, redis-none to see it fail.")
  var subject = Subject.cache

  func validate() throws {
    guard count > 0, clients > 0, keys >= 16, every > 0 else {
      throw ValidationError("all numbers are at least 1, --keys at least 16")
    }
    guard kho == nil || subject == .cache else {
      throw ValidationError("--kho checks the file of cache-server")
    }
  }

  func run(in workshop: Workshop) throws {
    var extra = eviction ? TrialServer.evicting : []
    var style = CommandGenerator.Style()
    style.mayBeEvicted = eviction
    if subject == .redisAppendOnly { extra += ["--appendonly", "yes", "--appendfsync", "always"] }
    // On cores of their own, the server is killed in the midst of its work; where they share one, it
    // has always just finished, or not begun.
    let cores: Int? = SystemCalls.coreCount > 1 ? 0 : nil
    if cores != nil { try SystemCalls.pin(toCore: 1) }
    let server = try TrialServer(
      subject == .cache ? .cache : .redis, in: workshop, extra: extra, core: cores)
    defer { server.stop() }
    try server.awaitReady()
    let clients = (0..<clients).map {
      KillClient(number: $0, keyCount: keys, seed: shared.seed, style: style)
    }
    var run = KillRun(server: server, clients: clients, every: every, kho: kho, seed: shared.seed)
    do { try run.kill(count, workshop) } catch {
      workshop.claim(
        promise, false,
        "kill \(run.figures.killCount + 1), seed \(shared.seed): \(error)")
      report(run.figures, workshop)
      return
    }
    workshop.claim("\(run.figures.killCount) kills: \(promise)", run.figures.killCount == count)
    claimSubstance(run.figures, workshop)
    if kho != nil {
      workshop.claim(
        "the file is clean", run.figures.fileCheckCount > 0, "\(run.figures.fileCheckCount) checks")
    }
    report(run.figures, workshop)
  }

  /// A client that does nothing loses nothing, and where keys may be gone, all may: neither counts.
  private func claimSubstance(_ figures: KillFigures, _ workshop: Workshop) {
    // Redis counts evictions from its last start on only.
    let countsEvictions = eviction && subject == .cache
    workshop.claim(
      "commands were answered and others under way, values were found"
        + (countsEvictions ? ", keys were evicted" : ""),
      figures.acknowledgedCount > 0 && figures.inFlightCount > 0 && figures.foundCount > 0
        && (!countsEvictions || figures.evictedCount > 0),
      "\(figures.foundCount) values found")
  }

  /// What must hold after each kill.
  private var promise: String {
    eviction
      ? "whatever is there is what was written last, and one prefix explains the unacknowledged"
      : "every acknowledged write is there, and one prefix explains the others"
  }

  private func report(_ figures: KillFigures, _ workshop: Workshop) {
    var table = Report.Table(
      "\(subject.rawValue)\(eviction ? ", with eviction" : ""), \(clients) clients, \(keys) keys each",
      [
        ("KILLS", "kills"), ("WITH COMMANDS IN FLIGHT", "in_flight"),
        ("SOME OF THEM DONE", "some_done"), ("ALL DONE", "all_done"),
        ("ACKNOWLEDGED", "acknowledged"), ("UNACKNOWLEDGED STEPS", "steps"),
        ("OF THEM DONE", "steps_done"), ("KEYS EVICTED", "evicted"),
        ("RESTART MS, MEDIAN", "restart"), ("RANGE", "restart_range"),
      ])
    table.add([
      .count(figures.killCount), .count(figures.inFlightCount), .count(figures.partialCount),
      .count(figures.wholeCount), .count(figures.acknowledgedCount), .count(figures.stepCount),
      .count(figures.doneStepCount), .count(figures.evictedCount),
      .measured(figures.restart.median), .range(figures.restart, shortDecimal),
    ])
    workshop.add(table)
  }
}
