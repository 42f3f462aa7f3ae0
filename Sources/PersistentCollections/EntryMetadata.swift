/// Two words of the user's beside each value: a deadline and a clock, for example.
///
/// Each is stored whole, also for the next process after a crash, and can be changed without touching the
/// value.
@frozen
public struct EntryMetadata: Hashable, Sendable {
  /// The first word.
  public var first: UInt64
  /// The second word.
  public var second: UInt64

  /// Two words, zero if nothing else is said.
  @inlinable
  public init(first: UInt64 = 0, second: UInt64 = 0) {
    self.first = first
    self.second = second
  }
}
