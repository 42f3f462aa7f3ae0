internal import TrialSupport

/// A client with keys of its own, which sends commands without waiting for each answer, and knows what
/// its keys must hold.
final class KillClient {
  /// So many commands are on their way at most: the server finds the next ones whenever it looks.
  private static let window = 200

  private(set) var model: PrefixModel
  private var generator: CommandGenerator
  private(set) var connection: Connection?
  private let number: Int
  /// The keys that were changed since they were last looked at.
  private var touched: Set<Int> = []
  private(set) var acknowledgedCount = 0
  /// How many values were there when keys were looked at.
  private(set) var foundCount = 0

  init(number: Int, keyCount: Int, seed: UInt64, style: CommandGenerator.Style) {
    self.number = number
    model = PrefixModel(mayBeEvicted: style.mayBeEvicted)
    generator = CommandGenerator(client: number, keyCount: keyCount, seed: seed, style: style)
  }

  var keyCount: Int { generator.keyCount }

  func connect(_ port: UInt16) throws { connection = try Connection(port: port) }

  /// Sends what goes, once half of what was sent is answered.
  func send() throws {
    if model.inFlightCount < Self.window / 2 { prepare() }
    try flush()
  }

  /// Makes as many commands as may be on their way.
  func prepare() {
    while model.inFlightCount < Self.window {
      let time = SystemCalls.realtimeMilliseconds
      let command = generator.next(at: time)
      touched.formUnion(command.changedKeys)
      connection?.enqueue(requestBytes(command.words(generator.name)))
      model.issue(command, at: time)
    }
  }

  /// Sends what is made.
  func flush() throws { try connection?.flush() }

  /// Takes the answers that have come.
  func receive() throws {
    guard let connection else { return }
    while try connection.fill() {}
    try takeReplies()
  }

  private func takeReplies() throws {
    guard let connection else { return }
    while let reply = try connection.takeReply() {
      do throws(PrefixModel.Failure) {
        try model.acknowledge(reply, at: SystemCalls.realtimeMilliseconds)
      } catch {
        throw TrialFailure("client \(number): \(Self.sentence(error, model))")
      }
      acknowledgedCount += 1
    }
  }

  /// The server is gone: takes what it had still sent.
  func finish() throws {
    connection?.drain()
    try takeReplies()
    connection = nil
  }

  /// Looks at the keys, those that were changed or all, and finds the prefix that explains them.
  func check(
    _ port: UInt16, all: Bool, killTime: UInt64
  ) throws -> PrefixModel.Resolution {
    let connection = try Connection(port: port)
    let keys = all ? Array(0..<keyCount) : touched.sorted()
    let asked = SystemCalls.realtimeMilliseconds
    for key in keys {
      let name = generator.name(of: key)
      // The deadline first: a value that is there was there before.
      connection.enqueue(requestBytes([Array("PEXPIRETIME".utf8), name]))
      connection.enqueue(requestBytes([Array("GET".utf8), name]))
    }
    var observations: [Int: Observation] = [:]
    for key in keys {
      let deadline = try connection.reply()
      let value = try connection.reply()
      observations[key] = try Self.observation(deadline, value)
    }
    let moment = Moment(asked: asked, answered: SystemCalls.realtimeMilliseconds)
    touched = []
    foundCount += observations.values.count { $0.value != nil }
    do throws(PrefixModel.Failure) {
      return try model.resolve(observations, moment, killTime: killTime)
    } catch {
      var sentence = "client \(number): \(Self.sentence(error, model))"
      if case .unexplained(_, _, let keys) = error {
        for key in keys.prefix(5) {
          sentence += "; key \(key): found \(observations[key].map(Self.text) ?? "")"
          sentence += ", last acknowledged \(model.states[key].map(Self.text) ?? "nothing")"
        }
      }
      throw TrialFailure(sentence)
    }
  }

  private static func observation(_ deadline: Reply, _ value: Reply) throws -> Observation {
    switch (deadline, value) {
    case (.integer(-2), .null): return Observation(value: nil)
    case (.integer(-1), .bulk(let bytes)): return Observation(value: bytes)
    case (.integer(let time), .bulk(let bytes)) where time >= 0:
      return Observation(value: bytes, deadline: UInt64(time))
    // It has ended in between.
    case (.integer(let time), .null) where time >= 0: return Observation(value: nil)
    default:
      throw TrialFailure("PEXPIRETIME and GET are answered with \(deadline) and \(value)")
    }
  }

  private static func sentence(_ failure: PrefixModel.Failure, _ model: PrefixModel) -> String {
    switch failure {
    case .wrongReply(let command, let reply):
      "\(text(command)) is answered with \(text(reply)); its keys hold "
        + command.keys.map { "\(model.states[$0].map(text) ?? "nothing")" }
        .joined(separator: ", ")
    case .replyToNothing(let reply): "an answer to nothing: \(text(reply))"
    case .unexplained(let prefix, let count, let keys):
      "no prefix of the \(count) steps in flight explains its keys; after \(prefix), \(keys.count) are wrong"
    }
  }

  // For people

  private static func text(_ command: WriteCommand) -> String {
    command.words { Array("\($0)".utf8) }.map { readable($0, limit: 30) }.joined(separator: " ")
  }

  private static func text(_ reply: Reply) -> String {
    switch reply {
    case .simple(let bytes), .error(let bytes), .bulk(let bytes), .other(let bytes):
      readable(bytes, limit: 60)
    case .integer(let number): String(number)
    case .null: "null"
    case .array(let elements): "[" + elements.map(text).joined(separator: ", ") + "]"
    }
  }

  private static func text(_ entry: CacheEntry) -> String {
    let deadline = entry.deadline.map { " until \($0)" } ?? ""
    return readable(entry.bytes, limit: 30) + deadline
  }

  private static func text(_ observation: Observation) -> String {
    guard let value = observation.value else { return "nothing" }
    return readable(value, limit: 30) + (observation.deadline.map { " until \($0)" } ?? "")
  }
}
