/// Tells a person how far a command has come, once it takes longer than a second.
final class CommandProgress {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var nextReport: ContinuousClock.Instant
  private let done: String
  private let total: UInt64
  private var hasReported = false

  /// - Parameters:
  ///   - done: what is done with the bytes, in the past tense.
  ///   - total: how many bytes there are at most.
  init(_ done: String, of total: UInt64) {
    start = clock.now
    nextReport = start + .seconds(1)
    self.done = done
    self.total = total
  }

  func report(_ byteCount: UInt64) {
    guard Console.current.showsProgress, clock.now >= nextReport else { return }
    nextReport = clock.now + .milliseconds(200)
    hasReported = true
    Console.current.showProgress("\(done) \(byteText(byteCount)) of at most \(byteText(total))")
  }

  func end() {
    if hasReported { Console.current.showProgress("") }
  }
}
