internal import ArgumentParser
internal import TrialSupport

/// Clients that do not read their replies for a long time, over two upgrades in a row.
struct SlowReaders: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Upgrade twice while clients do not read their replies for a long time.",
    discussion: """
      Each client asks for a value of 1 MiB many times, which is more than its socket takes, and reads nothing. The \
      server is upgraded twice in a row. After --seconds, each client reads all of its replies, and sends one more \
      request over the same connection.
      """)
  static let title = "slow readers over two upgrades"

  @OptionGroup var shared: SharedOptions

  @Option(help: "How long the clients read nothing, in seconds.")
  var seconds = 45

  @Option(help: "How many clients.")
  var clients = 4

  func validate() throws {
    guard (1...3600).contains(seconds), (1...100).contains(clients) else {
      throw ValidationError("--seconds takes 1 to 3600, --clients 1 to 100")
    }
  }

  private static let requestCount = 24
  private static let value = Pattern.bytes(seed: 1, count: 1 << 20)

  func run(in workshop: Workshop) throws {
    let server = try TrialServer(.cache, in: workshop)
    defer { server.stop() }
    try server.awaitReady()
    let control = try Connection(port: server.port)
    control.enqueue(requestBytes([Array("SET".utf8), Array("large".utf8), Self.value]))
    guard try control.reply() == .ok else { throw TrialFailure("the value is not stored") }
    let readers = try (0..<clients).map { _ in try Connection(port: server.port) }
    for reader in readers {
      for _ in 0..<Self.requestCount { reader.enqueue(requestBytes("GET", "large")) }
      try reader.flush()
    }
    let first = try server.askProcess(control)
    var last = first
    for number in 1...2 {
      workshop.progress("upgrade \(number)")
      last = try upgrade(server, control, from: last)
    }
    for second in 0..<seconds {
      workshop.progress("\(second) of \(seconds) s without reading")
      SystemCalls.sleep(milliseconds: 1000)
    }
    let right = readers.count { (try? hasAllReplies($0)) == true }
    workshop.claim(
      "\(clients) clients that have read nothing for \(seconds) s get all replies after two upgrades",
      right == clients, "\(right) do")
    let served = try readers.count { try server.askProcess($0).id == last.id }
    workshop.claim(
      "the last process serves each over its first connection", served == clients, "\(served)")
    let hasEnded = try first.wait(milliseconds: 60_000) != nil
    workshop.claim("the first process ends once the replies are sent", hasEnded)
  }

  /// Has the server start its successor, and returns that once it serves.
  private func upgrade(
    _ server: TrialServer, _ control: Connection, from old: ChildProcess
  ) throws -> ChildProcess {
    old.signal(SignalNumber.user2)
    let start = SystemCalls.monotonicNanoseconds
    while true {
      let now = try server.askProcess(control)
      if now.id != old.id {
        server.process = now
        return now
      }
      guard SystemCalls.monotonicNanoseconds - start < 60_000_000_000 else {
        throw TrialFailure("no successor serves after 60 s: \(server.log.suffix(500))")
      }
      SystemCalls.sleep(milliseconds: 2)
    }
  }

  private func hasAllReplies(_ reader: Connection) throws -> Bool {
    for _ in 0..<Self.requestCount {
      guard case .bulk(let bytes) = try reader.reply(), bytes.elementsEqual(Self.value) else {
        return false
      }
    }
    return true
  }
}
