internal import ArgumentParser
internal import TrialSupport

/// Asks cache-server and redis-server the same, and compares the answers.
struct Compare: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Ask cache-server and redis-server the same, and compare the answers byte by byte.",
    discussion: """
      Conversations of several hundred commands, over the wire and through redis-cli, and \
      redis-benchmark. Where the bytes cannot be the same, the reason is printed.
      """)
  static let title = "answers beside redis-server"
  /// As many are compared at least.
  private static let leastCount = 300

  @OptionGroup var shared: SharedOptions

  @Option(help: "How many requests each test of redis-benchmark makes.")
  var requests = 100_000

  func validate() throws {
    guard requests > 0 else { throw ValidationError("--requests takes numbers from 1") }
  }

  func run(in workshop: Workshop) throws {
    let version = try ProgramResult.run(
      "redis-server", ["--version"], log: "\(workshop.folder)/version"
    ).output
    // Both report the number.
    let threads = ["--io-threads", "2"]
    let cache = try TrialServer(.cache, in: workshop, extra: threads)
    defer { cache.stop() }
    let redis = try TrialServer(.redis, in: workshop, extra: threads)
    defer { redis.stop() }
    try cache.awaitReady()
    try redis.awaitReady()

    var comparison = Comparison()
    let (mine, other) = (ComparedSide(cache), ComparedSide(redis))
    var table = Report.Table(
      "compared with \(version.prefix { $0 != "\n" && $0 != "(" })",
      [("SESSION", "session"), ("ANSWERS", "answers"), ("DIFFERENT", "different")])
    func count(_ name: String, _ body: (inout Comparison) throws -> Void) throws {
      workshop.progress(name)
      let before = (comparison.comparedCount, comparison.differences.count)
      try body(&comparison)
      guard comparison.comparedCount > before.0 else {
        throw TrialFailure("session '\(name)' compares nothing")
      }
      table.add([
        .words(name), .count(comparison.comparedCount - before.0),
        .count(comparison.differences.count - before.1),
      ])
    }
    // Also where the trial does not come to its end.
    defer {
      workshop.add(table)
      report(comparison, workshop)
    }
    for script in try ScriptTexts.scripts() {
      try count(script.name) { try $0.run(script, mine, other) }
      try cache.expectRunning("after session '\(script.name)'")
      try redis.expectRunning("after session '\(script.name)'")
    }
    try count("redis-cli") { try CommandLineSessions(cache, redis, workshop).run(&$0) }
    let trouble = try BenchmarkSession(requests: requests).run(cache)
    workshop.claim(
      "redis-benchmark -t set,get,incr,mset -P 16 ends without an error", trouble == nil,
      trouble ?? "\(requests) requests each")
    try count("the end") { try ShutdownSession(cache, redis).run(&$0) }
  }

  private func report(_ comparison: Comparison, _ workshop: Workshop) {
    for allowance in Allowance.allCases {
      guard let count = comparison.allowedCounts[allowance] else { continue }
      workshop.note("not byte by byte, \(count) answers: \(allowance.reason)")
    }
    for difference in comparison.differences {
      workshop.note(
        """
        \(difference.place): \(difference.question.prefix(200))
            cache-server: \(difference.cache)
            redis-server: \(difference.redis)
        """)
    }
    let count = comparison.comparedCount
    workshop.claim("at least \(Self.leastCount) answers are compared", count >= Self.leastCount)
    workshop.claim(
      "all \(count) answers are those of redis-server", comparison.differences.isEmpty,
      comparison.differences.isEmpty ? "" : "\(comparison.differences.count) differ")
  }
}
