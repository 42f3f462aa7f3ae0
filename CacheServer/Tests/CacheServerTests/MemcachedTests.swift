import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// The memcached protocol, over real sockets.
@Suite struct MemcachedTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  private func start(_ arguments: String...) throws -> ServerProcess {
    try ServerProcess(file, ["--memcached-port", "0"] + arguments)
  }

  private func connect(_ server: ServerProcess) throws -> Client {
    try Client(port: server.memcachedPort)
  }

  /// Sends lines, and expects lines.
  private func expect(
    _ client: Client, _ text: String, _ replies: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try client.write(Array(text.replacing("\n", with: "\r\n").utf8))
    for reply in replies {
      #expect(try client.readLine() == reply, sourceLocation: sourceLocation)
    }
    // Nothing more has come.
    try client.write(Array("mn\r\n".utf8))
    #expect(try client.readLine() == "MN", sourceLocation: sourceLocation)
  }

  @Test func text() throws {
    let server = try start()
    let client = try connect(server)
    try expect(client, "get a\n", "END")
    try expect(client, "set a 4294967295 0 5\nhello\n", "STORED")
    try expect(
      client, "get a b  a \n", "VALUE a 4294967295 5", "hello", "VALUE a 4294967295 5", "hello",
      "END")
    try expect(client, "add a 0 0 1\nx\n", "NOT_STORED")
    try expect(client, "replace b 0 0 1\nx\n", "NOT_STORED")
    try expect(client, "append b 0 0 1\nx\n", "NOT_STORED")
    try expect(client, "append a 7 0 3\nyou\nprepend a 7 0 2\nx \n", "STORED", "STORED")
    try expect(client, "get a\n", "VALUE a 4294967295 10", "x helloyou", "END")
    try expect(client, "incr a 1\n", "CLIENT_ERROR cannot increment or decrement non-numeric value")
    try expect(
      client, "set n 0 0 20\n18446744073709551615\nincr n 2\ndecr n 5\n", "STORED", "1", "0")
    try expect(
      client, "incr none 1\ndecr n x\n", "NOT_FOUND", "CLIENT_ERROR invalid numeric delta argument")
    try expect(
      client, "touch n 100\ntouch none 1\ntouch n x\n", "TOUCHED", "NOT_FOUND",
      "CLIENT_ERROR invalid exptime argument")
    try expect(client, "gat 200 n none\n", "VALUE n 0 1", "0", "END")
    try expect(client, "mg n t\n", "HD t200")
    try expect(
      client, "delete n\ndelete n\ndelete n 1\n", "DELETED", "NOT_FOUND",
      "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]")
    // What is over at once is gone.
    try expect(client, "set a 0 -1 1\nx\nget a\n", "STORED", "END")
    try expect(client, "set a 0 1000000000 1\nx\nget a\n", "STORED", "END")
    try expect(
      client, "set a 0 0 1 noreply\nx\nadd a 0 0 1 noreply\nx\nincr none 1 noreply\nget a\n",
      "VALUE a 0 1", "x", "END")
    try expect(
      client, "verbosity 1\nversion\nshutdown\n", "OK", "VERSION 1.6.18",
      "ERROR: shutdown not enabled")
    try expect(
      client, "bogus\nset\nget\nset a b 0 1\n", "ERROR", "ERROR", "ERROR",
      "CLIENT_ERROR bad command line format")
    // The values of Redis's clients are others.
    let redis = try server.connect()
    #expect(try redis.send("SET", "a", "redis") == "+OK")
    #expect(try redis.send("DBSIZE") == ":1")
    try expect(client, "get a\nflush_all\nget a\n", "VALUE a 0 1", "x", "END", "OK", "END")
    #expect(try redis.send("GET", "a") == "redis")
    try client.write(Array("quit\r\n".utf8))
    #expect(try client.isAtEnd())
    try server.end()
  }

  /// The numbers that change with every change, and what compares them.
  @Test func compareAndSet() throws {
    let server = try start()
    let client = try connect(server)
    func cas(_ key: String) throws -> UInt64 {
      try client.write(Array("gets \(key)\r\n".utf8))
      let words = try client.readLine().split(separator: " ")
      _ = try client.readLine()
      #expect(try client.readLine() == "END")
      return try #require(UInt64(words[4]))
    }
    try expect(client, "cas a 0 0 1 1\nx\nset a 0 0 1\nx\n", "NOT_FOUND", "STORED")
    let first = try cas("a")
    try expect(
      client, "cas a 0 0 1 \(first + 1)\ny\ncas a 0 0 1 \(first)\ny\ncas a 0 0 1 \(first)\nz\n",
      "EXISTS", "STORED", "EXISTS")
    var seen: Set<UInt64> = [first]
    for change in [
      "append a 0 0 1\n1", "prepend a 0 0 1\n1", "set a 0 0 1\n1", "incr a 1", "replace a 0 0 1\n2",
    ] {
      try client.write(Array((change + "\n").replacing("\n", with: "\r\n").utf8))
      _ = try client.readLine()
      #expect(seen.insert(try cas("a")).inserted, "\(change)")
    }
    // Reading and touching is not a change.
    let before = try cas("a")
    try expect(client, "touch a 100\ngat 100 a\n", "TOUCHED", "VALUE a 0 1", "2", "END")
    #expect(try cas("a") == before)
    try server.end()
  }

  /// Flags, CAS numbers, deadlines, and marks are what they were after an upgrade, a crash, and a restart.
  @Test func itemsSurvive() throws {
    var server = try start()
    var client = try connect(server)
    try expect(
      client, "set a 77 1000 5\nhello\nmg b N30\nset s 5 0 1\ns\nmd s I\n", "STORED", "HD W",
      "STORED", "HD")
    try client.write(Array("mg a f c v\r\nmg b s\r\nmg s f u\r\n".utf8))
    let lines = try (0..<4).map { _ in try client.readLine() }
    #expect(lines[0].hasPrefix("VA 5 f77 c") && lines[1] == "hello" && lines[2] == "HD s0 Z")
    #expect(lines[3] == "HD f5 X W")
    func check() throws {
      try client.write(Array("mg a f c v\r\nmg b s\r\nmg s f u\r\nmg a t\r\n".utf8))
      for line in lines[..<3] { #expect(try client.readLine() == line) }
      #expect(try client.readLine() == "HD f5 Z X")
      let rest = try #require(Int(try client.readLine().dropFirst(4)))
      #expect((900...1000).contains(rest))
    }
    let old = server.processID
    server.signal(SIGUSR2)
    try server.awaitReady()
    #expect(server.processID != old)
    // The same connection, and the same port.
    try check()
    #expect(try connect(server).isServing())
    try server.crash()
    server = try start()
    client = try connect(server)
    try check()
    try server.end()
    server = try start()
    client = try connect(server)
    try check()
    // No number comes twice.
    try expect(client, "set new 0 0 1\nx\n", "STORED")
    try client.write(Array("gets new\r\n".utf8))
    let number = try #require(UInt64(try client.readLine().split(separator: " ")[4]))
    let older = try #require(UInt64(lines[0].split(separator: "c").last ?? ""))
    #expect(number > older)
    try server.end()
  }

  /// A command in pieces, a value that is refused, and a line of keys go on in the next process.
  @Test func upgradesInsideCommands() throws {
    let server = try start()
    let control = try server.connect()
    let half = try connect(server)
    let refused = try connect(server)
    let reader = try connect(server)
    try expect(half, "set k 3 0 2\nhi\n", "STORED")
    try half.write(Array("set half 9 0 10\r\n01234".utf8))
    let long = [UInt8](repeating: 0x78, count: 3 << 20)
    try refused.write(Array("set large 0 0 \(3 << 20)\r\n".utf8) + long[..<(1 << 20)])
    #expect(try refused.readLine() == "SERVER_ERROR object too large for cache")
    // More replies than the connection takes: the line of keys is not done when the upgrade begins.
    let value = String(repeating: "v", count: 1 << 19)
    try expect(reader, "set big 0 0 \(value.utf8.count)\n\(value)\n", "STORED")
    let count = 100
    try reader.write(Array(("get" + String(repeating: " big", count: count) + "\r\nmn\r\n").utf8))
    #expect(try control.send("PING") == "+PONG")
    let old = server.processID
    server.signal(SIGUSR2)
    try server.awaitReady()
    #expect(server.processID != old)
    try half.write(Array("56789\r\nget half\r\n".utf8))
    #expect(try half.readLine() == "STORED")
    #expect(try half.readLine() == "VALUE half 9 10")
    #expect(try half.readLine() == "0123456789")
    #expect(try half.readLine() == "END")
    try refused.write(Array(long[(1 << 20)...]) + Array("\r\nversion\r\n".utf8))
    #expect(try refused.readLine() == "VERSION 1.6.18")
    for _ in 0..<count {
      try #require(try reader.readLine() == "VALUE big 0 \(value.utf8.count)")
      try #require(try reader.readLine() == value)
    }
    #expect(try reader.readLine() == "END")
    #expect(try reader.readLine() == "MN")
    try server.end()
  }

  /// Meta commands: what they give back, who is to store an item anew, and what a stale one is.
  @Test func meta() throws {
    let server = try start()
    let client = try connect(server)
    try expect(client, "mg a\nmg a q\nmg a k O1\n", "EN", "EN ka O1")
    try expect(
      client, "ms a 2 F5 T100 k O9 q\nhi\nmg a s v t f k Oxyz q\n", "VA 2 s2 t100 f5 ka Oxyz", "hi")
    try expect(
      client, "ms a 2 MZ\nhi\nms a 2 ww\nhi\nms a x\nmg a v v\nmg a w\n",
      "CLIENT_ERROR invalid mode for ms M token", "CLIENT_ERROR invalid flag",
      "CLIENT_ERROR bad command line format", "CLIENT_ERROR duplicate flag",
      "CLIENT_ERROR invalid flag")
    try expect(
      client, "ms a 1 ME\nx\nms b 1 MR\nx\nms a 1 MA\n!\nms a 1 MP\n>\nmg a v\n", "NS", "NS", "HD",
      "HD", "VA 4", ">hi!")
    // A key in base 64.
    try expect(
      client, "ms AAEC 1 b\nx\nmg AAEC b k v\nmg AAEC v\nmg !!! b\n", "HD b", "VA 1 b kAAEC", "x",
      "EN", "CLIENT_ERROR error decoding key")
    // One client wins.
    try expect(
      client, "mg w N30 t\nmg w N30\nms w 1\nx\nmg w N30\n", "HD t30 W", "HD Z", "HD", "HD")
    try expect(client, "ms r 1 T20\nx\nmg r R10\nmg r R30\nmg r R30\n", "HD", "HD", "HD W", "HD Z")
    // Stale items are used until they are replaced; an older number keeps them stale.
    try expect(
      client, "ms s 1\nx\nmd s I T30\nmg s v t\nmg s\n", "HD", "HD", "VA 1 t30 X W", "x", "HD Z X")
    try expect(
      client, "ms s 1 C1 T900\ny\nms s 1 C1 I T900\ny\nmg s v t\n", "EX", "HD", "VA 1 t30 Z X", "y")
    try expect(
      client, "ms s 1\nz\nmg s v\nmd s C1\nmd none q\nmd s q\nmg s\n", "HD", "VA 1", "z", "EX",
      "NF", "EN")
    // Counters.
    try expect(
      client, "ma c\nma c N60 J7 v t\nma c v D3\nma c MD D100 v\nma c q\nmg c v\n", "NF",
      "VA 1 t60", "7", "VA 2", "10", "VA 1", "0", "VA 1", "1")
    try expect(
      client, "ma a\nma c MX\n", "CLIENT_ERROR cannot increment or decrement non-numeric value",
      "CLIENT_ERROR invalid mode for ma M token")
    // Whether an item was read.
    try expect(client, "ms h 1\nx\nmg h h u\nmg h h\nmg h h\n", "HD", "HD h0", "HD h0", "HD h1")
    try client.write(Array("me h\r\nme none\r\n".utf8))
    #expect(try client.readLine().hasPrefix("ME h exp=-1 la="))
    #expect(try client.readLine() == "EN")
    try server.end()
  }

  /// What a client sends is bounded, and the connection stays what it was where it can.
  @Test func hostileInput() throws {
    let server = try start("--memcached-item-size-max", "2kb")
    let client = try connect(server)
    let key = String(repeating: "k", count: 250)
    try expect(
      client, "set \(key) 0 0 1\nx\nget \(key)\n", "STORED", "VALUE \(key) 0 1", "x", "END")
    try expect(client, "get a \(key)k\n", "CLIENT_ERROR bad command line format")
    try expect(
      client,
      "set big 0 0 1\nx\nset big 0 0 3000\n\(String(repeating: "y", count: 3000))\nget big\n",
      "STORED", "SERVER_ERROR object too large for cache", "END")
    try expect(
      client, "set a 0 0 -1\nset a 0 0 4294967295\nset a 0 0 2147483647\n",
      "CLIENT_ERROR bad command line format", "CLIENT_ERROR bad command line format",
      "CLIENT_ERROR bad command line format")
    try expect(
      client, "append \(key) 0 0 1900\n\(String(repeating: "z", count: 1900))\n",
      "SERVER_ERROR object too large for cache")
    try expect(client, "set a 0 0 2\nhixx\n", "CLIENT_ERROR bad data chunk", "ERROR")
    // What cannot be a command ends the connection.
    for text in [
      String(repeating: "x", count: 4000), "set " + String(repeating: "x", count: 4000) + "\r\n",
      "\u{80}", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "Host: here\r\n",
    ] {
      let bad = try connect(server)
      let bytes =
        text == "\u{80}" ? [0x80] + [UInt8](repeating: 0, count: 30) + [10] : Array(text.utf8)
      try bad.write(bytes)
      while try !bad.isAtEnd() {
        #expect(try bad.readLine().hasPrefix("CLIENT_ERROR line too long"))
      }
    }
    // Random bytes and cut commands: the server goes on.
    var generator = SplitMix(seed: 7)
    let words = [
      "get", "set", "mg", "ms", "ma", "md", "a", "0", "-1", "5", "\r\n", " ", "v", "b", "N5", "q",
      "gat", "\u{0}", "noreply", "999999999999999999999", "incr", "cas", "flush_all", "stats",
      "items",
    ]
    for _ in 0..<200 {
      let wild = try connect(server)
      var bytes: [UInt8] = []
      for _ in 0..<generator.number(below: 60) {
        bytes +=
          Array(words[generator.number(below: words.count)].utf8)
          + (generator.number(below: 3) == 0 ? [] : [32])
      }
      try wild.write(bytes + Array("\r\n".utf8))
    }
    #expect(try connect(server).isServing())
    #expect(try server.connect().send("PING") == "+PONG")
    try server.end()
  }

  /// A password is asked for as memcached asks for one.
  @Test func passwords() throws {
    let server = try start("--requirepass", "secret")
    let client = try connect(server)
    try client.write(Array("get a\r\n".utf8))
    #expect(try client.readLine() == "CLIENT_ERROR unauthenticated")
    try client.write(Array("set x 0 0 10\r\nuser secre\r\n".utf8))
    #expect(try client.readLine() == "CLIENT_ERROR authentication failure")
    try client.write(Array("set x 0 0 11\r\nuser secret\r\n".utf8))
    #expect(try client.readLine() == "STORED")
    try expect(client, "get x\n", "END")
    let stranger = try connect(server)
    try stranger.write(Array("set x 0 0 1048576\r\n".utf8))
    #expect(try stranger.readLine() == "CLIENT_ERROR unauthenticated")
    #expect(try stranger.isAtEnd())
    server.signal(SIGUSR2)
    try server.awaitReady()
    try expect(client, "get x\n", "END")
    try server.end()
  }

  /// `flush_all` with a time is not forgotten by an upgrade.
  @Test func flushLater() throws {
    let server = try start()
    let client = try connect(server)
    let now = Int(Date().timeIntervalSince1970)
    try expect(
      client, "set a 0 0 1\nx\nflush_all \(now + 1000)\nget a\n", "STORED", "OK", "VALUE a 0 1",
      "x", "END")
    try expect(client, "flush_all 1\n", "OK")
    server.signal(SIGUSR2)
    try server.awaitReady()
    var isGone = false
    while !isGone {
      try client.write(Array("get a\r\n".utf8))
      isGone = try client.readLine() == "END"
      if !isGone { #expect(try client.readLine() == "x" && client.readLine() == "END") }
    }
    try expect(client, "set a 0 0 1\nx\nget a\n", "STORED", "VALUE a 0 1", "x", "END")
    try expect(client, "flush_all x\n", "CLIENT_ERROR invalid exptime argument")
    try server.end()
  }

  /// A full memory refuses, or evicts.
  @Test(arguments: ["noeviction", "allkeys-lru"])
  func fullMemory(_ policy: String) throws {
    let server = try start("--maxmemory", "4mb", "--maxmemory-policy", policy)
    let client = try connect(server)
    let value = String(repeating: "v", count: 100_000)
    var refused = 0
    for index in 0..<100 {
      try client.write(Array("set k\(index) 0 0 100000\r\n\(value)\r\n".utf8))
      let line = try client.readLine()
      if line != "STORED" {
        #expect(line == "SERVER_ERROR out of memory storing object")
        refused += 1
      }
    }
    #expect((refused > 0) == (policy == "noeviction"))
    try client.write(Array("stats\r\n".utf8))
    var figures: [String: String] = [:]
    while true {
      let words = try client.readLine().split(separator: " ")
      guard words.count == 3 else { break }
      figures[String(words[1])] = String(words[2])
    }
    #expect(figures["evictions"] == "0" ? policy == "noeviction" : policy != "noeviction")
    #expect(figures["cmd_set"] == "100" && figures["limit_maxbytes"] == "\(4 << 20)")
    try expect(client, "flush_all\nset k 0 0 1\nx\n", "OK", "STORED")
    try server.end()
  }

  @Test func unixSocket() throws {
    let path = folder.path("socket")
    let server = try ServerProcess(
      file, ["--memcached-unixsocket", path, "--memcached-unixsocketperm", "600"])
    let client = Client(try Connection(path: path))
    try expect(client, "set a 0 0 1\nx\nget a\n", "STORED", "VALUE a 0 1", "x", "END")
    server.signal(SIGUSR2)
    try server.awaitReady()
    try expect(client, "get a\n", "VALUE a 0 1", "x", "END")
    #expect(try Client(Connection(path: path)).isServing())
    try server.end()
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}

extension Client {
  /// Whether the memcached protocol is served.
  fileprivate func isServing() throws -> Bool {
    try write(Array("mn\r\n".utf8))
    return try readLine() == "MN"
  }
}
