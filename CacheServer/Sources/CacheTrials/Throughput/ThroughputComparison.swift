internal import TrialSupport

/// redis-benchmark with values of one size on both servers.
struct ThroughputComparison {
  let rounds: Int
  let requests: Int
  let valueByteCount: Int
  let pipeline: Int

  fileprivate struct Series {
    var rate = Samples()
    var p50 = Samples()
    var p99 = Samples()
  }

  func run(in workshop: Workshop) throws {
    let kinds = [TrialServer.Kind.redis, .cache]
    let servers = try kinds.map { try TrialServer($0, in: workshop, core: 0) }
    defer { for server in servers { server.stop() } }
    for server in servers {
      try server.awaitReady()
      server.process.signal(SignalNumber.stop)
    }
    var series: [TrialServer.Kind: [String: Series]] = [:]
    for round in 1...rounds {
      workshop.progress("\(valueByteCount) bytes: round \(round) of \(rounds)")
      // Who is first changes, in case the machine gets slower or faster meanwhile.
      for server in round % 2 == 0 ? servers : servers.reversed() {
        server.process.signal(SignalNumber.resume)
        for figures in try measure(server) {
          series[server.kind, default: [:]][figures.test, default: Series()].add(figures)
        }
        server.process.signal(SignalNumber.stop)
      }
    }
    report(series, workshop)
  }

  private func measure(_ server: TrialServer) throws -> [BenchmarkFigures] {
    let result = try ProgramResult.run(
      "redis-benchmark",
      [
        "-p", "\(server.port)", "-t", "set,get", "-P", "\(pipeline)", "-c", "50", "-r", "100000",
        "-n",
        "\(requests)", "-d", "\(valueByteCount)", "--csv",
      ], log: "\(server.folder)/benchmark", core: 1)
    let figures = BenchmarkFigures.parse(result.output)
    let errors = BenchmarkFigures.errors(in: result.output)
    guard result.end == .exited(0), figures.map(\.test) == ["SET", "GET"], errors.isEmpty else {
      throw TrialFailure("redis-benchmark: \(result.end): \(result.output.suffix(300))")
    }
    return figures
  }

  private func report(_ series: [TrialServer.Kind: [String: Series]], _ workshop: Workshop) {
    var table = Report.Table(
      "values of \(valueByteCount) bytes, -P \(pipeline) -c 50 -r 100000, \(rounds) rounds of \(requests) requests",
      [
        ("COMMAND", "command"), ("SERVER", "server"), ("REQUESTS/S, MEDIAN", "rate"),
        ("RANGE", "rate_range"), ("P50 MS", "p50"), ("P99 MS", "p99"), ("RATIO", "ratio"),
      ])
    for test in ["GET", "SET"] {
      let redis = series[.redis]?[test] ?? Series()
      let cache = series[.cache]?[test] ?? Series()
      let ratio = cache.rate.ratio(to: redis.rate) ?? 0
      for (kind, one) in [(TrialServer.Kind.redis, redis), (.cache, cache)] {
        table.add([
          .words(test), .words(kind.rawValue), .measured(one.rate.median),
          .range(one.rate) { decimal($0, 0) }, .measured(one.p50.median),
          .measured(one.p99.median), .measured(kind == .cache ? ratio : nil),
        ])
      }
      workshop.claim(
        "\(test) of \(valueByteCount) bytes, -P \(pipeline): at least redis-server's throughput",
        ratio >= 1,
        "\(decimal(ratio, 2)) times")
    }
    workshop.add(table)
  }
}

extension ThroughputComparison.Series {
  fileprivate mutating func add(_ figures: BenchmarkFigures) {
    rate.add(figures.requestsPerSecond)
    p50.add(figures.p50)
    p99.add(figures.p99)
  }
}
