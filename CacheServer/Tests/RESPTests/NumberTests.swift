import CacheTestSupport
import NIOCore
import RESP
import Testing

@Suite struct NumberTests {
  @Test func numbersOfRequests() {
    let numbers: [(String, Int64?)] = [
      ("0", 0), ("1", 1), ("-1", -1), ("10", 10), ("9223372036854775807", .max),
      ("-9223372036854775808", .min), ("9223372036854775808", nil),
      ("-9223372036854775809", nil), ("", nil), ("-", nil), ("+1", nil), ("01", nil), ("-0", nil),
      ("00", nil), (" 1", nil), ("1 ", nil), ("1.0", nil), ("0x1", nil), ("1\0", nil),
      ("99999999999999999999", nil), ("-01", nil), ("--1", nil),
    ]
    for (text, number) in numbers {
      #expect(Int64(decimal: Array(text.utf8).rawSpan) == number, "\(text)")
    }
  }

  /// Of every length, and what was written is read again.
  @Test func numbersOfReplies() throws {
    var numbers: [Int64] = [0, .max, .min]
    var power: Int64 = 1
    for _ in 0..<19 {
      numbers += [power, power - 1, power + 1, -power, 1 - power, -power - 1]
      power = power &* 10
    }
    for number in numbers {
      var reply = ReplyWriter()
      reply.integer(number)
      try #require(Array(reply.buffer.readableBytesView) == Array(":\(number)\r\n".utf8))
      try #require(Int64(decimal: Array("\(number)".utf8).rawSpan) == number)
    }
  }

  @Test func everyReplyInBothVersions() {
    func written(_ isRESP3: Bool, _ write: (inout ReplyWriter) -> Void) -> String {
      var reply = ReplyWriter()
      reply.isRESP3 = isRESP3
      write(&reply)
      return String(decoding: reply.buffer.readableBytesView, as: UTF8.self)
    }
    let cases: [(String, String, @Sendable (inout ReplyWriter) -> Void)] = [
      ("+OK\r\n", "+OK\r\n", { $0.ok() }),
      ("$-1\r\n", "_\r\n", { $0.null() }),
      ("*-1\r\n", "_\r\n", { $0.nullArray() }),
      ("*2\r\n", "*2\r\n", { $0.array(2) }),
      ("*4\r\n", "%2\r\n", { $0.map(2) }),
      ("*2\r\n", "~2\r\n", { $0.set(2) }),
      ("$3\r\nabc\r\n", "$3\r\nabc\r\n", { $0.bulk("abc") }),
      ("$0\r\n\r\n", "$0\r\n\r\n", { $0.bulk([UInt8]().rawSpan) }),
      ("$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n", { $0.verbatim("abc") }),
      // A line break in an error would be a second reply.
      ("-ERR a  b\r\n", "-ERR a  b\r\n", { $0.error(Array("ERR a\r\nb".utf8)) }),
    ]
    for (two, three, write) in cases {
      #expect(written(false, write) == two)
      #expect(written(true, write) == three)
    }
  }

  /// Strings of all sizes about the buffer's, one behind the other.
  @Test func longStrings() {
    var reply = ReplyWriter()
    var expected: [UInt8] = []
    for count in [0, 1, 31, 32, 33, 255, 256, 4095, 4096, 65_535, 65_536, 300_000] {
      let bytes = [UInt8](repeating: UInt8(count & 0xff), count: count)
      reply.bulk(bytes.rawSpan)
      expected += Wire.bulk(bytes)
    }
    #expect(Array(reply.buffer.readableBytesView) == expected)
  }
}
