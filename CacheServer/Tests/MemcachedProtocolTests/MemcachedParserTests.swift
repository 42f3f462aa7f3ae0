import MemcachedProtocol
import RESP
import Testing
import TrialSupport

/// Whatever the pieces in which the bytes come, the same commands are found.
@Suite struct MemcachedParserTests {
  /// The commands in `bytes`, which come in pieces that end at `ends`, as a text.
  private func commands(_ bytes: [UInt8], pieces ends: [Int]) -> [String] {
    var parser = MemcachedParser()
    var found: [String] = []
    var start = 0
    for end in ends + [bytes.count] {
      let piece = Array(bytes[start..<max(start, end)])
      var isDone = false
      while !isDone {
        if parser.isTakingKeys {
          while let key = parser.nextKey(in: piece.rawSpan) { found.append("key \(key.text)") }
          found.append("end")
        }
        switch parser.next(in: piece.rawSpan) {
        case .incomplete: isDone = true
        case .failed: return found + ["failed"]
        case .command(let verb):
          if verb == .set, let count = UInt64(digits: parser.word(2, in: piece.rawSpan)) {
            guard count < 100 else {
              parser.skip(Int(count) + 2)
              found.append("skipped")
              continue
            }
            guard parser.takeData(Int(count), in: piece.rawSpan) else {
              isDone = true
              continue
            }
            found.append(
              "set \(parser.data(in: piece.rawSpan).text) \(parser.isDataEnded(in: piece.rawSpan))")
          } else if verb?.isRetrieval == true {
            let check = parser.beginKeys(in: piece.rawSpan, for: MemcachedRetrieval())
            found.append("keys \(check)")
          } else {
            found.append(
              (0..<parser.wordCount).map { parser.word($0, in: piece.rawSpan).text }.joined(
                separator: "|"))
          }
        }
      }
      start += parser.consumed
      parser.discardConsumed()
    }
    return found
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func pieces(seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let text =
      "version\r\n  get a  bb ccc \r\nset k 5\r\nhe\nlo\r\nset k 200\r\n"
      + String(repeating: "x", count: 200)
      + "\r\nmn\nset k 2\r\nhixx\r\n\r\nget\r\ngat 1 z\r\nbogus a b\r\nset k 0\r\n\r\n"
    let bytes = Array(text.utf8)
    let whole = commands(bytes, pieces: [])
    #expect(
      whole == [
        "version", "keys valid", "key a", "key bb", "key ccc", "end", "set he\nlo true", "skipped",
        "mn", "set hi false", "", "", "keys none", "keys valid", "key z", "end", "bogus|a|b",
        "set  true",
      ])
    for round in 0..<200 {
      var ends: [Int] = []
      var position = 0
      while position < bytes.count {
        position += 1 + generator.number(below: 12)
        if position < bytes.count { ends.append(position) }
      }
      // Each piece has everything that is not consumed, up to its end.
      #expect(commands(bytes, pieces: ends) == whole, "seed \(seed), round \(round), \(ends)")
    }
  }

  @Test func lengths() {
    func result(_ text: String) -> [String] { commands(Array(text.utf8), pieces: []) }
    let long = String(repeating: "k", count: 3000)
    #expect(result("set \(long)") == ["failed"])
    #expect(result("delete \(long)\r\n") == ["failed"])
    #expect(result(long) == ["failed"])
    let keys = String(repeating: "key ", count: 5000)
    #expect(result("get \(keys)\r\n").count == 5002)
    #expect(result("  gets \(keys)").isEmpty)
    #expect(result("get " + String(repeating: "k ", count: 1 << 20)) == ["failed"])
    #expect(result("get \(String(repeating: "k", count: 251))\r\n") == ["keys tooLong"])
  }

  @Test func numbers() {
    func unsigned(_ text: String) -> UInt64? { UInt64(digits: Array(text.utf8).rawSpan) }
    func signed(_ text: String) -> Int64? { Int64(digits: Array(text.utf8).rawSpan) }
    #expect(unsigned("18446744073709551615") == .max)
    for text in ["18446744073709551616", "", "-1", "1 ", "99999999999999999999", "0x1", "1e3"] {
      #expect(unsigned(text) == nil, "\(text)")
    }
    #expect(signed("-5") == -5 && signed("007") == 7 && signed("9223372036854775807") == .max)
    for text in ["9223372036854775808", "-", "", "--1", "+1", " 1"] {
      #expect(signed(text) == nil, "\(text)")
    }
    #expect(UInt64(value: Array("  12  ".utf8).rawSpan) == 12)
    #expect(UInt64(value: Array("1 2".utf8).rawSpan) == nil)
    #expect(UInt64(value: Array("   ".utf8).rawSpan) == nil)
  }

  @Test func base64() {
    func decoded(_ text: String) -> [UInt8]? { Base64.decode(Array(text.utf8).rawSpan) }
    #expect(decoded("AAEC") == [0, 1, 2])
    #expect(decoded("/+8=") == [0xff, 0xef])
    #expect(decoded("QQ==") == [0x41])
    for text in ["", "A", "AAE", "A===", "====", "AA=A", "AA!A", "QQ==QQ=="] {
      #expect(decoded(text) == nil, "\(text)")
    }
  }
}
