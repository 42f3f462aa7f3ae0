internal import TrialSupport

/// One of the two servers that are asked the same.
final class ComparedSide {
  /// What came.
  enum Answer: Equatable {
    case reply(ReceivedReply)
    /// What came before the connection was closed.
    case closed([UInt8])
    /// The keys that a scan has found.
    case keys([[UInt8]])
    /// Nothing that could be compared: why.
    case failed(String)

    var text: String {
      switch self {
      case .reply(let reply): readable(reply.bytes, limit: 400)
      case .closed(let bytes): readable(bytes, limit: 400) + " (closed)"
      case .keys(let keys): "\(keys.count) keys: \(keys.prefix(20).map { readable($0, limit: 40) })"
      case .failed(let reason): "(\(reason))"
      }
    }
  }

  /// How long an answer may take, in milliseconds.
  private static let patience = 10_000

  let server: TrialServer
  private var connections: [Int: Connection] = [:]
  private var current = 1

  init(_ server: TrialServer) { self.server = server }

  /// Closes all connections, and begins with an empty server.
  func begin() throws {
    connections = [:]
    current = 1
    guard try Connection(port: server.port).call("FLUSHALL") == .ok else {
      throw TrialFailure("\(server.kind.rawValue) does not answer FLUSHALL")
    }
  }

  /// Does one thing, and gives the answers.
  func perform(_ step: CommandScript.Step) -> [Answer] {
    do throws(ConnectionError) {
      switch step {
      case .client(let number):
        current = number
        return []
      case .connect:
        connections[current] = nil
        return []
      case .commands(let commands):
        var bytes: [UInt8] = []
        for words in commands { appendRequest(words, to: &bytes) }
        return try answers(to: bytes, commands.count)
      case .raw(let bytes, let count): return try answers(to: bytes, count)
      case .rawUntilClosed(let bytes): return [try answerUntilClosed(to: bytes)]
      case .scan(let options): return [try scan(options)]
      case .untilGone(let key): return [try untilGone(key)]
      }
    } catch {
      connections[current] = nil
      return [.failed("\(error)")]
    }
  }

  private func connection() throws(ConnectionError) -> Connection {
    if let connection = connections[current] { return connection }
    let connection = try Connection(port: server.port)
    connections[current] = connection
    return connection
  }

  private func answers(to bytes: [UInt8], _ count: Int) throws(ConnectionError) -> [Answer] {
    let connection = try connection()
    connection.enqueue(bytes)
    var answers: [Answer] = []
    for _ in 0..<count {
      answers.append(.reply(try connection.receivedReply(within: Self.patience)))
    }
    return answers
  }

  private func answerUntilClosed(to bytes: [UInt8]) throws(ConnectionError) -> Answer {
    let connection = try connection()
    connections[current] = nil
    connection.enqueue(bytes)
    while true {
      do throws(ConnectionError) {
        try connection.flush()
        if try !connection.fill() { try connection.wait(milliseconds: Self.patience) }
      } catch .closed {
        return .closed(Array(connection.received))
      }
    }
  }

  private func scan(_ options: [[UInt8]]) throws(ConnectionError) -> Answer {
    let connection = try connection()
    var cursor = Array("0".utf8)
    var found: Set<[UInt8]> = []
    repeat {
      connection.enqueue(requestBytes([Array("SCAN".utf8), cursor] + options))
      let received = try connection.receivedReply(within: Self.patience)
      guard case .array(let parts) = received.reply, parts.count == 2,
        case .bulk(let next) = parts[0],
        case .array(let keys) = parts[1]
      else { return .failed("SCAN is answered with \(readable(received.bytes))") }
      for case .bulk(let key) in keys { found.insert(key) }
      cursor = next
    } while cursor != Array("0".utf8)
    return .keys(found.sorted { $0.lexicographicallyPrecedes($1) })
  }

  private func untilGone(_ key: [UInt8]) throws(ConnectionError) -> Answer {
    let connection = try connection()
    let end = SystemCalls.monotonicNanoseconds + UInt64(Self.patience) * 1_000_000
    while true {
      connection.enqueue(requestBytes([Array("EXISTS".utf8), key]))
      let reply = try connection.receivedReply(within: Self.patience)
      if reply.reply == .integer(0) || SystemCalls.monotonicNanoseconds > end {
        return .reply(reply)
      }
      SystemCalls.sleep(milliseconds: 2)
    }
  }
}
