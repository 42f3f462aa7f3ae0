import CacheTestSupport
import Testing

/// A client whose requests are answered with more than its socket takes, and that does not read the replies yet.
struct SlowReader {
  let client: Client
  /// The value of the key `large`, which it asks for.
  static let value = String(repeating: "0123456789abcdef", count: 1 << 16)
  private static let requestCount = 24

  /// Connects to `server`, sends its requests, and waits until the server has read them.
  init(_ server: ServerProcess, beside other: Client) throws {
    client = try server.connect()
    #expect(try client.send("SET", "large", Self.value) == "+OK")
    for _ in 0..<Self.requestCount { try client.write(Wire.request("GET", "large")) }
    try client.write(Wire.request("INCR", "n"))
    #expect(try other.send("PING") == "+PONG")
  }

  /// Reads all replies.
  func readAll() throws {
    for _ in 0..<Self.requestCount { try #require(try client.readReply() == Self.value) }
    #expect(try client.readLine() == ":1")
  }
}
