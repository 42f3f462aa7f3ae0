internal import KexecHandover

/// Tells a person how far something has come, once it takes longer than a second.
final class ScanProgress {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var nextReport: ContinuousClock.Instant
  private let verb: String
  private let total: UInt64
  private var hasReported = false

  convenience init(of memory: MemoryImage) { self.init(verb: "scanned", of: memory.byteCount) }

  /// Progress in what `verb` says is done, of at most `total` bytes.
  init(verb: String, of total: UInt64) {
    start = clock.now
    nextReport = start + .seconds(1)
    self.verb = verb
    self.total = total
  }

  func report(_ byteCount: UInt64) {
    guard Console.current.showsProgress, clock.now >= nextReport else { return }
    nextReport = clock.now + .milliseconds(200)
    hasReported = true
    Console.current.showProgress("\(verb) \(byteText(byteCount)) of at most \(byteText(total))")
  }

  func end() {
    if hasReported { Console.current.showProgress("") }
  }
}
