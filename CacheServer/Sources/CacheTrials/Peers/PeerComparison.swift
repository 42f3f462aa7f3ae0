internal import TrialSupport

/// The same requests to all servers, on one core or on two.
struct PeerComparison {
  let trial: Peers
  let coreCount: Int
  let kinds: [TrialServer.Kind]

  /// Of one server and one kind of request.
  private struct Series {
    /// Requests or connections in a second.
    var rate = Samples()
    /// Microseconds of processor time for each of them.
    var cost = Samples()
  }

  private typealias Results = [TrialServer.Kind: Series]

  func run(in workshop: Workshop) throws {
    var servers: [TrialServer] = []
    defer { for server in servers { server.stop() } }
    for kind in kinds {
      let server = try TrialServer(
        kind, in: workshop, extra: Self.arguments(kind, coreCount),
        core: coreCount == 1 ? 0 : nil, keepsMemory: false)
      servers.append(server)
      try server.awaitReady()
      server.process.signal(SignalNumber.stop)
    }
    var rates = table("a second", workshop)
    var costs = table("microseconds of processor time", workshop)
    for size in trial.values {
      for pipeline in trial.pipelines {
        let load = PeerLoad(
          valueByteCount: size, pipeline: pipeline, clientCount: trial.clients)
        let results = try compare(load, servers, workshop)
        for kind in PeerLoad.Kind.allCases {
          let name = "\(kind.rawValue), \(size) bytes, \(pipeline) at a time"
          add(name, results[kind] ?? [:], &rates, &costs, workshop)
        }
      }
    }
    add(
      "connection with a GET", try compareConnections(servers, workshop), &rates, &costs,
      workshop)
    workshop.add(rates)
    workshop.add(costs)
  }

  private static func arguments(_ kind: TrialServer.Kind, _ coreCount: Int) -> [String] {
    switch kind {
    case .cache: ["--capacity", "4gb"]
    case .redis, .valkey: coreCount == 1 ? [] : ["--io-threads", "\(coreCount)"]
    case .memcached: ["-t", "\(coreCount)", "-m", "2048"]
    }
  }

  private func compare(
    _ load: PeerLoad, _ servers: [TrialServer], _ workshop: Workshop
  ) throws -> [PeerLoad.Kind: Results] {
    var loads: [PeerLoad.Kind: [Dialect: RequestLoad]] = [:]
    for kind in PeerLoad.Kind.allCases {
      for dialect in [Dialect.resp, .memcached] {
        loads[kind, default: [:]][dialect] = load.make(kind, dialect)
      }
    }
    var results: [PeerLoad.Kind: Results] = [:]
    for round in 1...trial.rounds {
      workshop.progress(
        "\(coreCount) cores, \(load.valueByteCount) bytes, \(load.pipeline) at a time: round \(round)"
      )
      for server in round % 2 == 0 ? servers : servers.reversed() {
        server.process.signal(SignalNumber.resume)
        defer { server.process.signal(SignalNumber.stop) }
        let dialect = Dialect(server.kind)
        if round == 1 { try loads[.set]?[dialect]?.runOnce(port: server.port) }
        for kind in PeerLoad.Kind.allCases {
          guard let one = loads[kind]?[dialect] else { continue }
          try measure(server, load.pipeline, into: &results[kind, default: [:]]) {
            try one.run(port: server.port, milliseconds: trial.milliseconds)
          }
        }
      }
    }
    return results
  }

  private func compareConnections(
    _ servers: [TrialServer], _ workshop: Workshop
  ) throws -> Results {
    var results: Results = [:]
    for round in 1...trial.rounds {
      workshop.progress("\(coreCount) cores, connections: round \(round)")
      for server in servers {
        server.process.signal(SignalNumber.resume)
        defer { server.process.signal(SignalNumber.stop) }
        try measure(server, 1, into: &results) {
          try PeerLoad.missing(Dialect(server.kind)).runConnecting(
            port: server.port, milliseconds: trial.milliseconds)
        }
      }
    }
    return results
  }

  private func measure(
    _ server: TrialServer, _ pipeline: Int, into results: inout Results,
    _ run: () throws -> RequestLoad.Figures
  ) throws {
    let before = server.process.processorSeconds ?? 0
    let figures: RequestLoad.Figures
    do { figures = try run() } catch {
      throw TrialFailure("\(server.kind.rawValue): \(error)")
    }
    let spent = (server.process.processorSeconds ?? 0) - before
    let count = Double(figures.batchCount * pipeline)
    guard count > 0 else { throw TrialFailure("\(server.kind.rawValue) has answered nothing") }
    results[server.kind, default: Series()].rate.add(count / figures.seconds)
    results[server.kind, default: Series()].cost.add(spent * 1e6 / count)
  }

  private static let others: [TrialServer.Kind] = [.redis, .valkey, .memcached]

  private func table(_ unit: String, _ workshop: Workshop) -> Report.Table {
    Report.Table(
      "\(coreCount == 1 ? "one core" : "two cores, shared with the clients"): \(unit), medians of \(trial.rounds), "
        + "\(trial.clients) clients; × is cache-server's over the other's",
      [("REQUESTS", "requests"), ("CACHE-SERVER", "cache")]
        + Self.others.flatMap {
          [($0.rawValue.uppercased(), $0.rawValue), ("×", "over_\($0.rawValue)")]
        })
  }

  private func add(
    _ name: String, _ results: Results, _ rates: inout Report.Table, _ costs: inout Report.Table,
    _ workshop: Workshop
  ) {
    func cells(_ samples: (Series) -> Samples, _ text: (Double) -> String) -> [Report.Cell] {
      let own = results[.cache].map(samples) ?? Samples()
      var cells: [Report.Cell] = [.words(name), .measured(own.median, own.median.map(text))]
      for kind in Self.others {
        let other = results[kind].map(samples) ?? Samples()
        let ratio = own.ratio(to: other)
        cells.append(.measured(other.median, other.median.map(text)))
        cells.append(.measured(ratio, ratio.map { decimal($0, 2) }))
      }
      return cells
    }
    rates.add(cells({ $0.rate }, { decimal($0, 0) }))
    costs.add(cells({ $0.cost }, { shortDecimal($0) }))
    for kind in Self.others {
      guard let own = results[.cache], let other = results[kind],
        let ratio = own.rate.ratio(to: other.rate)
      else { continue }
      workshop.claim(
        "\(coreCount == 1 ? "one core" : "two cores"), \(name): at least as many as \(kind.rawValue)",
        ratio >= 1, "\(decimal(ratio, 2)) times")
    }
  }
}
