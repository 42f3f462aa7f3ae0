internal import ArgumentParser
internal import TrialSupport

/// What a server does on one core, and what memory it takes, beside redis-server.
struct Throughput: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Compare throughput, latency and memory per key with redis-server, on one core.",
    discussion: """
      Both servers are on core 0, redis-benchmark is on core 1; the server that is not measured stands \
      still meanwhile. Rounds alternate, and medians count.
      """)
  static let title = "throughput and memory on one core"

  @OptionGroup var shared: SharedOptions

  @Option(help: "How often each is measured.")
  var rounds = 7

  @Option(help: "How many requests a measurement is of.")
  var requests = 1_000_000

  @Option(help: "How many keys of 1 KiB the memory is measured with.")
  var memoryKeys = 200_000

  func validate() throws {
    guard rounds > 0, requests > 0, (1...20_000_000).contains(memoryKeys) else {
      throw ValidationError("all numbers are at least 1, --memory-keys at most 20000000")
    }
  }

  func run(in workshop: Workshop) throws {
    if SystemCalls.coreCount < 2 {
      throw TrialFailure("one core is for the server and one for the clients: two are needed")
    }
    for valueByteCount in [3, 1024] {
      try ThroughputComparison(
        rounds: rounds, requests: requests, valueByteCount: valueByteCount
      ).run(in: workshop)
    }
    try MemoryPerKey(keyCount: memoryKeys).run(in: workshop)
  }
}
