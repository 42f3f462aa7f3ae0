internal import TrialSupport

/// What two servers have answered to the same questions.
struct Comparison {
  /// Answers that are not what they must be.
  struct Difference {
    let place: String
    let question: String
    let cache: String
    let redis: String
  }

  private(set) var comparedCount = 0
  private(set) var differences: [Difference] = []
  /// How many answers were compared otherwise than byte by byte.
  private(set) var allowedCounts: [Allowance: Int] = [:]

  /// Has a conversation with both.
  mutating func run(_ script: CommandScript, _ cache: ComparedSide, _ redis: ComparedSide) throws {
    try cache.begin()
    try redis.begin()
    for line in script.lines {
      let mine = cache.perform(line.step)
      let others = redis.perform(line.step)
      let place = "\(script.name), line \(line.number)"
      for index in 0..<max(mine.count, others.count) {
        guard index < mine.count, index < others.count else {
          // One side has failed early.
          differ(place, line.text, mine.last?.text ?? "nothing", others.last?.text ?? "nothing")
          break
        }
        compare(mine[index], others[index], line.allowances[index], place, line.text)
      }
    }
  }

  private mutating func compare(
    _ mine: ComparedSide.Answer, _ other: ComparedSide.Answer, _ allowance: Allowance,
    _ place: String, _ question: String
  ) {
    if allowance != .none { allowedCounts[allowance, default: 0] += 1 }
    let isSame =
      switch (mine, other) {
      case (.reply(let ours), .reply(let theirs)): allowance.accepts(ours, theirs)
      case (.failed, .failed): false
      default: mine == other
      }
    if isSame { comparedCount += 1 } else { differ(place, question, mine.text, other.text) }
  }

  /// Compares texts, of programs that have talked to the servers.
  mutating func compare(_ mine: String, _ other: String, _ place: String, _ question: String) {
    if mine == other { comparedCount += 1 } else { differ(place, question, mine, other) }
  }

  private mutating func differ(
    _ place: String, _ question: String, _ cache: String, _ redis: String
  ) {
    comparedCount += 1
    differences.append(
      Difference(place: place, question: question, cache: cache, redis: redis))
  }
}
