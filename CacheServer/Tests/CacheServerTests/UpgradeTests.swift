import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// The program is started anew while clients are served: no connection ends, and no reply is lost,
/// doubled or wrong.
@Suite struct UpgradeTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// A client that sends requests in batches, and knows every reply.
  struct Load {
    let client: Client
    let number: Int
    var round = 0
    private var expected: [UInt8] = []
    private var rest: [UInt8] = []

    init(_ client: Client, _ number: Int) {
      self.client = client
      self.number = number
    }

    /// Sends a batch but for its end.
    mutating func begin(_ generator: inout SplitMix) throws {
      round += 1
      var requests: [UInt8] = []
      expected = []
      func add(_ words: [String], _ reply: [UInt8]) {
        requests += Wire.request(words.map { Array($0.utf8) })
        expected += reply
      }
      for step in 0..<8 {
        let value = "\(number) \(round) \(step)"
        add(["INCR", "count \(number)"], Array(":\(round * 8 - 7 + step)\r\n".utf8))
        add(["SET", "value \(number)", value], Array("+OK\r\n".utf8))
        add(["GET", "value \(number)"], Wire.bulk(Array(value.utf8)))
        add(["ECHO", value], Wire.bulk(Array(value.utf8)))
      }
      requests += Array("GET 'value \(number)'\r\n".utf8)
      expected += Wire.bulk(Array("\(number) \(round) 7".utf8))
      let split = generator.number(below: requests.count)
      rest = Array(requests[split...])
      try client.write(requests[..<split])
    }

    mutating func finish() throws { try client.write(rest) }

    /// Reads the replies of a batch.
    func check() throws {
      let replies = try client.read(expected.count)
      try #require(
        replies == expected,
        "client \(number), round \(round): \(Wire.text(replies)), not \(Wire.text(expected))")
    }
  }

  @Test(arguments: [1, 2])
  func underLoad(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    let server = try ServerProcess(file)
    let control = try server.connect()
    #expect(try control.send("CONFIG", "SET", "maxmemory", "1gb") == "+OK")
    var loads = try (0..<6).map { Load(try server.connect(), $0) }
    func drive() throws {
      for index in loads.indices { try loads[index].begin(&generator) }
      for index in loads.indices { try loads[index].finish() }
      for load in loads { try load.check() }
    }
    for upgrade in 1...4 {
      for _ in 0..<10 { try drive() }
      let old = server.processID
      server.signal(SIGUSR2)
      // New clients come in between; the connection is accepted by one of the two.
      var roundCount = 0
      while try control.info("process_id") == "\(old)" {
        try drive()
        #expect(try server.connect().send("PING") == "+PONG")
        roundCount += 1
        try #require(roundCount < 100_000)
      }
      try server.awaitReady()
      #expect(server.processID != old)
      for _ in 0..<10 { try drive() }
      #expect(try control.info("upgrades") == "\(upgrade)")
      #expect(try control.info("started_by") == "upgrade")
      #expect(try control.info("maxmemory") == "\(1 << 30)")
      #expect(try control.parameter("port") == "\(server.port)")
    }
    #expect(try control.info("crash_restarts") == "0")
    try server.end()
    // Nothing was done twice, and all is there.
    let next = try ServerProcess(file)
    let reader = try next.connect()
    for load in loads {
      #expect(try reader.send("GET", "count \(load.number)") == "\(load.round * 8)")
    }
    try next.end()
  }

  /// What a client is goes with it: its protocol, its name, what it has sent of a request; and it is
  /// gets the reply when the upgrade that it asked for is over.
  @Test func clientsStayWhatTheyAre() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    let other = try server.connect()
    try client.write(Wire.request("HELLO", "3", "SETNAME", "me"))
    while try client.readLine() != "*0" {}
    let id = try client.send("CLIENT", "ID")
    let half = Wire.request("SET", "key", "a value in two pieces")
    try client.write(half[..<20])
    // So much is read before the upgrade begins: the reply to another request behind it.
    #expect(try other.send("PING") == "+PONG")
    let old = server.processID
    try other.write(Wire.request("UPGRADE") + Wire.request("ECHO", "behind"))
    #expect(try other.readLine() == "+OK")
    #expect(try other.readReply() == "behind")
    try server.awaitReady()
    #expect(server.processID != old)
    try client.write(half[20...])
    #expect(try client.readLine() == "+OK")
    #expect(try client.send("GET", "key") == "a value in two pieces")
    #expect(try client.send("GET", "none") == "_")
    #expect(try client.send("CLIENT", "ID") == id)
    #expect(try client.send("CLIENT", "GETNAME") == "me")
    #expect(try server.connect().send("CLIENT", "ID") != id)
    try server.end()
  }

  /// Replies that a client does not read keep the old process until it does; others are not kept.
  @Test func slowReader() throws {
    let server = try ServerProcess(file)
    let other = try server.connect()
    let slow = try SlowReader(server, beside: other)
    server.signal(SIGUSR2)
    try server.awaitReady()
    #expect(try other.info("process_id") == "\(server.processID)")
    #expect(try other.send("GET", "large") == SlowReader.value)
    try slow.readAll()
    try server.awaitLine("everything is handed over; ending")
    #expect(try slow.client.send("INCR", "n") == ":2")
    #expect(try slow.client.info("process_id") == "\(server.processID)")
    try server.end()
  }

  /// Files that are not programs, and programs that do not come to serve: each is reported, and the old one goes on with
  /// the same clients and the same memory.
  @Test(arguments: [
    ("missing", "server: no process can be started (No such file or directory)"),
    ("no program", "server: no process can be started (Permission denied)"),
    ("exit", "has ended with status 4 before it was ready"),
    ("hang", "took too long before it was ready, and was ended"),
    ("unwilling", "does not want the memory"),
    ("exit when ready", "has ended with status 5 before it served"),
    ("refuse", "was ended before it served: the other end refused what was sent, with its code 6"),
    ("take and exit", "has ended with status 7 before it served"),
    ("take and hang", "took too long before it served, and was ended"),
  ])
  func toWhatDoesNotServe(_ wish: String, _ sentence: String) throws {
    try folder.link("server", to: builtProgram("cache-server"))
    let server = try ServerProcess(
      file, program: folder.path("server"), environment: ["STRAY": wish])
    let client = try server.connect()
    let other = try server.connect()
    #expect(try client.send("SET", "a", "1", "EX", "1000") == "+OK")
    #expect(try client.send("CONFIG", "SET", "maxmemory", "512mb") == "+OK")
    switch wish {
    case "missing": try folder.link("server", to: folder.path("nothing"))
    case "no program":
      try FileManager.default.removeItem(atPath: folder.path("server"))
      try folder.write("not a program".utf8, to: "server")
    default: try folder.link("server", to: builtProgram("StraySuccessor"))
    }
    try other.write(Wire.request("UPGRADE") + Wire.request("ECHO", "behind"))
    let reply = try other.readLine()
    #expect(reply.hasPrefix("-ERR upgrade failed: ") && reply.hasSuffix(sentence), "\(reply)")
    #expect(try other.readReply() == "behind")
    try server.awaitLine("going on as before")
    #expect(try client.info("process_id") == "\(server.processID)")
    #expect(try client.info("upgrades") == "0" && client.info("crash_restarts") == "0")
    #expect(try client.info("maxmemory") == "\(512 << 20)")
    #expect(try client.info("db0") == "keys=1,expires=1,avg_ttl=0")
    #expect(try client.send("INCR", "a") == ":2")
    #expect(try server.connect().send("GET", "a") == "2")
    // And with the program as it should be, it works.
    try? FileManager.default.removeItem(atPath: folder.path("server"))
    try folder.link("server", to: builtProgram("cache-server"))
    let old = server.processID
    #expect(try other.send("UPGRADE") == "+OK")
    try server.awaitReady()
    #expect(server.processID != old)
    #expect(try client.send("GET", "a") == "2")
    #expect(try client.info("upgrades") == "1")
    try server.end()
  }
}
