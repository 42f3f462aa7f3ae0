/// What can be set while the server runs: see ``Directive``.
public struct Settings: Equatable, Sendable {
  /// What the server does when an entry does not fit under the memory limit.
  public enum Policy: String, CaseIterable, Sendable {
    /// The command is refused.
    case noeviction
    /// Of a few entries taken at random, the one that was not used for longest is evicted.
    case allkeysLRU = "allkeys-lru"
    /// The same, of entries with a deadline.
    case volatileLRU = "volatile-lru"
    /// Of a few entries, the one that was used the least often is evicted.
    case allkeysLFU = "allkeys-lfu"
    /// The same, of entries with a deadline.
    case volatileLFU = "volatile-lfu"
    /// Any entry is evicted.
    case allkeysRandom = "allkeys-random"
    /// Any entry with a deadline is evicted.
    case volatileRandom = "volatile-random"
    /// Of a few entries with a deadline, the one whose deadline comes first is evicted.
    case volatileTTL = "volatile-ttl"

    /// Whether only entries with a deadline are evicted.
    var needsDeadline: Bool {
      switch self {
      case .volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL: true
      default: false
      }
    }

    /// Whether any entry will do.
    var isRandom: Bool { self == .allkeysRandom || self == .volatileRandom }

    /// Whether uses are counted.
    var isByFrequency: Bool { self == .allkeysLFU || self == .volatileLFU }
  }

  /// What ``sampleCount`` may be.
  public static let sampleCounts = 1...64

  /// How many bytes of the memory file the entries may take; 0 for as many as fit.
  public var maximumByteCount: UInt64
  /// What happens when the limit is reached.
  public var policy: Policy
  /// How many entries an eviction looks at, at least: one of ``sampleCounts``.
  public var sampleCount: Int
  /// The password that clients have to give with `AUTH`; empty for none.
  public var password: [UInt8] = []
  /// Whether a server without a password serves only clients of its own machine.
  public var isProtected = true
  /// After how many seconds without data the kernel asks a client's kernel whether it is still there; 0
  /// for never.
  public var keepAliveSeconds = 300
  /// After how many seconds without a request a client is disconnected; 0 for never.
  public var idleSeconds = 0

  /// How many bytes an item of the memcached protocol may have, its key and 50 more counted.
  public var memcachedItemByteLimit: UInt64 = 1 << 20
  /// What ``memcachedItemByteLimit`` may be.
  public static let memcachedItemByteLimits: ClosedRange<UInt64> = 1024...(1 << 30) - 4096

  /// How many bytes the replies to one command or one transaction may take.
  public var replyByteLimit: UInt64 = 2 << 30
  /// What ``replyByteLimit`` may be: a buffer cannot contain 4 GiB.
  public static let replyByteLimits: ClosedRange<UInt64> = 1 << 20...2 << 30

  /// Whether values that are stored get a checksum, which is compared whenever they are read.
  public var checksValues = false

  /// How slowly the count of an entry's uses grows.
  public var frequencyLogFactor = 10
  /// After how many minutes without a use it loses one; 0 for never.
  public var frequencyDecayMinutes = 1
  /// From how many microseconds on a command is in the slow log; negative for none.
  public var slowMicroseconds = 10_000
  /// How many commands the slow log keeps.
  public var slowLogLength = 128

  /// Whether an item is within ``memcachedItemByteLimit``: its key, its value, and the 50 bytes that memcached counts
  /// beside them.
  func fitsItem(keyByteCount: Int, _ byteCount: Int) -> Bool {
    let (sum, overflow) = byteCount.addingReportingOverflow(keyByteCount + 50)
    return !overflow && UInt64(sum) <= memcachedItemByteLimit
  }

  /// The most bytes that the entries may take: the lower of `maxmemory` and the container's limit.
  func byteLimit(inContainerOf containerByteLimit: UInt64) -> UInt64 {
    min(maximumByteCount == 0 ? .max : maximumByteCount, containerByteLimit)
  }

  /// The defaults, but for these.
  public init(
    maximumByteCount: UInt64 = 0, policy: Policy = .noeviction, sampleCount: Int = 5
  ) {
    self.maximumByteCount = maximumByteCount
    self.policy = policy
    self.sampleCount = sampleCount
  }
}
