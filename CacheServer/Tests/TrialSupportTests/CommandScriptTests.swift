import Testing

@testable import TrialSupport

@Suite struct CommandScriptTests {
  private func words(_ text: String) -> [[UInt8]]? { ScriptWords.split(Array(text.utf8)[...]) }

  @Test func wordsAreQuotedAsRedisClientsQuoteThem() throws {
    let found = try #require(words(#"SET "a b\x00\"\n" 'it\'s \n' plain {3*ab} """#))
    #expect(
      found == [
        Array("SET".utf8), Array("a b\0\"\n".utf8), Array(#"it's \n"#.utf8), Array("plain".utf8),
        Array("ababab".utf8), [],
      ])
    #expect(words("{all}") == [Array(UInt8.min...UInt8.max)])
    #expect(words("{x*y} {-1*a} {} *") == ["{x*y}", "{-1*a}", "{}", "*"].map { Array($0.utf8) })
  }

  @Test(arguments: [#""open"#, "'open", #""a"b"#, #""\x1""#, #""\xgg""#])
  func wordsThatDoNotEndAreRefused(_ text: String) { #expect(words(text) == nil) }

  @Test func aScriptIsReadLineByLine() throws {
    let script = try CommandScript(
      "test",
      #"""
      # a remark

      SET a 1
      | GET a
      | ~number CLIENT ID
      ~sorted KEYS *
      !raw 2 "PING\r\nPING\r\n"
      !closed "QUIT\r\n"
      !scan MATCH a* COUNT 5
      !gone a
      !client 2
      !connect
      """#)
    #expect(script.lines.map(\.number) == [3, 6, 7, 8, 9, 10, 11, 12])
    #expect(
      script.lines.map(\.allowances.count) == [1, 3, 2, 1, 1, 1, 1, 1])
    #expect(script.lines[1].allowances == [.none, .number, .sorted])
    #expect(script.lines[2].step == .raw(Array("PING\r\nPING\r\n".utf8), replyCount: 2))
    #expect(script.lines[4].step == .scan(["MATCH", "a*", "COUNT", "5"].map { Array($0.utf8) }))
    #expect(script.lines[6].step == .client(2))
  }

  @Test(arguments: [
    "~nosuch GET a", "~sorted", "!nosuch", "!raw x PING", "!raw 0 PING", "!gone", "| GET a",
    "| GET a\n!connect", #"GET "a"#,
  ])
  func aLineThatMeansNothingIsRefused(_ text: String) {
    #expect(throws: CommandScript.ScriptError.self) { try CommandScript("test", text) }
  }
}
