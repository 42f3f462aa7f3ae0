internal import ArgumentParser
internal import TrialSupport

/// What a server does on one core, and what memory it takes, beside redis-server.
struct Throughput: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Compare throughput, latency and memory per key with redis-server, on one core.",
    discussion: """
      Both servers are on core 0, redis-benchmark is on core 1; the server that is not measured waits \
      still meanwhile. Rounds alternate, and medians count.
      """)
  static let title = "throughput and memory on one core"

  @OptionGroup var shared: SharedOptions

  @Option(help: "How often each is measured.")
  var rounds = 7

  @Option(help: "How many short requests with pipelines a measurement sends; of others, fewer.")
  var requests = 1_000_000

  @Option(parsing: .upToNextOption, help: "The sizes of values, in bytes.")
  var values = [3, 1024]

  @Option(
    parsing: .upToNextOption,
    help: "How many requests a client sends before it waits for the replies; several numbers.")
  var pipelines = [16]

  @Option(help: "How many keys of 1 KiB the memory is measured with.")
  var memoryKeys = 200_000

  func validate() throws {
    guard values.allSatisfy({ (1...1_000_000).contains($0) }), !values.isEmpty,
      pipelines.allSatisfy({ (1...1000).contains($0) }), !pipelines.isEmpty
    else {
      throw ValidationError("--values takes sizes up to 1000000, --pipelines numbers up to 1000")
    }
    guard rounds > 0, requests > 0, (1...20_000_000).contains(memoryKeys) else {
      throw ValidationError("all numbers are at least 1, --memory-keys at most 20000000")
    }
  }

  func run(in workshop: Workshop) throws {
    try workshop.requireTwoCores()
    for valueByteCount in values {
      for pipeline in pipelines {
        // A server answers fewer requests a second without pipelines or with large values: send fewer, so that each
        // measurement takes about as long.
        let divisor = (pipeline < 8 ? 8 : 1) * max(1, valueByteCount / 4096)
        try ThroughputComparison(
          rounds: rounds, requests: max(requests / divisor, 1000),
          valueByteCount: valueByteCount, pipeline: pipeline
        ).run(in: workshop)
      }
    }
    try MemoryPerKey(keyCount: memoryKeys).run(in: workshop)
  }
}
