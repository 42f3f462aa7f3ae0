import Testing
import TrialSupport

@Suite struct ReplyParserTests {
  static let replies: [(String, Reply)] = [
    ("+OK\r\n", .ok),
    ("-ERR no\r\n", .error(Array("ERR no".utf8))),
    (":-12\r\n", .integer(-12)),
    ("$3\r\na\r\n\r\n", .bulk(Array("a\r\n".utf8))),
    ("$0\r\n\r\n", .bulk([])),
    ("$-1\r\n", .null), ("*-1\r\n", .null), ("_\r\n", .null),
    ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", .array([.integer(1), .array([.bulk([120])])])),
    ("%1\r\n+a\r\n:1\r\n", .array([.simple([97]), .integer(1)])),
    ("~1\r\n#t\r\n", .array([.other([116])])),
    ("=7\r\ntxt:abc\r\n", .bulk(Array("txt:abc".utf8))),
  ]

  @Test func repliesAreReadWholeAndNotBefore() throws {
    for (text, reply) in Self.replies {
      let bytes = Array(text.utf8)
      for end in 0..<bytes.count {
        #expect(try ReplyParser.parse(bytes, from: 0, to: end) == nil, "\(text) up to \(end)")
      }
      let found = try #require(try ReplyParser.parse(bytes, from: 0, to: bytes.count))
      #expect(found.reply == reply)
      #expect(found.end == bytes.count)
    }
  }

  @Test func repliesFollowOneAnother() throws {
    let bytes = Array(Self.replies.map(\.0).joined().utf8)
    var offset = 0
    for (_, reply) in Self.replies {
      let found = try #require(try ReplyParser.parse(bytes, from: offset, to: bytes.count))
      #expect(found.reply == reply)
      offset = found.end
    }
    #expect(offset == bytes.count)
  }

  @Test func whatIsNoReplyIsRefused() {
    let bad: [(String, ReplyError)] = [
      ("x\r\n", .unknownType(UInt8(ascii: "x"), offset: 0)),
      (":1x\r\n", .badNumber(offset: 1)),
      ("$-2\r\n", .badNumber(offset: 1)),
      ("$1\r\nab\r\n", .missingEnd(offset: 5)),
      ("+OK\rx", .missingEnd(offset: 3)),
      (String(repeating: "*1\r\n", count: 20), .tooDeep),
    ]
    for (text, error) in bad {
      let bytes = Array(text.utf8)
      #expect(throws: error) { try ReplyParser.parse(bytes, from: 0, to: bytes.count) }
    }
  }

  @Test func requestsAreWrittenAsTheProtocolWants() {
    #expect(requestBytes("GET", "key") == Array("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n".utf8))
  }
}
