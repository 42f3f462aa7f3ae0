internal import TrialSupport

/// How both servers end.
struct ShutdownSession {
  private let cache: TrialServer
  private let redis: TrialServer

  init(_ cache: TrialServer, _ redis: TrialServer) {
    self.cache = cache
    self.redis = redis
  }

  func run(_ comparison: inout Comparison) throws {
    comparison.compare(
      try end(of: cache), try end(of: redis), "the end", "SHUTDOWN NOSAVE, and another client")
  }

  private func end(of server: TrialServer) throws -> String {
    let other = try Connection(port: server.port)
    guard try other.call("PING") == .simple(Array("PONG".utf8)) else {
      throw TrialFailure("\(server.kind.rawValue) does not answer PING before its end")
    }
    let connection = try Connection(port: server.port)
    connection.enqueue(requestBytes("SHUTDOWN", "NOSAVE"))
    try connection.flush()
    connection.drain()
    other.drain()
    guard let end = try server.process.wait(milliseconds: 10_000) else {
      throw TrialFailure("\(server.kind.rawValue) goes on after SHUTDOWN NOSAVE")
    }
    server.process = ChildProcess(id: 0)
    return "\(end), '\(readable(connection.received))', '\(readable(other.received))'"
  }
}
