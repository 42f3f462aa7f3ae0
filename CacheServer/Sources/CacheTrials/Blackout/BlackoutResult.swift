internal import TrialSupport

/// All measurements of one event with one number of keys.
struct BlackoutResult {
  let event: BlackoutEvent
  let keyCount: Int
  /// How many other clients are connected.
  let clientCount: Int
  var blackout = Samples()
  var withoutWait = Samples()
  var ending = Samples()
  var failureCount = 0
  var rightCount = 0

  init(event: BlackoutEvent, keyCount: Int, clientCount: Int) {
    self.event = event
    self.keyCount = keyCount
    self.clientCount = clientCount
  }

  /// Whether the operator has to wait before the server can be started again.
  var hasOperatorWait: Bool { blackout != withoutWait }

  mutating func add(_ figures: BlackoutFigures) {
    blackout.add(figures.blackout)
    withoutWait.add(figures.blackoutWithoutWait)
    ending.add(figures.ending)
    failureCount += figures.failureCount
    rightCount += figures.rightCount
  }
}

extension Blackout {
  /// How many times shorter it must be than another's.
  private static let wanted: [(event: BlackoutEvent, ratio: Double)] = [
    (.memcached, 100), (.redis, 350),
  ]

  func report(_ results: [BlackoutResult], in workshop: Workshop) {
    var table = Report.Table(
      "blackout in milliseconds, \(rounds) rounds",
      [
        ("KEYS", "keys"), ("CLIENTS", "clients"), ("EVENT", "event"), ("MEDIAN", "median"),
        ("RANGE", "range"),
        ("WITHOUT OPERATOR'S WAIT", "without_wait"), ("UNTIL GONE", "until_gone"),
        ("RETRIES", "retries"),
      ])
    for result in results {
      table.add([
        .count(result.keyCount), .count(result.clientCount), .words(result.event.rawValue),
        .measured(result.blackout.median), .range(result.blackout, shortDecimal),
        .measured(result.withoutWait.median), .measured(result.ending.median),
        .count(result.failureCount),
      ])
    }
    workshop.add(table)
    for result in results where result.event.kind == .cache && result.clientCount == 0 {
      for (event, ratio) in Self.wanted where result.keyCount >= 800_000 {
        guard
          let other = results.first(where: {
            $0.event == event && $0.keyCount == result.keyCount
          }), let seen = other.blackout.ratio(to: result.blackout),
          let strict = other.withoutWait.ratio(to: result.blackout)
        else { continue }
        let detail = "\(shortDecimal(seen)) times"
        workshop.claim(
          "\(result.event.rawValue): at least \(decimal(ratio, 0)) times shorter than \(event.kind.rawValue)'s with \(result.keyCount) keys",
          seen >= ratio,
          other.hasOperatorWait
            ? "\(detail) as the client sees it, \(shortDecimal(strict)) times without the operator's wait"
            : detail)
      }
    }
    compareSizes(results, in: workshop)
  }

  /// With few keys and with many it takes the same time, within noise: the ranges overlap.
  private func compareSizes(_ results: [BlackoutResult], in workshop: Workshop) {
    for event in BlackoutEvent.allCases where event.kind == .cache {
      let own = results.filter { $0.event == event && $0.clientCount == 0 }.sorted {
        $0.keyCount < $1.keyCount
      }
      guard let first = own.first else { continue }
      let rightCount = own.reduce(0) { $0 + $1.rightCount }
      workshop.claim(
        "\(event.rawValue): no key that is asked for is lost, no answer is wrong", rightCount > 0,
        "\(rightCount) right answers")
      guard let last = own.last, last.keyCount > first.keyCount,
        let least = last.blackout.least, let greatest = first.blackout.greatest
      else { continue }
      workshop.claim(
        "\(event.rawValue): the same within noise for \(first.keyCount) and \(last.keyCount) keys",
        least <= greatest,
        "median \(shortDecimal(first.blackout.median ?? 0)) and \(shortDecimal(last.blackout.median ?? 0)) ms"
      )
    }
  }
}
