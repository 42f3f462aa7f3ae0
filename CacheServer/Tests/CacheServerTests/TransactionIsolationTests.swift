import CacheTestSupport
import Testing
import TrialSupport

/// A transaction is one step for other clients, whatever its own client does meanwhile.
@Suite struct TransactionIsolationTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// The reply to `EXEC` reaches the size at which replies are sent, and the client reads none: the transaction is
  /// carried out all the same before others are served.
  @Test func replyThatIsNotRead() throws {
    let server = try ServerProcess(file, ["--unixsocket", folder.path("socket")])
    let other = try server.connect()
    let slow = Client(try Connection(path: folder.path("socket")))
    // Replies are sent when they have more than 1 MiB. Those before `EXEC` have just as much.
    let before = "+OK\r\n+QUEUED\r\n+QUEUED\r\n".utf8.count
    let byteCount = (1 << 20) - before - "$1048000\r\n\r\n".utf8.count
    #expect("\(byteCount)".utf8.count == 7)
    #expect(
      try other.send("SET", "large", String(repeating: "x", count: byteCount)) == "+OK")
    #expect(try other.send("SET", "key", "old") == "+OK")
    #expect(try slow.send("WATCH", "key") == "+OK")
    try slow.write(
      Wire.request("GET", "large") + Wire.request("MULTI") + Wire.request("SET", "key", "mine")
        + Wire.request("GET", "key") + Wire.request("EXEC"))
    // With the first byte, the server has begun to send.
    #expect(try slow.read(1) == Array("$".utf8))
    #expect(try other.send("GET", "key") == "mine")
    #expect(try other.send("SET", "key", "other") == "+OK")
    _ = try slow.read("1048000\r\n\r\n".utf8.count + byteCount)
    let lines = try (0..<5).map { _ in try slow.readLine() }
    #expect(lines == ["+OK", "+QUEUED", "+QUEUED", "*2", "+OK"])
    #expect(try slow.readReply() == "mine")
    #expect(try other.send("GET", "key") == "other")
    try server.end()
  }

  /// Replies of a transaction that have several times that size come whole and in order.
  @Test func largeReplies() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    let values = (0..<6).map { String(repeating: "\($0)", count: 700_000) }
    for (index, value) in values.enumerated() {
      #expect(try client.send("SET", "v\(index)", value) == "+OK")
    }
    var requests = Wire.request("MULTI")
    for index in values.indices { requests += Wire.request("GET", "v\(index)") }
    try client.write(requests + Wire.request("EXEC") + Wire.request("PING"))
    #expect(try client.readLine() == "+OK")
    for _ in values { #expect(try client.readLine() == "+QUEUED") }
    #expect(try client.readLine() == "*6")
    for value in values { #expect(try client.readReply() == value) }
    #expect(try client.readLine() == "+PONG")
    try server.end()
  }

  /// A client that ends its own connection inside a transaction has it carried out, and nothing behind it.
  @Test func killsItself() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    let other = try server.connect()
    let id = String(try client.send("CLIENT", "ID").dropFirst())
    try client.write(
      Wire.request("MULTI") + Wire.request("SET", "a", "1")
        + Wire.request("CLIENT", "KILL", "ID", id, "SKIPME", "no") + Wire.request("SET", "b", "2")
        + Wire.request("EXEC") + Wire.request("SET", "c", "3"))
    let lines = try (0..<8).map { _ in try client.readLine() }
    #expect(lines == ["+OK", "+QUEUED", "+QUEUED", "+QUEUED", "*3", "+OK", ":1", "+OK"])
    #expect(try client.isAtEnd())
    #expect(try other.send("GET", "a") == "1")
    #expect(try other.send("GET", "b") == "2")
    #expect(try other.send("GET", "c") == "$-1")
    try server.end()
  }

  /// Replies that are longer than the limit: a command is refused. A transaction is carried out completely, and its client
  /// is not served any more, because it would get a part of the replies.
  @Test func repliesBeyondTheLimit() throws {
    let server = try ServerProcess(file, ["--proto-max-reply-len", "3mb"])
    let client = try server.connect()
    let other = try server.connect()
    #expect(try other.send("SET", "large", String(repeating: "x", count: 1_000_000)) == "+OK")
    let refusal = "-ERR the reply would be longer than 3145728 bytes (proto-max-reply-len)"
    #expect(try client.send("MGET", "large", "large", "large", "large") == refusal)
    #expect(try client.send("MGET", "large") == "*1")
    #expect(try client.readReply().utf8.count == 1_000_000)
    var requests = Wire.request("MULTI")
    for _ in 0..<6 { requests += Wire.request("GET", "large") }
    try client.write(
      requests + Wire.request("SET", "last", "done") + Wire.request("EXEC")
        + Wire.request("SET", "behind", "x"))
    #expect(try client.isAtEnd())
    #expect(try other.send("GET", "last") == "done")
    #expect(try other.send("GET", "behind") == "$-1")
    #expect(try other.send("CONFIG", "SET", "proto-max-reply-len", "8mb") == "+OK")
    #expect(try other.send("MGET", "large", "large", "large", "large") == "*4")
    for _ in 0..<4 { #expect(try other.readReply().utf8.count == 1_000_000) }
    try server.end()
  }
}
