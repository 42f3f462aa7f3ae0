/// What can be set while the server runs: see ``Directive``.
public struct Settings: Equatable, Sendable {
  /// What the server does when an entry does not fit under the memory limit.
  public enum Policy: String, CaseIterable, Sendable {
    /// The command is refused.
    case noeviction
    /// Of a few entries taken at random, the one that was not used for longest is evicted.
    case allkeysLRU = "allkeys-lru"
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

  /// The settings of a server that was not told anything else.
  public init(
    maximumByteCount: UInt64 = 0, policy: Policy = .noeviction, sampleCount: Int = 5
  ) {
    self.maximumByteCount = maximumByteCount
    self.policy = policy
    self.sampleCount = sampleCount
  }
}
