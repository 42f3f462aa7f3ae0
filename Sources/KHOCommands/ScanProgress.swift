internal import KexecHandover

/// Tells a person how far a scan has come, once it takes longer than a second.
final class ScanProgress {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var nextReport: ContinuousClock.Instant
  private let total: UInt64
  private var hasReported = false

  init(of memory: MemoryImage) {
    start = clock.now
    nextReport = start + .seconds(1)
    total = memory.byteCount
  }

  func report(_ byteCount: UInt64) {
    guard Console.current.showsProgress, clock.now >= nextReport else { return }
    nextReport = clock.now + .milliseconds(200)
    hasReported = true
    Console.current.showProgress("scanned \(byteText(byteCount)) of at most \(byteText(total))")
  }

  func end() {
    if hasReported { Console.current.showProgress("") }
  }
}
