internal import RESP

/// How a client counts time.
enum TimeUnit {
  case seconds
  case milliseconds

  /// The deadline that a client means with `value`, in milliseconds since 1970, which may be negative;
  /// nil where it has more than 64 bits.
  func deadline(_ value: Int64, isAbsolute: Bool, now: UInt64) -> Int64? {
    var deadline = value
    if self == .seconds {
      let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
      guard !overflow else { return nil }
      deadline = product
    }
    guard !isAbsolute else { return deadline }
    let (sum, overflow) = deadline.addingReportingOverflow(Int64(now))
    return overflow ? nil : sum
  }

  /// Milliseconds as a client counts them, to the nearest second.
  func count(_ milliseconds: Int64) -> Int64 {
    self == .seconds ? (milliseconds &+ 500) / 1000 : milliseconds
  }
}

extension Cache {
  /// The number that a client has sent.
  static func integer(_ argument: RawSpan) throws(CommandError) -> Int64 {
    guard let value = Int64(decimal: argument) else { throw .notInteger }
    return value
  }

  /// The deadline that a client has sent with a value: its time has to be positive.
  func newDeadline(
    _ argument: RawSpan, _ unit: TimeUnit, isAbsolute: Bool, for command: Command
  ) throws(CommandError) -> UInt64 {
    try Self.newDeadline(argument, unit, isAbsolute: isAbsolute, for: command, now: now)
  }

  private static func newDeadline(
    _ argument: RawSpan, _ unit: TimeUnit, isAbsolute: Bool, for command: Command, now: UInt64
  ) throws(CommandError) -> UInt64 {
    let value = try integer(argument)
    guard value > 0,
      let deadline = unit.deadline(value, isAbsolute: isAbsolute, now: now), deadline > 0
    else { throw .invalidTime(command) }
    return UInt64(deadline)
  }
}
