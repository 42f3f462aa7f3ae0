internal import TrialSupport

/// A client that asks for keys that it knows, one after the other, and connects again at once where it
/// must.
struct BlackoutClient {
  private let port: UInt16
  private let dialect: Dialect
  private let keyCount: Int
  private var generator: SplitMix
  private var connection: Connection?

  /// When the last right answer came.
  private(set) var lastRight: UInt64 = 0
  /// How often it had to connect, or got an error that asks it to wait.
  private(set) var failureCount = 0
  /// How many right answers came.
  private(set) var rightCount = 0

  init(_ server: TrialServer, keyCount: Int, seed: UInt64) {
    port = server.port
    dialect = Dialect(server.kind)
    self.keyCount = keyCount
    generator = SplitMix(seed: seed)
  }

  /// Asks once. `tick` is called before, and whenever the process that `watched` names ends
  /// meanwhile; it gives the process to watch from then on.
  ///
  /// - Returns: whether the right answer came.
  /// - Throws: `TrialFailure` for an answer that must not be.
  mutating func ask(_ tick: () throws -> CInt?) throws -> Bool {
    var watched = try tick()
    let key = generator.number(below: keyCount)
    do {
      let connection = try connection ?? Connection(port: port)
      self.connection = connection
      connection.enqueue(dialect.get(key))
      while true {
        try connection.flush()
        if let answer = try dialect.takeAnswer(to: key, from: connection) {
          return try accept(answer, key)
        }
        if try connection.fill() { continue }
        var wanted = [SystemCalls.Wanted(connection.descriptor, wantsRoom: connection.hasOutput)]
        if let watched { wanted.append(SystemCalls.Wanted(watched)) }
        try SystemCalls.poll(&wanted, milliseconds: 20)
        watched = try tick()
      }
    } catch is ConnectionError {
      // Refused or reset: the next time is at once, but for what lets the server run.
      connection = nil
      failureCount += 1
      SystemCalls.sleep(microseconds: 30)
      return false
    }
  }

  private mutating func accept(_ answer: Dialect.Answer, _ key: Int) throws -> Bool {
    switch answer {
    case .right:
      lastRight = SystemCalls.monotonicNanoseconds
      rightCount += 1
      return true
    case .notReady:
      failureCount += 1
      return false
    case .missing: throw TrialFailure("key \(key) is gone")
    case .wrong(let text): throw TrialFailure("key \(key) is answered with \(text)")
    }
  }
}
