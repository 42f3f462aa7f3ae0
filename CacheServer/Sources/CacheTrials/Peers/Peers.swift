internal import ArgumentParser
internal import TrialSupport

/// Requests a second, processor time and memory beside Redis, Valkey and memcached.
struct Peers: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Compare requests, connections, processor time and memory with other servers.",
    discussion: """
      Measures cache-server, redis-server, valkey-server and memcached, those that are installed. Clients are \
      of this program: each sends a batch of requests, waits for the replies, and sends the next. With one core, the \
      server has core 0 and the clients core 1. With two, both have both cores, and redis-server and \
      valkey-server get --io-threads 2 and memcached -t 2. Servers that are not measured wait still. Rounds \
      alternate, and medians count.
      """)
  static let title = "throughput, processor time and memory beside other servers"

  @OptionGroup var shared: SharedOptions

  @Option(help: "How often each is measured.")
  var rounds = 3

  @Option(help: "How long a measurement takes, in milliseconds.")
  var milliseconds = 1000

  @Option(help: "How many clients send requests.")
  var clients = 50

  @Option(parsing: .upToNextOption, help: "The sizes of values, in bytes.")
  var values = [3, 100, 1024, 10_240, 102_400]

  @Option(
    parsing: .upToNextOption,
    help: "How many requests a client sends before it waits for the replies; several numbers.")
  var pipelines = [1, 16]

  @Option(parsing: .upToNextOption, help: "On how many cores: 1, 2, or both.")
  var cores = [2, 1]

  @Option(
    help: ArgumentHelp(
      "The bytes that are stored for each size to measure memory.", valueName: "megabytes"))
  var memory = 64

  func validate() throws {
    guard values.allSatisfy({ (1...1_000_000).contains($0) }), !values.isEmpty,
      pipelines.allSatisfy({ (1...256).contains($0) }), !pipelines.isEmpty
    else {
      throw ValidationError("--values takes sizes up to 1000000, --pipelines numbers up to 256")
    }
    guard (1...1000).contains(rounds), (10...600_000).contains(milliseconds),
      (1...1000).contains(clients), (16...1024).contains(memory),
      cores.allSatisfy({ (1...2).contains($0) })
    else {
      throw ValidationError(
        "--rounds takes 1 to 1000, --milliseconds 10 to 600000, --clients 1 to 1000, --memory 16 to 1024, "
          + "--cores 1 and 2")
    }
  }

  func run(in workshop: Workshop) throws {
    try workshop.requireTwoCores()
    let kinds = Self.kinds.filter { Self.isInstalled($0, workshop) }
    // This process stays on one core once it is there.
    for count in cores.sorted(by: >) {
      if count == 1 { try SystemCalls.pin(toCore: 1) }
      try PeerComparison(trial: self, coreCount: count, kinds: kinds).run(in: workshop)
    }
    try PeerMemory(payload: memory << 20, kinds: kinds).run(in: workshop)
  }

  private static let kinds: [TrialServer.Kind] = [.cache, .redis, .valkey, .memcached]

  private static func isInstalled(_ kind: TrialServer.Kind, _ workshop: Workshop) -> Bool {
    guard kind != .cache else { return true }
    let program = kind == .memcached ? "memcached" : "\(kind.rawValue)-server"
    let result = try? ProgramResult.run(
      program, ["--version"], log: "\(workshop.folder)/version-\(program)")
    guard let result, result.end == .exited(0) else {
      workshop.note("\(program) is not installed: its columns are empty")
      return false
    }
    let line = result.output.split(separator: "\n").first.map(String.init) ?? ""
    workshop.note(line)
    return true
  }
}
