import Testing

@testable import TrialSupport

/// What an allowance allows, and above all what it does not.
@Suite struct AllowanceTests {
  private func reply(_ text: String) throws -> ReceivedReply {
    let bytes = Array(text.utf8)
    let (reply, end) = try #require(try ReplyParser.parse(bytes, from: 0, to: bytes.count))
    #expect(end == bytes.count)
    return ReceivedReply(bytes: bytes, reply: reply)
  }

  private func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

  private func array(_ elements: String...) -> String {
    "*\(elements.count)\r\n" + elements.joined()
  }

  private func expect(
    _ allowance: Allowance, _ isAccepted: Bool, _ mine: String, _ other: String
  ) throws {
    #expect(
      allowance.accepts(try reply(mine), try reply(other)) == isAccepted,
      "\(allowance): \(readable(Array(mine.utf8))) and \(readable(Array(other.utf8)))")
  }

  @Test func withoutAnAllowanceEveryByteCounts() throws {
    try expect(.none, true, ":1\r\n", ":1\r\n")
    try expect(.none, false, ":1\r\n", ":2\r\n")
    try expect(.none, false, "$-1\r\n", "_\r\n")
    try expect(.none, false, "+OK\r\n", bulk("OK"))
  }

  @Test func noAllowanceTakesAnErrorForAnAnswer() throws {
    for allowance in Allowance.allCases {
      try expect(allowance, false, "-ERR no\r\n", ":1\r\n")
      try expect(allowance, false, "-ERR no\r\n", "-ERR yes\r\n")
      try expect(allowance, false, ":1\r\n", bulk("1"))
    }
  }

  @Test func sortedComparesWhatThereIs() throws {
    try expect(.sorted, true, array(bulk("a"), bulk("b")), array(bulk("b"), bulk("a")))
    try expect(.sorted, false, array(bulk("a"), bulk("b")), array(bulk("b")))
    try expect(.sorted, false, array(bulk("a"), bulk("a")), array(bulk("a"), bulk("b")))
    let (one, two) = (array(bulk("a"), bulk("b")), array(bulk("b"), bulk("a")))
    try expect(.sorted, true, array(bulk("0"), one), array(bulk("0"), two))
    try expect(.sorted, false, array(bulk("0"), one), array(bulk("7"), two))
  }

  @Test func timesAreNear() throws {
    try expect(.seconds, true, ":99\r\n", ":100\r\n")
    try expect(.seconds, false, ":90\r\n", ":100\r\n")
    try expect(.seconds, false, ":-1\r\n", ":1\r\n")
    try expect(.milliseconds, true, ":99000\r\n", ":100000\r\n")
    try expect(.milliseconds, false, ":90000\r\n", ":100000\r\n")
    try expect(.milliseconds, false, ":-2\r\n", ":-1\r\n")
  }

  @Test func shapesAreCompared() throws {
    try expect(.number, true, ":1\r\n", ":700\r\n")
    try expect(.kind, true, array(bulk("1")), array(bulk("2")))
    try expect(.kind, false, bulk(""), bulk("text"))
    try expect(.kind, false, array(bulk("1")), array(bulk("1"), bulk("2")))
    try expect(.kind, false, array(bulk("1"), ":1\r\n"), array(bulk("1"), bulk("2")))
    try expect(.hello, true, array(bulk("id"), ":1\r\n"), array(bulk("id"), ":2\r\n"))
    try expect(.hello, false, array(bulk("proto"), ":2\r\n"), array(bulk("proto"), ":3\r\n"))
    try expect(.subset, true, array(bulk("get")), array(bulk("set"), bulk("get")))
    try expect(.subset, false, array(bulk("gut")), array(bulk("set"), bulk("get")))
  }

  @Test func settingsThatBothHaveAreCompared() throws {
    let mine = array(bulk("save"), bulk(""), bulk("own"), bulk("1"), bulk("port"), bulk("1"))
    try expect(.config, true, mine, array(bulk("port"), bulk("2"), bulk("save"), bulk("")))
    try expect(.config, false, mine, array(bulk("save"), bulk("60 1")))
    try expect(.config, false, mine, array(bulk("else"), bulk("")))
  }

  @Test func fieldsOfInfoAreThoseOfRedis() throws {
    let theirs = bulk("# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=9\r\nmaxmemory:0\r\nother:1\r\n")
    try expect(
      .info, true, bulk("# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\nother:2\r\n"), theirs)
    try expect(
      .info, true, bulk("# Keyspace\r\nother:2\r\n\r\n# Handover\r\nupgrades:1\r\n"), theirs)
    try expect(.info, false, bulk("# Keyspace\r\ndb0:keys=2,expires=0\r\n"), theirs)
    try expect(.info, false, bulk("# Keyspace\r\nmaxmemory:1\r\n"), theirs)
    try expect(.info, false, bulk("# Keyspace\r\nupgrades:1\r\n"), theirs)
    try expect(.info, false, bulk(""), theirs)
  }

  @Test func linesAboutClientsHaveTheSameFields() throws {
    let fields =
      "flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 events=r user=default redir=-1 resp=2 obl=0 oll=0"
      + " omem=0"
    let theirs = bulk("id=3 addr=b name=x cmd=client|list \(fields)\n")
    try expect(.client, true, bulk("id=4 addr=a name=x cmd=client|list \(fields)\n"), theirs)
    try expect(.client, false, bulk("id=4 addr=a name=y cmd=client|list \(fields)\n"), theirs)
    try expect(.client, false, bulk("id=4 addr=a cmd=client|list \(fields)\n"), theirs)
    try expect(.client, false, bulk("id=4\nid=5\n"), theirs)
  }
}
