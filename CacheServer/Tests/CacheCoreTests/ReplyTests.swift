import RESP
import Testing

@testable import CacheCore

/// What each command says, byte for byte. A table is one conversation; `⏎` is a line break.
@Suite struct ReplyTests {
  private func talk(_ lines: [(String, String)], _ bench: CacheBench? = nil) throws {
    let bench = try bench ?? CacheBench()
    for (request, reply) in lines {
      try #require(bench.send(request) == reply, "\(request)")
    }
    try #require(bench.deadlineCount == (try bench.countedDeadlines()))
    try #require(bench.problems() == [])
  }

  /// Each command belongs to the cache, which answers, or to the server.
  @Test(arguments: Command.allCases)
  func everyCommandIsCarriedOut(_ command: Command) throws {
    let bench = try CacheBench()
    let arguments = repeatElement("1", count: abs(command.entry.arity) - 1)
    let reply = bench.send(([command.name] + arguments).joined(separator: " "))
    try #require(!reply.isEmpty && !reply.contains("unknown command"))
  }

  /// In Redis's words and order.
  @Test(arguments: [
    (Command.set, "write denyoom"), (.mget, "readonly fast"),
    (.exec, "noscript loading stale skip_slowlog"),
    (.hello, "noscript loading stale fast no_auth allow_busy"),
    (.watch, "noscript loading stale fast no_multi allow_busy"),
    (.save, "admin noscript no_async_loading no_multi"),
    (.shutdown, "admin noscript loading stale no_multi allow_busy"), (.config, ""),
  ])
  func flags(_ command: Command, _ words: String) {
    #expect(command.entry.flags.words.joined(separator: " ") == words)
  }

  @Test func strings() throws {
    try talk([
      ("GET a", "$-1⏎"), ("SET a 1", "+OK⏎"), ("get a", "$1⏎1⏎"), ("SeT a ''", "+OK⏎"),
      ("GET a", "$0⏎⏎"), ("STRLEN a", ":0⏎"), ("STRLEN none", ":0⏎"),
      ("SETNX a 2", ":0⏎"), ("SETNX b 2", ":1⏎"), ("GETSET b 3", "$1⏎2⏎"),
      ("GETSET c 4", "$-1⏎"), ("GETDEL c", "$1⏎4⏎"), ("GETDEL c", "$-1⏎"),
      ("APPEND c ab", ":2⏎"), ("APPEND c cd", ":4⏎"), ("APPEND c ''", ":4⏎"),
      ("APPEND d ''", ":0⏎"), ("EXISTS d", ":1⏎"), ("GET c", "$4⏎abcd⏎"),
      ("GETRANGE c 0 -1", "$4⏎abcd⏎"), ("GETRANGE c 1 2", "$2⏎bc⏎"),
      ("GETRANGE c -2 -1", "$2⏎cd⏎"), ("GETRANGE c 3 1", "$0⏎⏎"),
      ("GETRANGE c -100 100", "$4⏎abcd⏎"), ("GETRANGE c -1 -5", "$0⏎⏎"),
      ("GETRANGE none 0 -1", "$0⏎⏎"), ("GETRANGE c 9 10", "$0⏎⏎"),
      ("GETRANGE c -9223372036854775808 9223372036854775807", "$4⏎abcd⏎"),
      ("SETRANGE c 2 XY", ":4⏎"), ("GET c", "$4⏎abXY⏎"), ("SETRANGE e 2 z", ":3⏎"),
      ("GET e", "$3⏎\0\0z⏎"), ("SETRANGE none 5 ''", ":0⏎"), ("EXISTS none", ":0⏎"),
      ("SETRANGE c -1 a", "-ERR offset is out of range⏎"),
      (
        "SETRANGE c 536870912 a",
        "-ERR string exceeds maximum allowed size (proto-max-bulk-len)⏎"
      ),
      ("GET", "-ERR wrong number of arguments for 'get' command⏎"),
      ("GET a b", "-ERR wrong number of arguments for 'get' command⏎"),
      ("SET a", "-ERR wrong number of arguments for 'set' command⏎"),
    ])
  }

  @Test func setOptions() throws {
    try talk([
      ("SET a 1 XX", "$-1⏎"), ("SET a 1 NX", "+OK⏎"), ("SET a 2 NX", "$-1⏎"),
      ("SET a 2 xx", "+OK⏎"), ("SET a 3 GET", "$1⏎2⏎"), ("SET b 3 GET", "$-1⏎"),
      ("SET b 4 NX GET", "$1⏎3⏎"), ("GET b", "$1⏎3⏎"), ("SET b 4 XX GET", "$1⏎3⏎"),
      ("SET c 1 XX GET", "$-1⏎"), ("EXISTS c", ":0⏎"), ("SET c 1 NX GET", "$-1⏎"),
      ("GET c", "$1⏎1⏎"), ("SET a 1 EX 10", "+OK⏎"), ("TTL a", ":10⏎"), ("PTTL a", ":10000⏎"),
      ("SET a 2 KEEPTTL", "+OK⏎"), ("TTL a", ":10⏎"), ("SET a 2", "+OK⏎"), ("TTL a", ":-1⏎"),
      ("SET a 1 PX 1500", "+OK⏎"), ("PTTL a", ":1500⏎"), ("TTL a", ":2⏎"),
      ("SET a 1 EXAT 1000000050", "+OK⏎"), ("TTL a", ":50⏎"),
      ("SET a 1 PXAT 1000000000001", "+OK⏎"), ("PTTL a", ":1⏎"),
      ("SET a 1 KEEPTTL EX 1", "-ERR syntax error⏎"), ("SET a 1 EX", "-ERR syntax error⏎"),
      ("SET a 1 NX XX", "-ERR syntax error⏎"), ("SET a 1 EX 1 PX 1", "-ERR syntax error⏎"),
      ("SET a 1 what", "-ERR syntax error⏎"),
      ("SET a 1 EX 0", "-ERR invalid expire time in 'set' command⏎"),
      ("SET a 1 EX -1", "-ERR invalid expire time in 'set' command⏎"),
      ("SET a 1 EX x", "-ERR value is not an integer or out of range⏎"),
      ("SET a 1 EX 9223372036854775807", "-ERR invalid expire time in 'set' command⏎"),
      ("SET a 1 PX 9223372036854775807", "-ERR invalid expire time in 'set' command⏎"),
      ("SETEX a 5 v", "+OK⏎"), ("TTL a", ":5⏎"), ("PSETEX a 5 v", "+OK⏎"), ("PTTL a", ":5⏎"),
      ("SETEX a 0 v", "-ERR invalid expire time in 'setex' command⏎"),
      ("PSETEX a x v", "-ERR value is not an integer or out of range⏎"),
    ])
  }

  @Test func numbers() throws {
    try talk([
      ("INCR n", ":1⏎"), ("INCR n", ":2⏎"), ("DECR n", ":1⏎"), ("INCRBY n 41", ":42⏎"),
      ("DECRBY n 50", ":-8⏎"), ("GET n", "$2⏎-8⏎"), ("SET n 9223372036854775806", "+OK⏎"),
      ("INCR n", ":9223372036854775807⏎"),
      ("INCR n", "-ERR increment or decrement would overflow⏎"),
      ("GET n", "$19⏎9223372036854775807⏎"),
      ("DECRBY n -9223372036854775808", "-ERR decrement would overflow⏎"),
      ("INCRBY n 1.5", "-ERR value is not an integer or out of range⏎"), ("SET s abc", "+OK⏎"),
      ("INCR s", "-ERR value is not an integer or out of range⏎"), ("SET s ' 1'", "+OK⏎"),
      ("INCR s", "-ERR value is not an integer or out of range⏎"), ("SET s ''", "+OK⏎"),
      ("INCR s", "-ERR value is not an integer or out of range⏎"),
      ("SET t 5 EX 100", "+OK⏎"), ("INCR t", ":6⏎"), ("TTL t", ":100⏎"),
      ("INCRBYFLOAT f 0.1", "$3⏎0.1⏎"), ("INCRBYFLOAT f 0.2", "$3⏎0.3⏎"),
      ("INCRBYFLOAT f 5e3", "$22⏎5000.29999999999999982⏎"), ("INCRBYFLOAT f -5000.3", "$1⏎0⏎"),
      ("INCRBYFLOAT f x", "-ERR value is not a valid float⏎"),
      ("INCRBYFLOAT f nan", "-ERR value is not a valid float⏎"),
      ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity⏎"),
      ("SET s a", "+OK⏎"), ("INCRBYFLOAT s 1", "-ERR value is not a valid float⏎"),
    ])
  }

  @Test func severalKeys() throws {
    try talk([
      ("MSET a 1 b 2 a 3", "+OK⏎"), ("MGET a b c", "*3⏎$1⏎3⏎$1⏎2⏎$-1⏎"),
      ("MSET a", "-ERR wrong number of arguments for 'mset' command⏎"),
      ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command⏎"),
      ("MSETNX c 1 a 9", ":0⏎"), ("EXISTS c", ":0⏎"), ("MSETNX c 1 d 2", ":1⏎"),
      ("EXISTS a b c d e a", ":5⏎"), ("TOUCH a e", ":1⏎"), ("DEL a a e", ":1⏎"),
      ("UNLINK b c", ":2⏎"), ("DBSIZE", ":1⏎"), ("FLUSHALL", "+OK⏎"), ("DBSIZE", ":0⏎"),
      ("SET a 1 EX 5", "+OK⏎"), ("FLUSHDB ASYNC", "+OK⏎"), ("FLUSHALL what", "-ERR syntax error⏎"),
      ("MSET a 1 b 2", "+OK⏎"), ("EXPIRE a 5", ":1⏎"), ("EXPIRE b 5", ":1⏎"),
      ("MSET a 2 a 3 c 4", "+OK⏎"), ("TTL a", ":-1⏎"), ("TTL b", ":5⏎"),
    ])
  }

  @Test func deadlines() throws {
    let bench = try CacheBench()
    try talk(
      [
        ("SET a 1", "+OK⏎"), ("TTL a", ":-1⏎"), ("TTL none", ":-2⏎"), ("PTTL none", ":-2⏎"),
        ("EXPIRE none 5", ":0⏎"), ("EXPIRE a 100", ":1⏎"), ("TTL a", ":100⏎"),
        ("EXPIRETIME a", ":1000000100⏎"), ("PEXPIRETIME a", ":1000000100000⏎"),
        ("EXPIRE a 50 GT", ":0⏎"), ("EXPIRE a 200 gt", ":1⏎"), ("EXPIRE a 300 LT", ":0⏎"),
        ("EXPIRE a 100 LT", ":1⏎"), ("EXPIRE a 100 NX", ":0⏎"), ("EXPIRE a 120 XX", ":1⏎"),
        ("PERSIST a", ":1⏎"), ("PERSIST a", ":0⏎"), ("PERSIST none", ":0⏎"),
        ("EXPIRE a 100 XX", ":0⏎"), ("EXPIRE a 100 GT", ":0⏎"), ("EXPIRE a 100 LT", ":1⏎"),
        ("PEXPIRE a 1500", ":1⏎"), ("PTTL a", ":1500⏎"), ("EXPIREAT a 1000000009", ":1⏎"),
        ("TTL a", ":9⏎"), ("PEXPIREAT a 1000000000009", ":1⏎"), ("PTTL a", ":9⏎"),
        ("EXPIRE a x", "-ERR value is not an integer or out of range⏎"),
        ("EXPIRE a 9223372036854775807", "-ERR invalid expire time in 'expire' command⏎"),
        (
          "EXPIRE a 1 NX XX",
          "-ERR NX and XX, GT or LT options at the same time are not compatible⏎"
        ),
        ("EXPIRE a 1 GT LT", "-ERR GT and LT options at the same time are not compatible⏎"),
        ("EXPIRE a 1 what", "-ERR Unsupported option what⏎"),
        ("GETEX a", "$1⏎1⏎"), ("PTTL a", ":9⏎"), ("GETEX a EX 7", "$1⏎1⏎"), ("TTL a", ":7⏎"),
        ("GETEX a PERSIST", "$1⏎1⏎"), ("TTL a", ":-1⏎"), ("GETEX none EX 7", "$-1⏎"),
        ("GETEX a KEEPTTL", "-ERR syntax error⏎"),
        ("GETEX a EX 0", "-ERR invalid expire time in 'getex' command⏎"),
        // In the past is now.
        ("EXPIRE a -1", ":1⏎"), ("EXISTS a", ":0⏎"), ("SET a 1", "+OK⏎"),
        ("EXPIREAT a 1", ":1⏎"), ("EXISTS a", ":0⏎"), ("SET a 1", "+OK⏎"),
        ("SET b 1 PX 10", "+OK⏎"), ("GETEX a PX 20", "$1⏎1⏎"),
      ], bench)
    bench.time += 9
    try talk([("PTTL b", ":1⏎"), ("PTTL a", ":11⏎"), ("DBSIZE", ":2⏎")], bench)
    // Over at its very millisecond, as with Redis one later would be.
    bench.time += 1
    try talk(
      [
        ("DBSIZE", ":2⏎"), ("EXISTS b", ":0⏎"), ("DBSIZE", ":1⏎"), ("SET b 2 PX 1", "+OK⏎"),
      ], bench)
    bench.time += 10
    try talk(
      [
        ("SET a 2 KEEPTTL", "+OK⏎"), ("TTL a", ":-1⏎"), ("INCR b", ":1⏎"), ("TTL b", ":-1⏎"),
        ("SET c 1 PX 1", "+OK⏎"),
      ], bench)
    bench.time += 5
    try talk(
      [
        ("APPEND c 2", ":1⏎"), ("SET c 1 PX 1", "+OK⏎"), ("GETDEL c", "$1⏎1⏎"),
        ("SET c 1 PX 1", "+OK⏎"),
      ], bench)
    bench.time += 5
    try talk(
      [
        ("DEL c", ":0⏎"), ("SETNX c 2", ":1⏎"),
      ], bench)
  }

  @Test func keys() throws {
    try talk([
      ("RANDOMKEY", "$-1⏎"), ("KEYS *", "*0⏎"), ("SCAN 0", "*2⏎$1⏎0⏎*0⏎"), ("SET a 1", "+OK⏎"),
      ("RANDOMKEY", "$1⏎a⏎"), ("KEYS *", "*1⏎$1⏎a⏎"), ("KEYS b", "*0⏎"), ("KEYS [a-c]", "*1⏎$1⏎a⏎"),
      ("SCAN 0 COUNT 100 MATCH ?", "*2⏎$1⏎0⏎*1⏎$1⏎a⏎"), ("SCAN 0 TYPE string", "*2⏎$1⏎0⏎*1⏎$1⏎a⏎"),
      ("SCAN 0 TYPE list", "*2⏎$1⏎0⏎*0⏎"), ("SCAN x", "-ERR invalid cursor⏎"),
      ("SCAN 0 COUNT 0", "-ERR syntax error⏎"), ("SCAN 0 COUNT", "-ERR syntax error⏎"),
      ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range⏎"),
      ("TYPE a", "+string⏎"), ("TYPE b", "+none⏎"), ("OBJECT ENCODING a", "$3⏎int⏎"),
      ("OBJECT REFCOUNT a", ":1⏎"), ("OBJECT ENCODING none", "$-1⏎"),
    ])
  }

  @Test func connection() throws {
    let bench = try CacheBench()
    try talk(
      [
        ("PING", "+PONG⏎"), ("PING 'a b'", "$3⏎a b⏎"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command⏎"), ("ECHO x", "$1⏎x⏎"),
        ("SELECT 0", "+OK⏎"), ("SELECT 16", "-ERR DB index is out of range⏎"),
        ("SELECT x", "-ERR value is not an integer or out of range⏎"),
        ("SAVE", "+OK⏎"), ("LASTSAVE", ":1000000000⏎"), ("WAIT 0 0", ":0⏎"),
        (
          "HELLO 4", "-NOPROTO unsupported protocol version⏎"
        ),
        (
          "HELLO 3 SETNAME me",
          "%7⏎$6⏎server⏎$5⏎redis⏎$7⏎version⏎$6⏎7.0.15⏎$5⏎proto⏎:3⏎$2⏎id⏎:7⏎$4⏎mode⏎"
            + "$10⏎standalone⏎$4⏎role⏎$6⏎master⏎$7⏎modules⏎*0⏎"
        ),
        ("GET none", "_⏎"), ("CONFIG GET maxmemory", "%1⏎$9⏎maxmemory⏎$1⏎0⏎"),
        ("RESET", "+RESET⏎"), ("GET none", "$-1⏎"),
        ("CONFIG GET nothing", "*0⏎"), ("CONFIG SET maxmemory 100mb", "+OK⏎"),
        ("CONFIG GET maxmemor[y]", "*2⏎$9⏎maxmemory⏎$9⏎104857600⏎"),
        ("QUIT", "+OK⏎<close>"), ("SHUTDOWN", "<forServer(CacheCore.Command.shutdown)>"),
        (
          "NOSUCH a 'b c'",
          "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b c' ⏎"
        ),
      ], bench)
    #expect(bench.session.name == [])
  }

  /// Commands behind each other in one piece are answered in order.
  @Test func pipeline() throws {
    let bench = try CacheBench()
    let bytes = Array("SET a 1\r\nGET a\r\nNOSUCH\r\n*1\r\n$4\r\nPING\r\nINCR a\r\nGET".utf8)
    let expected =
      "+OK\r\n$1\r\n1\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n+PONG\r\n:2\r\n"
    #expect(bench.send(bytes: bytes) == Array(expected.utf8))
  }

  /// One short request can ask for more than a buffer takes: the client gets an error, and what follows is answered.
  @Test func longerThanTheLimit() throws {
    let bench = try CacheBench()
    for key in ["a", "b", "c"] {
      #expect(bench.send("SET \(key) " + String(repeating: key, count: 40)) == "+OK⏎")
    }
    let whole = bench.send("MGET a b c")
    bench.reply.byteLimit = whole.utf8.count + 20
    #expect(bench.send("MGET a b c") == whole)
    let refusal =
      "-ERR the reply would be longer than \(bench.reply.byteLimit) bytes (proto-max-reply-len)⏎"
    #expect(bench.send("MGET a b c a b c") == refusal)
    #expect(bench.send("MGET a b c") == whole)
    bench.reply.byteLimit = 15
    let keys = "-ERR the reply would be longer than 15 bytes (proto-max-reply-len)⏎"
    #expect(bench.send("KEYS *") == keys)
    #expect(bench.send("SCAN 0 COUNT 100") == keys)
    bench.reply.byteLimit = 30
    #expect(bench.send("KEYS *").hasPrefix("*3⏎"))
    #expect(bench.send("EXISTS a b c") == ":3⏎")
  }
}
