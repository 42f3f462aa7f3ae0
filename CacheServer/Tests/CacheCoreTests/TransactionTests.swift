import CacheTestSupport
import RESP
import Testing
import TrialSupport

@testable import CacheCore

/// Transactions, databases, and commands that compare: conversations, byte for byte.
@Suite struct TransactionTests {
  private func talk(_ lines: [(String, String)], _ bench: CacheBench) throws {
    for (request, reply) in lines {
      try #require(bench.send(request) == reply, "\(request)")
    }
    try #require(bench.deadlineCount == (try bench.countedDeadlines()))
    try #require(bench.problems() == [])
  }

  @Test func transactions() throws {
    let bench = try CacheBench()
    try talk(
      [
        ("EXEC", "-ERR EXEC without MULTI⏎"), ("DISCARD", "-ERR DISCARD without MULTI⏎"),
        ("MULTI", "+OK⏎"), ("MULTI", "-ERR MULTI calls can not be nested⏎"),
        ("SET a 1", "+QUEUED⏎"), ("INCR a", "+QUEUED⏎"), ("GET a", "+QUEUED⏎"),
        ("INCR b c", "-ERR wrong number of arguments for 'incr' command⏎"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.⏎"),
        ("EXISTS a", ":0⏎"), ("MULTI", "+OK⏎"), ("SET a x", "+QUEUED⏎"), ("INCR a", "+QUEUED⏎"),
        ("GET a", "+QUEUED⏎"),
        ("EXEC", "*3⏎+OK⏎-ERR value is not an integer or out of range⏎$1⏎x⏎"),
        ("MULTI", "+OK⏎"), ("EXEC", "*0⏎"), ("MULTI", "+OK⏎"), ("SET a 2", "+QUEUED⏎"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed⏎"), ("DISCARD", "+OK⏎"),
        ("GET a", "$1⏎x⏎"), ("MULTI", "+OK⏎"),
        ("SAVE", "-ERR Command not allowed inside a transaction⏎"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.⏎"),
        ("PING", "+PONG⏎"),
      ], bench)
    // Requests behind EXEC, in one piece, are answered after it.
    let bytes = Array("MULTI\r\nINCR n\r\nINCR n\r\nEXEC\r\nGET n\r\n".utf8)
    let expected = "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n$1\r\n2\r\n"
    #expect(bench.send(bytes: bytes) == Array(expected.utf8))
  }

  /// Whatever changes a watched key has EXEC do nothing; what does not, not.
  @Test(arguments: [
    ("SET w 2", true), ("GET w", false), ("DEL w", true), ("EXPIRE w 100", true),
    ("APPEND w x", true), ("MSET v 1 w 2", true), ("RENAME w v", true), ("FLUSHALL", true),
    ("SET v 1", false), ("TTL w", false), ("MOVE w 3", true), ("SWAPDB 0 4", true),
    ("COPY w v", false), ("SETBIT w 3 1", true), ("FLUSHDB", true), ("DEL v", false),
  ])
  func watching(_ command: String, _ changes: Bool) throws {
    let bench = try CacheBench()
    try talk([("SET w 1", "+OK⏎"), ("WATCH w", "+OK⏎")], bench)
    // Another client's.
    let mine = bench.session
    bench.session = Session(id: 8)
    _ = bench.send(command)
    bench.session = mine
    try talk(
      [
        ("MULTI", "+OK⏎"), ("PING", "+QUEUED⏎"), ("EXEC", changes ? "*-1⏎" : "*1⏎+PONG⏎"),
        // After EXEC, nothing is watched.
        ("MULTI", "+OK⏎"), ("PING", "+QUEUED⏎"), ("EXEC", "*1⏎+PONG⏎"),
      ], bench)
    #expect(bench.withCache { $0.watches.isEmpty })
  }

  @Test func watchedEntryExpires() throws {
    let bench = try CacheBench()
    try talk([("SET w 1 PX 10", "+OK⏎"), ("WATCH w", "+OK⏎"), ("MULTI", "+OK⏎")], bench)
    bench.time += 20
    try talk([("PING", "+QUEUED⏎"), ("EXEC", "*-1⏎")], bench)
    // Over before it is watched, it does not change any more.
    try talk([("SET w 1 PX 10", "+OK⏎")], bench)
    bench.time += 20
    try talk(
      [("WATCH w", "+OK⏎"), ("MULTI", "+OK⏎"), ("PING", "+QUEUED⏎"), ("EXEC", "*1⏎+PONG⏎")], bench)
  }

  @Test func databases() throws {
    let bench = try CacheBench()
    try talk(
      [
        ("SET a 0", "+OK⏎"), ("SELECT 3", "+OK⏎"), ("GET a", "$-1⏎"), ("SET a 3 EX 100", "+OK⏎"),
        ("MSET b 1 c 2 b 3", "+OK⏎"), ("DBSIZE", ":3⏎"), ("SELECT 0", "+OK⏎"), ("DBSIZE", ":1⏎"),
        ("KEYS *", "*1⏎$1⏎a⏎"), ("RANDOMKEY", "$1⏎a⏎"), ("GET a", "$1⏎0⏎"),
        ("SWAPDB 0 3", "+OK⏎"), ("GET a", "$1⏎3⏎"), ("DBSIZE", ":3⏎"), ("TTL a", ":100⏎"),
        ("SELECT 3", "+OK⏎"), ("DBSIZE", ":1⏎"), ("GET a", "$1⏎0⏎"), ("MOVE a 0", ":0⏎"),
        ("MOVE a 5", ":1⏎"), ("MOVE a 5", ":0⏎"), ("DBSIZE", ":0⏎"), ("KEYS *", "*0⏎"),
        ("MOVE a 3", "-ERR source and destination objects are the same⏎"), ("SELECT 5", "+OK⏎"),
        ("GET a", "$1⏎0⏎"), ("FLUSHDB", "+OK⏎"), ("DBSIZE", ":0⏎"), ("SELECT 0", "+OK⏎"),
        ("DBSIZE", ":3⏎"), ("COPY a a DB 9", ":1⏎"), ("COPY a a DB 9", ":0⏎"),
        ("COPY a a DB 9 REPLACE", ":1⏎"), ("SELECT 9", "+OK⏎"), ("TTL a", ":100⏎"),
        ("RENAME a z", "+OK⏎"), ("SCAN 0 COUNT 100", "*2⏎$1⏎0⏎*1⏎$1⏎z⏎"),
        ("SWAPDB 0 16", "-ERR DB index is out of range⏎"),
        ("SWAPDB x 1", "-ERR invalid first DB index⏎"),
        (
          "MOVE z x",
          "-ERR value is not an integer or out of range⏎"
        ),
      ], bench)
    func counts() -> [UInt64] { bench.withCache { cache in (0..<17).map { cache.entryCount($0) } } }
    let before = counts()
    try bench.restart()
    #expect(counts() == before)
    try talk(
      [
        ("SELECT 0", "+OK⏎"), ("DBSIZE", ":3⏎"), ("DEL a b", ":2⏎"), ("DBSIZE", ":1⏎"),
        ("FLUSHALL", "+OK⏎"), ("DBSIZE", ":0⏎"), ("SELECT 9", "+OK⏎"), ("DBSIZE", ":0⏎"),
      ], bench)
  }

  /// Keys that begin with the bytes by which databases are distinguished.
  @Test func keysOfAnyBytes() throws {
    let bench = try CacheBench()
    var keys: [[UInt8]] = [[]]
    for byte in UInt8(0)...40 { keys += [[byte], [byte, byte, 97]] }
    for database in [0, 1, 15] {
      #expect(bench.send("SELECT \(database)") == "+OK⏎")
      for key in keys {
        try #require(bench.set(key, key + [UInt8(database)]) == Array("+OK\r\n".utf8))
      }
    }
    for database in [0, 1, 15] {
      #expect(bench.send("SELECT \(database)") == "+OK⏎")
      #expect(bench.send("DBSIZE") == ":\(keys.count)⏎")
      for key in keys { try #require(bench.get(key) == Wire.bulk(key + [UInt8(database)])) }
    }
    #expect(bench.problems() == [])
  }

  @Test func renaming() throws {
    let bench = try CacheBench()
    try talk(
      [
        ("RENAME a b", "-ERR no such key⏎"), ("SET a 1 EX 50", "+OK⏎"), ("SET b 2 EX 70", "+OK⏎"),
        ("RENAMENX a b", ":0⏎"), ("RENAME a b", "+OK⏎"), ("TTL b", ":50⏎"), ("EXISTS a", ":0⏎"),
        ("RENAME b b", "+OK⏎"), ("RENAMENX b b", ":0⏎"), ("RENAMENX b c", ":1⏎"),
        ("SET d 1", "+OK⏎"), ("RENAME d c", "+OK⏎"), ("TTL c", ":-1⏎"), ("GET c", "$1⏎1⏎"),
        ("COPY c c", "-ERR source and destination objects are the same⏎"), ("COPY c d", ":1⏎"),
        ("COPY c d", ":0⏎"), ("COPY none d", ":0⏎"), ("COPY c d what", "-ERR syntax error⏎"),
      ], bench)
  }

  @Test func bits() throws {
    try talk(
      [
        ("SETBIT a 7 1", ":0⏎"), ("GET a", "$1⏎\u{1}⏎"), ("SETBIT a 7 0", ":1⏎"),
        ("SETBIT a 100 1", ":0⏎"), ("STRLEN a", ":13⏎"), ("GETBIT a 100", ":1⏎"),
        ("GETBIT a 99", ":0⏎"), ("GETBIT a 5000", ":0⏎"), ("GETBIT none 1", ":0⏎"),
        ("SETBIT a -1 1", "-ERR bit offset is not an integer or out of range⏎"),
        ("SETBIT a 1 2", "-ERR bit is not an integer or out of range⏎"),
        ("SETBIT a 4294967296 1", "-ERR bit offset is not an integer or out of range⏎"),
        ("SET b foobar", "+OK⏎"), ("BITCOUNT b", ":26⏎"), ("BITCOUNT b 0 0", ":4⏎"),
        ("BITCOUNT b 1 1", ":6⏎"), ("BITCOUNT b 0 -5", ":10⏎"), ("BITCOUNT b 5 30 BIT", ":17⏎"),
        ("BITCOUNT b -2 -3", ":0⏎"), ("BITCOUNT none", ":0⏎"),
        ("BITCOUNT b 1", "-ERR syntax error⏎"),
        ("SUBSTR b 1 2", "$2⏎oo⏎"),
      ], try CacheBench())
  }

  @Test func comparing() throws {
    try talk(
      [
        ("SET lock me", "+OK⏎"), ("DELIFEQ lock you", ":0⏎"), ("DELIFEQ lock me", ":1⏎"),
        ("DELIFEQ lock me", ":0⏎"), ("SET a 1 IFEQ 0", "$-1⏎"), ("SET a 1", "+OK⏎"),
        ("SET a 2 IFEQ 0", "$-1⏎"), ("SET a 2 IFEQ 1", "+OK⏎"), ("SET a 3 IFEQ 1 GET", "$1⏎2⏎"),
        ("GET a", "$1⏎2⏎"), ("SET a 3 IFNE 2", "$-1⏎"), ("SET a 3 IFNE 9", "+OK⏎"),
        ("SET b 1 IFNE x", "+OK⏎"), ("SET a 1 NX IFEQ 1", "-ERR syntax error⏎"),
        ("DELEX a IFEQ 9", ":0⏎"), ("DELEX a IFNE 3", ":0⏎"), ("DELEX a IFEQ 3", ":1⏎"),
        ("DELEX b", ":1⏎"), ("DELEX b", ":0⏎"),
      ], try CacheBench())
  }

  @Test func otherTypesAndFigures() throws {
    let bench = try CacheBench()
    #expect(
      bench.send("LPUSH a 1")
        == "-ERR unknown command 'LPUSH': this cache stores strings, and no lists⏎")
    #expect(bench.send("EVAL x 0").contains("runs no scripts"))
    #expect(bench.send("SUBSCRIBE x").contains("does not pass messages"))
    _ = bench.send("GET a b")
    _ = bench.send("SET n x")
    _ = bench.send("INCR n")
    let figures = bench.withCache { $0.timing }
    #expect(figures.errorCount == 5 && figures.errors == ["ERR": 5])
    #expect(bench.send("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2") == "+OK⏎")
    for number in 0..<4 { _ = bench.send("SET k\(number) v") }
    #expect(bench.send("SLOWLOG LEN") == ":2⏎")
    #expect(bench.send("SLOWLOG GET 2").contains("k3"))
    #expect(bench.send("SLOWLOG RESET") == "+OK⏎")
  }

  /// The policies by deadline, frequency and chance evict what they say.
  @Test(arguments: ["volatile-lru", "volatile-ttl", "volatile-random", "volatile-lfu"])
  func volatilePolicies(_ policy: String) throws {
    let bench = try CacheBench(settings: Settings(maximumByteCount: 8 << 20))
    #expect(bench.send("CONFIG SET maxmemory-policy \(policy)") == "+OK⏎")
    let value = [UInt8](repeating: 1, count: 1000)
    for number in 0..<1000 { _ = bench.set(Array("kept \(number)".utf8), value) }
    for number in 0..<20_000 {
      bench.time += 1
      let reply = bench.send(
        bytes: Wire.request([
          Array("SET".utf8), Array("new \(number)".utf8), value, Array("EX".utf8),
          Array("\(100_000 + number)".utf8),
        ]))
      try #require(reply == Array("+OK\r\n".utf8), "\(number)")
    }
    for number in 0..<1000 {
      try #require(bench.get(Array("kept \(number)".utf8)) == Wire.bulk(value))
    }
    #expect(bench.figures.evictedCount > 10_000 && bench.problems() == [])
  }

  @Test func leastFrequentlyUsed() throws {
    let bench = try CacheBench(settings: Settings(maximumByteCount: 8 << 20, policy: .allkeysLFU))
    let value = [UInt8](repeating: 1, count: 1000)
    for number in 0..<200 { _ = bench.set(Array("hot \(number)".utf8), value) }
    for _ in 0..<50 {
      for number in 0..<200 { _ = bench.get(Array("hot \(number)".utf8)) }
    }
    let reply = bench.send("OBJECT FREQ 'hot 1'")
    #expect(Int(reply.dropFirst().dropLast()) ?? 0 > 5, "\(reply)")
    // Far more than fit, each written after the last use of those.
    for number in 0..<20_000 { _ = bench.set(Array("new \(number)".utf8), value) }
    let left = (0..<200).count { bench.get(Array("hot \($0)".utf8)) != CacheBench.reply(nil) }
    #expect(left > 190, "\(left)")
  }
}
