internal import PersistentCollections

/// What the cache stores in the two words beside each value:
///
///     first   the deadline
///     second  bits  0 … 47   the clock of the last access
///             bits 48 … 55   how often the entry was used
///             bits 56 … 61   the marks of an item of the memcached protocol: ItemMarks
///             bit  62        whether a checksum follows the value: ValueChecksum
///             bit  63        whether the key was changed for the present layout: isOfNewLayout
extension EntryMetadata {
  private static let clockMask: UInt64 = 1 << 48 - 1

  /// - Parameter deadline: when the entry expires, in milliseconds since 1970; 0 for never.
  /// - Parameter lastAccess: when it was used last, by the clock of accesses.
  init(deadline: UInt64 = 0, lastAccess: UInt64) {
    self.init(first: deadline, second: lastAccess & Self.clockMask)
  }

  /// When the entry expires, in milliseconds since 1970; 0 for never.
  var deadline: UInt64 { first }

  /// When the entry was used last, by the clock of accesses.
  var lastAccess: UInt64 { second & Self.clockMask }

  /// How often it was used: a logarithm, as ``UseCount`` counts.
  var useCount: UInt8 {
    get { UInt8(truncatingIfNeeded: second >> 48) }
    set { second = second & ~(0xff << 48) | UInt64(newValue) << 48 }
  }

  /// Whether the key was changed from the layout of one database to the present one.
  var isOfNewLayout: Bool {
    get { second >> 63 == 1 }
    set { second = second & ~(1 << 63) | (newValue ? 1 << 63 : 0) }
  }

  /// Whether the entry has expired at `time`, in milliseconds since 1970.
  @inline(__always)
  func isOver(at time: UInt64) -> Bool { deadline != 0 && deadline <= time }

  /// Notes a use.
  @inline(__always)
  mutating func noteUse(at clock: UInt64, _ uses: UseCount?) {
    if let uses {
      useCount = uses.next(after: uses.decayed(useCount, since: lastAccess, at: clock))
    }
    second = second & ~Self.clockMask | clock & Self.clockMask
  }

  /// How often it was used, less one for each period without a use.
  func decayedUseCount(at clock: UInt64, _ settings: Settings) -> UInt8 {
    UseCount(settings, random: 0).decayed(useCount, since: lastAccess, at: clock)
  }
}

/// How uses are counted for the policies by frequency, as Redis describes it: a count that grows the more
/// slowly the larger it is, and loses one for each period without a use.
struct UseCount {
  /// The count of a new entry, so that it is not evicted at once.
  static let initial: UInt8 = 5

  private let factor: UInt64
  private let minutes: UInt64
  private let random: UInt64

  init(_ settings: Settings, random: UInt64) {
    factor = UInt64(settings.frequencyLogFactor)
    minutes = UInt64(settings.frequencyDecayMinutes)
    self.random = random
  }

  func decayed(_ count: UInt8, since last: UInt64, at clock: UInt64) -> UInt8 {
    guard minutes > 0 else { return count }
    let periods = (clock &- min(last, clock)) / 60_000 / minutes
    return periods >= UInt64(count) ? 0 : count - UInt8(periods)
  }

  /// The count after one more use: larger with a probability of 1 in (count above the initial · factor + 1).
  func next(after count: UInt8) -> UInt8 {
    guard count < .max else { return count }
    let above = count > Self.initial ? UInt64(count - Self.initial) : 0
    return random % (above * factor + 1) == 0 ? count + 1 : count
  }
}
