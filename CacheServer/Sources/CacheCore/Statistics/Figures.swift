/// What is counted, over all processes that had the memory.
public struct Figures: Equatable, Sendable {
  /// Commands that were carried out.
  public var commandCount: UInt64 = 0
  /// Keys that were asked for and there.
  public var hitCount: UInt64 = 0
  /// Keys that were asked for and not there.
  public var missCount: UInt64 = 0
  /// Entries that went because their time had come.
  public var expiredCount: UInt64 = 0
  /// Entries that went because memory was short.
  public var evictedCount: UInt64 = 0
  /// Clients that have connected.
  public var connectionCount: UInt64 = 0

  /// Nothing yet.
  public init() {}
}
