/// What a server must know after a crash, for a client that is the only one to write its keys.
///
/// What was answered has happened. Of the commands that were sent and not answered, the server has
/// carried out the first few, and no more: it must be possible to name a number of steps after which
/// every key holds what was found.
public struct PrefixModel: Sendable {
  /// A command that is not answered yet.
  struct Issued: Sendable {
    let command: WriteCommand
    let time: UInt64
  }

  /// Why something cannot be.
  public enum Failure: Error, Equatable, Sendable {
    /// A reply that no server that keeps its keys gives.
    case wrongReply(WriteCommand, Reply)
    /// A reply to nothing.
    case replyToNothing(Reply)
    /// After the prefix that explains most, these keys hold something else.
    case unexplained(prefix: Int, of: Int, keys: [Int])
  }

  /// How the keys were explained.
  public struct Resolution: Equatable, Sendable {
    /// How many steps of those in flight have happened.
    public let prefix: Int
    /// How many were in flight.
    public let stepCount: Int
  }

  /// What the keys hold, with all that was answered.
  public private(set) var states: KeyStates = [:]
  private(set) var inFlight: [Issued] = []
  private var firstInFlight = 0
  /// Whether any key may be gone at any time.
  public let mayBeEvicted: Bool

  /// A model without keys.
  public init(mayBeEvicted: Bool = false) { self.mayBeEvicted = mayBeEvicted }

  /// How many commands are not answered.
  public var inFlightCount: Int { inFlight.count - firstInFlight }

  /// The keys that commands in flight may have changed.
  public var keysInFlight: Set<Int> {
    Set(inFlight[firstInFlight...].flatMap(\.command.changedKeys))
  }

  /// A command is sent.
  public mutating func issue(_ command: WriteCommand, at time: UInt64) {
    inFlight.append(Issued(command: command, time: time))
  }

  /// The oldest command in flight is answered.
  ///
  /// - Throws: ``Failure``.
  public mutating func acknowledge(_ reply: Reply, at time: UInt64) throws(Failure) {
    guard firstInFlight < inFlight.count else { throw .replyToNothing(reply) }
    let issued = inFlight[firstInFlight]
    let moment = Moment(asked: issued.time, answered: time)
    guard
      issued.command.accepts(reply, &states, moment, mayBeEvicted: mayBeEvicted)
    else { throw .wrongReply(issued.command, reply) }
    issued.command.apply(to: &states, moment)
    firstInFlight += 1
    if firstInFlight > 256, firstInFlight * 2 > inFlight.count {
      inFlight.removeFirst(firstInFlight)
      firstInFlight = 0
    }
  }

  /// The server was killed at `killTime` and has come back; its keys are `observations`, which are at
  /// least ``keysInFlight``.
  ///
  /// - Throws: ``Failure/unexplained(prefix:of:keys:)``.
  @discardableResult
  public mutating func resolve(
    _ observations: [Int: Observation], _ moment: Moment, killTime: UInt64
  ) throws(Failure) -> Resolution {
    let steps = inFlight[firstInFlight...].flatMap { issued in
      issued.command.steps.map {
        ($0, Moment(asked: issued.time, answered: max(issued.time, killTime)))
      }
    }
    var candidate = states
    func isExplained(_ key: Int, _ observation: Observation) -> Bool {
      candidate[key].explains(observation, moment, mayBeEvicted: mayBeEvicted)
    }
    var unexplained = Set(observations.filter { !isExplained($0.key, $0.value) }.keys)
    var best = (prefix: 0, keys: unexplained)
    var prefix = 0
    // The longest that explains all.
    var found: (prefix: Int, states: KeyStates)? = unexplained.isEmpty ? (0, candidate) : nil
    for (command, moment) in steps {
      command.apply(to: &candidate, moment)
      prefix += 1
      for key in command.changedKeys {
        guard let observation = observations[key] else { continue }
        if isExplained(key, observation) {
          unexplained.remove(key)
        } else {
          unexplained.insert(key)
        }
      }
      if unexplained.count < best.keys.count { best = (prefix, unexplained) }
      if unexplained.isEmpty { found = (prefix, candidate) }
    }
    guard let found else {
      throw .unexplained(prefix: best.prefix, of: steps.count, keys: best.keys.sorted())
    }
    states = found.states
    for (key, observation) in observations {
      // Known exactly now.
      if observation.value == nil { states[key] = nil }
      states[key]?.deadline = observation.deadline.map { $0...$0 }
    }
    inFlight = []
    firstInFlight = 0
    return Resolution(prefix: found.prefix, stepCount: steps.count)
  }
}
