import CacheTestSupport
import RESP
import Testing
import TrialSupport

@Suite struct RequestParserTests {
  /// Streams of bytes, and what they are.
  static let streams: [(String, [Found])] = [
    ("*1\r\n$4\r\nPING\r\n", [.words("PING")]),
    ("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", [.words("GET", "")]),
    (
      "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\n0123456789\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n",
      [.words("SET", "key", "0123456789"), .words("GET", "key")]
    ),
    // A line break, and what looks like a request, inside an argument.
    ("*2\r\n$4\r\nECHO\r\n$9\r\n*1\r\n$1\r\na\r\n", [.words("ECHO", "*1\r\n$1\r\na")]),
    // No arguments are not a request.
    ("*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", [.words("a")]),
    // What is behind an argument is not looked at.
    ("*1\r\n$1\r\nabc*1\r\n$1\r\nd\r\n", [.words("a"), .words("d")]),
    ("PING\r\n", [.words("PING")]),
    ("PING\nPING\r\n", [.words("PING"), .words("PING")]),
    ("\r\n\n \t \r\nPING\r\n", [.words("PING")]),
    ("  SET  a\tb  \r\n", [.words("SET", "a", "b")]),
    ("SET a \"b c\"\r\n", [.words("SET", "a", "b c")]),
    (#"ECHO "\x41\n\"\\\q""# + "\r\n", [.words("ECHO", "A\n\"\\q")]),
    (#"ECHO "\x4g""# + "\r\n", [.words("ECHO", "x4g")]),
    (#"ECHO 'a\'b\n"'"# + "\r\n", [.words("ECHO", #"a'b\n""#)]),
    ("ECHO \"\" ''\r\n", [.words("ECHO", "", "")]),
    // A quote inside a word begins a quoted part, as sdssplitargs has it.
    ("ECHO a\"b c\"\r\n", [.words("ECHO", "ab c")]),
    ("GET a\0b c\r\n", [.words("GET", "a")]),
    ("GET k\r\n*1\r\n$1\r\nx\r\nGET l\r\n", [.words("GET", "k"), .words("x"), .words("GET", "l")]),
    ("ECHO \"a\r\n", [.failed(.unbalancedQuotes)]),
    ("ECHO \"a\"b\r\n", [.failed(.unbalancedQuotes)]),
    ("ECHO 'a'b\r\n", [.failed(.unbalancedQuotes)]),
    ("ECHO \"\\\r\n", [.failed(.unbalancedQuotes)]),
    ("*a\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*\r\n", [.failed(.multibulkLengthInvalid)]),
    ("* 1\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*+1\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*01\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*1048577\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*9223372036854775808\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*99999999999999999999999\r\n", [.failed(.multibulkLengthInvalid)]),
    ("*1\r\n$a\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n$\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n$-1\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n$01\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n$536870913\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n$9223372036854775808\r\n", [.failed(.bulkLengthInvalid)]),
    ("*1\r\n:1\r\n", [.failed(.bulkExpected(got: UInt8(ascii: ":")))]),
    ("*2\r\n$1\r\na\r\nfoo\r\n", [.failed(.bulkExpected(got: UInt8(ascii: "f")))]),
    ("PING\r\n*x\r\nPING\r\n", [.words("PING"), .failed(.multibulkLengthInvalid)]),
  ]

  @Test func everySplitPoint() throws {
    for (text, expected) in Self.streams {
      let bytes = Array(text.utf8)
      try #require(Connection.parse(bytes) == expected, "\(Wire.text(bytes))")
      try #require(
        Connection.parse(bytes, Array(0..<bytes.count)) == expected, "\(Wire.text(bytes)) by byte")
      for first in 0..<bytes.count {
        for second in first..<bytes.count {
          try #require(
            Connection.parse(bytes, [first, second]) == expected,
            "\(Wire.text(bytes)) split at \(first) and \(second)")
        }
      }
    }
  }

  /// A request that is not whole gives nothing, however much of it is there.
  @Test func everyPrefix() throws {
    for (text, expected) in Self.streams {
      let bytes = Array(text.utf8)
      for end in 0..<bytes.count {
        let found = Connection.parse(Array(bytes[..<end]))
        try #require(
          found.count <= expected.count && found == Array(expected.prefix(found.count)),
          "\(Wire.text(bytes[..<end]))")
      }
    }
  }

  /// What is longer than Redis takes is refused before it is whole, and at the limit it is not.
  @Test func limits() {
    let limit = RequestParser.lineByteLimit
    func line(_ start: String, _ count: Int) -> [UInt8] {
      Array(start.utf8) + Array(repeating: UInt8(ascii: "1"), count: count - start.utf8.count)
    }
    let cases: [(String, [Found], ProtocolError)] = [
      ("GET ", [], .inlineTooBig), ("*", [], .multibulkCountTooBig),
      ("*1\r\n$", [], .bulkCountTooBig),
    ]
    for (start, before, error) in cases {
      let offset = start.hasSuffix("$") ? 4 : 0
      #expect(Connection.parse(line(start, limit + offset)) == before)
      #expect(Connection.parse(line(start, limit + offset + 1)) == before + [.failed(error)])
    }
    #expect(Connection.parse(Array("*1048576\r\n$536870912\r\n".utf8)) == [])
    let long = String(repeating: "x", count: limit - 10)
    #expect(Connection.parse(Array("GET \(long)\r\n".utf8)) == [.words("GET", long)])
  }

  @Test func manyAndLongArguments() throws {
    let words = (0..<5000).map { Array("argument \($0)".utf8) }
    let large = [[UInt8](repeating: 7, count: 300_000), []]
    let bytes = Wire.request(words) + Wire.request(large)
    let expected: [Found] = [.request(words), .request(large)]
    #expect(Connection.parse(bytes) == expected)
    #expect(
      Connection.parse(bytes, Array(stride(from: 1, to: bytes.count, by: 10_007))) == expected)
  }

  /// Malformed requests never trap, and mean the same however they are split.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func randomBytes(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    let pieces = [
      "*", "$", "\r\n", "\n", "\r", "1", "2", "0", "-1", "3", "*2\r\n", "$3\r\nabc\r\n", "\"", "'",
      "\\", "\\x4", " ", "GET", "\0", "99999", ":", "+", "*1\r\n$4\r\nPING\r\n", "PING\r\n",
    ]
    for round in 0..<1500 {
      var bytes: [UInt8] = []
      for _ in 0..<generator.number(below: 24) {
        if generator.number(below: 5) == 0 {
          bytes += generator.bytes(generator.number(below: 6))
        } else {
          bytes += Array(generator.element(of: pieces).utf8)
        }
      }
      let whole = Connection.parse(bytes)
      let ends = (0..<generator.number(below: 5)).map { _ in
        generator.number(below: bytes.count + 1)
      }
      try #require(
        Connection.parse(bytes, ends.sorted()) == whole,
        "seed \(seed), round \(round): \(Wire.text(bytes))")
      try #require(Connection.parse(bytes, Array(0..<bytes.count)) == whole)
    }
  }
}
