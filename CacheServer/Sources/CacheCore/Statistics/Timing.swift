#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// How often each command came, and how long it took: `INFO commandstats`, `errorstats`, and what
/// `SLOWLOG` is about. Of this process alone.
///
/// Reading the exact clock costs as much as a GET of a short value, so where only commands are looked for
/// that take many milliseconds, a clock that ticks every few is read, and one call in 16 is timed exactly.
struct Timing {
  struct Command: Equatable {
    var callCount: UInt64 = 0
    var microseconds: UInt64 = 0
    var refusedCount: UInt64 = 0
    var failedCount: UInt64 = 0
  }

  private(set) var commands = [Command](
    repeating: Command(), count: CacheCore.Command.allCases.count)
  /// How often which error was answered, by its first word.
  private(set) var errors: [String: UInt64] = [:]
  private(set) var errorCount: UInt64 = 0
  /// From how many microseconds on a command is slow.
  var slowMicroseconds: UInt64 = 10_000 {
    didSet { isExact = slowMicroseconds < Self.coarseLimit }
  }
  private var isExact = false
  private var coarse: UInt64 = 0

  /// What a command that takes longer is noticed by without the exact clock.
  private static let coarseLimit: UInt64 = 10_000
  private static let sampleInterval: UInt64 = 16

  mutating func beginBatch() { coarse = Self.microseconds(CLOCK_MONOTONIC_COARSE) }

  /// When a command began; 0 where that is not measured exactly.
  @inline(__always)
  mutating func begin(_ index: Int) -> UInt64 {
    let count = commands[index].callCount
    commands[index].callCount = count &+ 1
    guard isExact || count % Self.sampleInterval == 0 else { return 0 }
    return Self.microseconds(CLOCK_MONOTONIC)
  }

  /// How many microseconds it took, as far as that is known.
  @inline(__always)
  mutating func end(_ index: Int, _ begun: UInt64) -> UInt64 {
    if begun != 0 {
      let taken = Self.microseconds(CLOCK_MONOTONIC) &- begun
      commands[index].microseconds &+= isExact ? taken : taken &* Self.sampleInterval
      return taken
    }
    let time = Self.microseconds(CLOCK_MONOTONIC_COARSE)
    let taken = time &- coarse
    coarse = time
    return taken
  }

  mutating func countFailure(_ index: Int, _ code: String) {
    commands[index].failedCount &+= 1
    countError(code)
  }

  mutating func countRefusal(_ index: Int, _ code: String) {
    commands[index].refusedCount &+= 1
    countError(code)
  }

  mutating func countError(_ code: String) {
    errorCount &+= 1
    // Codes are of this program, but for a bound on them nothing has to be known about that.
    if errors[code] != nil || errors.count < 128 { errors[code, default: 0] &+= 1 }
  }

  mutating func reset() {
    commands = [Command](repeating: Command(), count: commands.count)
    errors = [:]
    errorCount = 0
  }

  private static func microseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // SAFETY: the call fills the structure.
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_nsec) / 1000
  }
}
