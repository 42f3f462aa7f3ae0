import Testing

@testable import TrialSupport

/// A server that keeps its keys, in the test's memory.
private struct ModelServer {
  var states: KeyStates = [:]
  var now: UInt64

  /// Carries out a step, and says what a server says to a command of one step.
  mutating func perform(_ command: WriteCommand) -> Reply {
    states = states.filter { $0.value.deadline.map { $0.lowerBound > now } ?? true }
    let reply: Reply
    switch command {
    case .set, .setSeveral: reply = .ok
    case .increment(let key, let number):
      if case .number(let old)? = states[key]?.content {
        reply = .integer(old + number)
      } else {
        reply = .integer(number)
      }
    case .append(let pair):
      reply = .integer(Int64((states[pair.key]?.byteCount ?? 0) + pair.piece.count))
    case .delete(let keys): reply = .integer(Int64(keys.filter { states[$0] != nil }.count))
    case .expire(let key, _), .expireAt(let key, _):
      reply = .integer(states[key] == nil ? 0 : 1)
    case .persist(let key): reply = .integer(states[key]?.deadline == nil ? 0 : 1)
    case .get(let key): reply = states[key].map { .bulk($0.bytes) } ?? .null
    }
    command.apply(to: &states, Moment(asked: now, answered: now))
    return reply
  }

  func observations(_ keyCount: Int) -> [Int: Observation] {
    var found: [Int: Observation] = [:]
    for key in 0..<keyCount {
      let entry = states[key].flatMap { entry in
        entry.deadline.map { $0.lowerBound > now } ?? true ? entry : nil
      }
      found[key] = Observation(value: entry?.bytes, deadline: entry?.deadline?.lowerBound)
    }
    return found
  }
}

@Suite struct PrefixModelTests {
  private static let keyCount = 64

  /// A model and a server after some commands, of which the last `inFlight` are not answered and
  /// `done` steps of them have happened.
  private static func crashed(
    seed: UInt64, answered: Int, inFlight: Int, random: inout SplitMix, mayBeEvicted: Bool = false
  ) throws -> (model: PrefixModel, server: ModelServer, done: Int, steps: [WriteCommand]) {
    var style = CommandGenerator.Style()
    style.largeByteLimit = 2000
    style.mayBeEvicted = mayBeEvicted
    var generator = CommandGenerator(client: 1, keyCount: keyCount, seed: seed, style: style)
    var model = PrefixModel(mayBeEvicted: mayBeEvicted)
    var server = ModelServer(now: 1_000_000)
    for _ in 0..<answered {
      let command = generator.next(at: server.now)
      model.issue(command, at: server.now)
      try model.acknowledge(server.perform(command), at: server.now)
      server.now += UInt64(random.number(below: 20))
    }
    var steps: [WriteCommand] = []
    for _ in 0..<inFlight {
      let command = generator.next(at: server.now)
      model.issue(command, at: server.now)
      steps += command.steps
    }
    let done = random.number(below: steps.count + 1)
    for step in steps[..<done] { _ = server.perform(step) }
    return (model, server, done, steps)
  }

  @Test(arguments: [false, true])
  func everyPrefixIsFound(mayBeEvicted: Bool) throws {
    for seed in 0..<200 as Range<UInt64> {
      var random = SplitMix(seed: seed)
      var (model, server, done, steps) = try Self.crashed(
        seed: seed, answered: 300, inFlight: 1 + random.number(below: 40), random: &random,
        mayBeEvicted: mayBeEvicted)
      let moment = Moment(asked: server.now, answered: server.now)
      let found = try model.resolve(
        server.observations(Self.keyCount), moment, killTime: server.now)
      // A longer prefix can hold the same: reads change nothing.
      #expect(found.stepCount == steps.count, "seed \(seed)")
      #expect(found.prefix >= done || mayBeEvicted, "seed \(seed)")
      #expect(model.inFlightCount == 0)
      // And the model goes on from there.
      for key in 0..<Self.keyCount {
        let entry = server.observations(Self.keyCount)[key]
        #expect(model.states[key]?.bytes == entry?.value, "seed \(seed), key \(key)")
      }
    }
  }

  @Test func whatWasAnsweredAndIsLostIsNotExplained() throws {
    var refused = 0
    for seed in 0..<100 as Range<UInt64> {
      var random = SplitMix(seed: seed)
      var (model, server, _, _) = try Self.crashed(
        seed: seed, answered: 300, inFlight: 5, random: &random)
      let safe = server.states.filter {
        $0.value.deadline == nil && !model.keysInFlight.contains($0.key)
      }
      guard let lost = safe.keys.min() else { continue }
      server.states[lost] = nil
      refused += 1
      let moment = Moment(asked: server.now, answered: server.now)
      #expect(throws: PrefixModel.Failure.self, "seed \(seed)") {
        try model.resolve(server.observations(Self.keyCount), moment, killTime: server.now)
      }
    }
    #expect(refused > 50)
  }

  @Test func aTornValueIsNotExplained() throws {
    var model = PrefixModel()
    let old = WriteCommand.Pair(key: 3, piece: .init(seed: 1, count: 100))
    let new = WriteCommand.Pair(key: 3, piece: .init(seed: 2, count: 100))
    model.issue(.set(old, lifetime: nil), at: 10)
    try model.acknowledge(.ok, at: 11)
    model.issue(.set(new, lifetime: nil), at: 12)
    let torn = Array(
      Pattern.bytes(seed: 2, count: 100)[..<50] + Pattern.bytes(seed: 1, count: 100)[50...])
    let moment = Moment(asked: 20, answered: 21)
    #expect(throws: PrefixModel.Failure.unexplained(prefix: 0, of: 1, keys: [3])) {
      try model.resolve([3: Observation(value: torn)], moment, killTime: 13)
    }
  }

  @Test func halfOfSeveralIsNotExplained() throws {
    let pairs = [1, 2].map { WriteCommand.Pair(key: $0, piece: .init(seed: UInt64($0), count: 9)) }
    for whole in [true, false] {
      var model = PrefixModel()
      model.issue(.setSeveral(pairs), at: 1)
      let found = [
        1: Observation(value: Pattern.bytes(seed: 1, count: 9)),
        2: Observation(value: whole ? Pattern.bytes(seed: 2, count: 9) : nil),
      ]
      let moment = Moment(asked: 3, answered: 4)
      if whole {
        #expect(try model.resolve(found, moment, killTime: 2).prefix == 1)
      } else {
        #expect(throws: PrefixModel.Failure.self) {
          try model.resolve(found, moment, killTime: 2)
        }
      }
    }
  }

  @Test func aLaterCommandWithoutAnEarlierIsNotExplained() throws {
    var model = PrefixModel()
    for key in [1, 2] {
      model.issue(.set(.init(key: key, piece: .init(seed: 5, count: 4)), lifetime: nil), at: 1)
    }
    let found = [
      1: Observation(value: nil), 2: Observation(value: Pattern.bytes(seed: 5, count: 4)),
    ]
    #expect(throws: PrefixModel.Failure.unexplained(prefix: 0, of: 2, keys: [2])) {
      try model.resolve(found, Moment(asked: 3, answered: 4), killTime: 2)
    }
  }

  @Test func aDeletedKeyMayNotComeBackThoughKeysMayBeEvicted() throws {
    var model = PrefixModel(mayBeEvicted: true)
    model.issue(.set(.init(key: 1, piece: .init(seed: 5, count: 4)), lifetime: nil), at: 1)
    try model.acknowledge(.ok, at: 1)
    model.issue(.delete([1]), at: 2)
    try model.acknowledge(.integer(1), at: 2)
    let found = [1: Observation(value: Pattern.bytes(seed: 5, count: 4))]
    #expect(throws: PrefixModel.Failure.self) {
      try model.resolve(found, Moment(asked: 3, answered: 4), killTime: 2)
    }
  }

  @Test func deadlinesAreKnownAsFarAsTheyCanBe() throws {
    for (found, isRight) in [(1009, false), (1010, true), (1020, true), (1021, false)] {
      var model = PrefixModel()
      model.issue(.set(.init(key: 1, piece: .init(seed: 5, count: 4)), lifetime: 1000), at: 10)
      try model.acknowledge(.ok, at: 20)
      let observation = Observation(
        value: Pattern.bytes(seed: 5, count: 4), deadline: UInt64(found))
      let moment = Moment(asked: 30, answered: 40)
      if isRight {
        try model.resolve([1: observation], moment, killTime: 25)
        #expect(model.states[1]?.deadline == UInt64(found)...UInt64(found))
      } else {
        #expect(throws: PrefixModel.Failure.self) {
          try model.resolve([1: observation], moment, killTime: 25)
        }
      }
    }
  }

  @Test func wrongRepliesAreRefused() throws {
    var model = PrefixModel()
    #expect(throws: PrefixModel.Failure.replyToNothing(.ok)) {
      try model.acknowledge(.ok, at: 1)
    }
    model.issue(.increment(0, by: 1), at: 1)
    try model.acknowledge(.integer(1), at: 1)
    for (command, reply) in [
      (WriteCommand.increment(0, by: 1), Reply.integer(1)), (.get(0), .null),
      (.get(0), .bulk([UInt8(ascii: "2")])), (.delete([0]), .integer(0)),
      (.persist(0), .integer(1)), (.expireAt(0, 99), .integer(0)),
      (.set(.init(key: 3, piece: .init(seed: 1, count: 1)), lifetime: nil), .error([])),
    ] {
      var copy = model
      copy.issue(command, at: 2)
      #expect(throws: PrefixModel.Failure.wrongReply(command, reply)) {
        try copy.acknowledge(reply, at: 2)
      }
    }
  }
}
