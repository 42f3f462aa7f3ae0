/// A conversation with a server, written down as text.
///
///     # a remark
///     SET key "a value\r\n"          a command; words are quoted as redis-cli quotes them
///     SET key {70000*ab}             a word of so many times those bytes; {all} is every byte once
///     ~sorted KEYS *                 answers are compared by an ``Allowance``
///     | GET key                      sent together with the line behind it
///     !raw 2 "PING\r\nPING\r\n"      bytes as they are, and how many answers they have
///     !closed "*1\r\n!"              the same, where the server closes the connection
///     !scan MATCH k* COUNT 5         SCAN to its end; what it has found is compared
///     !gone key                      asks until the key is gone
///     !client 2                      goes on with another connection, a new one maybe
///     !connect                       closes the connection, and opens another
public struct CommandScript: Sendable {
  /// One thing to do, and to compare.
  public enum Step: Equatable, Sendable {
    /// Commands sent together.
    case commands([[[UInt8]]])
    /// Bytes that have so many answers.
    case raw([UInt8], replyCount: Int)
    /// Bytes after which the connection ends.
    case rawUntilClosed([UInt8])
    /// `SCAN` from cursor to cursor with these options.
    case scan([[UInt8]])
    /// `EXISTS` until the answer is 0.
    case untilGone([UInt8])
    /// Another connection.
    case client(Int)
    /// A new connection in place of this one.
    case connect
  }

  /// A step, and how its answers are compared.
  public struct Line: Equatable, Sendable {
    /// The number of the line, from 1.
    public let number: Int
    /// As it is written.
    public let text: String
    /// What to do.
    public let step: Step
    /// One for each answer.
    public let allowances: [Allowance]
  }

  /// What it is about.
  public let name: String
  /// What to do, in order.
  public let lines: [Line]

  /// What cannot be meant.
  public struct ScriptError: Error, Equatable, Sendable {
    /// The script.
    public let name: String
    /// The line, from 1.
    public let line: Int
  }

  /// The script of that text.
  ///
  /// - Throws: ``ScriptError`` for a line that means nothing.
  public init(_ name: String, _ text: String) throws(ScriptError) {
    self.name = name
    var lines: [Line] = []
    var together = Together()
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      let bytes = Array(line.utf8.drop { $0 == UInt8(ascii: " ") })
      if bytes.isEmpty || bytes.first == UInt8(ascii: "#") { continue }
      let error = ScriptError(name: name, line: number)
      if bytes.first == UInt8(ascii: "!") {
        guard together.commands.isEmpty, let step = Self.directive(bytes) else { throw error }
        let count = if case .raw(_, let count) = step { count } else { 1 }
        lines.append(
          Line(
            number: number, text: String(decoding: bytes, as: UTF8.self), step: step,
            allowances: Array(repeating: .none, count: count)))
        continue
      }
      guard let isLast = together.add(bytes) else { throw error }
      guard isLast else { continue }
      lines.append(
        Line(
          number: number, text: together.texts.joined(separator: " | "),
          step: .commands(together.commands), allowances: together.allowances))
      together = Together()
    }
    guard together.commands.isEmpty else { throw ScriptError(name: name, line: number) }
    self.lines = lines
  }

  /// Commands that are sent together.
  private struct Together {
    var commands: [[[UInt8]]] = []
    var allowances: [Allowance] = []
    var texts: [String] = []

    /// Adds a command; nil if it is not one, true where it is the last.
    mutating func add(_ line: [UInt8]) -> Bool? {
      let isLast = line.first != UInt8(ascii: "|")
      let line = isLast ? line[...] : line.dropFirst().drop { $0 == UInt8(ascii: " ") }
      var words = ScriptWords.split(line)
      var allowance = Allowance.none
      if let first = words?.first, first.first == UInt8(ascii: "~") {
        let name = String(decoding: first.dropFirst(), as: UTF8.self)
        guard let known = Allowance(rawValue: name) else { return nil }
        allowance = known
        words?.removeFirst()
      }
      guard let words, !words.isEmpty else { return nil }
      commands.append(words)
      allowances.append(allowance)
      texts.append(String(decoding: line, as: UTF8.self))
      return isLast
    }
  }

  private static func directive(_ line: [UInt8]) -> Step? {
    guard let words = ScriptWords.split(line[...]), let first = words.first else { return nil }
    func number(_ index: Int) -> Int? { Int(String(decoding: words[index], as: UTF8.self)) }
    switch (String(decoding: first, as: UTF8.self), words.count) {
    case ("!raw", 3):
      guard let count = number(1), count > 0 else { return nil }
      return .raw(words[2], replyCount: count)
    case ("!closed", 2): return .rawUntilClosed(words[1])
    case ("!scan", _): return .scan(Array(words.dropFirst()))
    case ("!gone", 2): return .untilGone(words[1])
    case ("!client", 2): return number(1).map { .client($0) }
    case ("!connect", 1): return .connect
    default: return nil
    }
  }
}
