internal import KexecHandover

/// Shows the progress of a command on the terminal, once it takes longer than a second.
final class CommandProgress {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var nextReport: ContinuousClock.Instant
  private let done: String
  private let total: UInt64?
  private var hasReported = false

  /// - Parameters:
  ///   - done: what is done with the bytes, in the past tense.
  ///   - total: the most bytes that can be read; nil if that is unknown.
  ///   - delay: for how long nothing is printed.
  init(_ done: String, of total: UInt64?, after delay: Duration = .seconds(1)) {
    start = clock.now
    nextReport = start + delay
    self.done = done
    self.total = total
  }

  func report(_ byteCount: UInt64, of total: UInt64? = nil) {
    guard Console.current.showsProgress, clock.now >= nextReport else { return }
    nextReport = clock.now + .milliseconds(200)
    hasReported = true
    let limit = (total ?? self.total).map { " of at most \(byteText($0))" } ?? ""
    Console.current.showProgress("\(done) \(byteText(byteCount))\(limit)")
  }

  func end() {
    if hasReported { Console.current.showProgress("") }
  }
}
