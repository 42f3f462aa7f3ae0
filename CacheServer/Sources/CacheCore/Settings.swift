/// What can be set while the server runs.
public struct Settings: Equatable, Sendable {
  /// What is done where the memory limit is reached.
  public enum Policy: String, CaseIterable, Sendable {
    /// The command is refused.
    case noeviction
    /// Of a few entries taken at random, the one that was not used for longest goes.
    case allkeysLRU = "allkeys-lru"
  }

  /// What ``sampleCount`` may be.
  public static let sampleCounts = 1...64

  /// How many bytes of the memory file the entries may take; 0 for as many as fit.
  public var maximumByteCount: UInt64
  /// What is done where the limit is reached.
  public var policy: Policy
  /// How many entries an eviction looks at, at least: one of ``sampleCounts``.
  public var sampleCount: Int

  /// The settings.
  public init(
    maximumByteCount: UInt64 = 0, policy: Policy = .noeviction, sampleCount: Int = 5
  ) {
    self.maximumByteCount = maximumByteCount
    self.policy = policy
    self.sampleCount = sampleCount
  }
}
