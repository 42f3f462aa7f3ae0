internal import TrialSupport

/// redis-cli as it is, on both servers.
struct CommandLineSessions {
  private let cache: TrialServer
  private let redis: TrialServer
  private let workshop: Workshop

  init(_ cache: TrialServer, _ redis: TrialServer, _ workshop: Workshop) {
    self.cache = cache
    self.redis = redis
    self.workshop = workshop
  }

  /// Lines as a person types them.
  private static let typed = #"""
    PING
    SET greeting "hello, world" EX 1000
    GET greeting
    SET "odd\x00key\n" "odd\xffvalue"
    GET "odd\x00key\n"
    MSET a 1 b 2 c 3
    MGET a none c
    INCR a
    5 INCR a
    INCR greeting
    SET only-new 1 NX
    SET only-new 2 NX
    NOSUCH command
    GET
    EXISTS a b none
    EXPIRE a 1000
    PERSIST a
    TTL a
    TTL none
    APPEND greeting !
    STRLEN greeting
    TYPE greeting
    GETDEL greeting
    GETDEL greeting
    KEYS gree*
    SCAN 0 MATCH none COUNT 1000
    DBSIZE
    CONFIG GET maxmemory
    COMMAND GETKEYS SET a b
    HELLO 4
    SELECT 0
    FLUSHALL
    DBSIZE
    """#

  /// Requests as bytes, for `--pipe`.
  private static func pipedRequests() -> [UInt8] {
    var bytes: [UInt8] = []
    for number in 0..<2000 {
      let digits = Array("\(number)".utf8)
      appendRequest([Array("SET".utf8), Array("piped:".utf8) + digits, digits], to: &bytes)
      appendRequest([Array("INCR".utf8), Array("piped:".utf8) + digits], to: &bytes)
    }
    return bytes
  }

  func run(_ comparison: inout Comparison) throws {
    let typed = Array(Self.typed.utf8) + [10]
    for options in [[], ["--no-raw"], ["-3", "--no-raw"], ["--csv"], ["--json"]] {
      try compare(options, input: typed, &comparison)
    }
    try compare(["--pipe"], input: Self.pipedRequests(), &comparison, isKept: isAboutReplies)
    try compare(["DBSIZE"], &comparison)
    try compare(["-r", "5", "INCR", "repeated"], &comparison)
    try compare(["-x", "SET", "from-input"], input: Array("what\0 is read\n".utf8), &comparison)
    try compare(["GET", "from-input"], &comparison)
    try compare(["-X", "tag", "SET", "key", "tag"], input: Array("tagged".utf8), &comparison)
    try compare(["-e", "INCR", "from-input"], &comparison)
    try compare(["--scan", "--pattern", "piped:1?"], &comparison, isSorted: true)
    try compare(["--scan"], &comparison, isSorted: true)
    try compare(["-n", "0", "GET", "key"], &comparison)
    try compare(["-n", "1", "GET", "key"], &comparison)
    try compare(["--quoted-input", "GET", #""none\x00such""#], &comparison)
  }

  /// Whether a line of `--pipe` counts errors and replies.
  private func isAboutReplies(_ line: Substring) -> Bool { line.hasPrefix("errors:") }

  private func compare(
    _ arguments: [String], input: [UInt8] = [], _ comparison: inout Comparison,
    isSorted: Bool = false, isKept: (Substring) -> Bool = { _ in true }
  ) throws {
    let name = "redis-cli " + arguments.joined(separator: " ")
    let path = "\(workshop.folder)/typed"
    try SystemCalls.writeFile(path, input)
    var outputs: [String] = []
    for server in [cache, redis] {
      let result = try ProgramResult.run(
        "redis-cli", ["-p", "\(server.port)"] + arguments, input: path,
        log: "\(server.folder)/typed-output", seconds: 30)
      var lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        .filter(isKept)
      // What says nothing of a server is the same for both.
      guard case .exited = result.end, !lines.isEmpty,
        !result.output.hasPrefix("Unrecognized option")
      else { throw TrialFailure("\(name): \(result.end): \(result.output.prefix(300))") }
      if isSorted { lines.sort() }
      outputs.append(lines.joined(separator: "\n") + " (\(result.end))")
    }
    comparison.compare(outputs[0], outputs[1], name, "all that it prints")
  }
}
