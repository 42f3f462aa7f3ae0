import Foundation
import HandoverInspection
import Testing

@Suite struct JSONValueTests {
  @Test func writesAndReadsTheSame() throws {
    let value = JSONValue.object([
      .init("none", .null), .init("yes", .bool(true)), .init("no", .bool(false)),
      .init("number", .number(.max)), .init("text", .string("a\"\\\n\t\u{0}\u{202e}\u{1f600}ä")),
      .init("list", .array([.number(0), .array([]), .object([])])),
      .init("more", .array([.number(1), .number(2)])),
    ])
    for isPretty in [true, false] {
      let text = value.text(isPretty: isPretty)
      #expect(try JSONValue(parsing: Array(text.utf8)) == value)
      // Another reader reads the same.
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      #expect(object["text"] as? String == "a\"\\\n\t\u{0}\u{202e}\u{1f600}ä")
      #expect(object["number"] as? UInt64 == .max && object["none"] is NSNull)
      #expect(!text.unicodeScalars.contains { $0 == "\u{202e}" || $0 == "\u{0}" })
    }
    #expect(value["number"] == .number(.max) && value["other"] == nil)
    #expect(JSONValue.null["a"] == nil)
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\":1,\"a\":2}", 7), ("01", 0), ("-1", 0), ("1.5", 0),
    ("1e3", 0), ("18446744073709551616", 0), ("\"a", 2), ("\"\\x\"", 2), ("\"\\ud800\"", 7),
    ("\"\\u12\"", 2), ("nul", 0), ("1 2", 2), ("\"\u{1}\"", 1), ("{\"a\" 1}", 5), ("[1 2]", 3),
  ])
  func refuses(text: String, at offset: Int) {
    #expect { try JSONValue(parsing: Array(text.utf8)) } throws: {
      ($0 as? JSONError)?.byteOffset == offset
    }
  }

  @Test func nestingIsBounded() {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
    #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
  }

  /// Whatever the bytes, nothing traps; what is read is what the other reader reads.
  @Test func damagedTextIsReadOrRefused() throws {
    let sound = Array(#"{"a": [1, "x\u00e4\ud83d\ude00", null], "b": {"c": true}}"#.utf8)
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    for _ in 0..<5000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var bytes = sound
      bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
      if let value = try? JSONValue(parsing: bytes) {
        let other = try? JSONSerialization.jsonObject(with: Data(bytes))
        #expect(other != nil, "seed \(seed): \(bytes)")
        #expect(try JSONValue(parsing: Array(value.text().utf8)) == value, "seed \(seed)")
      }
    }
  }
}
