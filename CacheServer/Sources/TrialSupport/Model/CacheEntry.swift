/// What a key holds, as far as its writer knows.
public struct CacheEntry: Equatable, Sendable {
  /// Bytes that follow from numbers.
  public struct Piece: Equatable, Sendable {
    /// From which they follow.
    public let seed: UInt64
    /// How many.
    public let count: Int

    /// Those bytes.
    public init(seed: UInt64, count: Int) {
      self.seed = seed
      self.count = count
    }
  }

  /// The value.
  public enum Content: Equatable, Sendable {
    /// Pieces one behind the other.
    case pieces([Piece])
    /// A decimal number.
    case number(Int64)
  }

  /// The value.
  public var content: Content
  /// When it ends, in milliseconds since 1970: known as a range, where the server's clock decided; nil
  /// for never.
  public var deadline: ClosedRange<UInt64>?

  /// An entry.
  public init(_ content: Content, deadline: ClosedRange<UInt64>? = nil) {
    self.content = content
    self.deadline = deadline
  }

  /// The value's bytes.
  public var bytes: [UInt8] {
    switch content {
    case .number(let number): return Array(String(number).utf8)
    case .pieces(let pieces):
      var bytes: [UInt8] = []
      for piece in pieces { Pattern.append(seed: piece.seed, count: piece.count, to: &bytes) }
      return bytes
    }
  }

  /// The value's length.
  public var byteCount: Int {
    switch content {
    case .number(let number): String(number).utf8.count
    case .pieces(let pieces): pieces.reduce(0) { $0 + $1.count }
    }
  }
}

/// What a server has said about a key.
public struct Observation: Equatable, Sendable {
  /// The value; nil if none exists.
  public var value: [UInt8]?
  /// When it ends, in milliseconds since 1970; nil for never.
  public var deadline: UInt64?

  /// What was said.
  public init(value: [UInt8]?, deadline: UInt64? = nil) {
    self.value = value
    self.deadline = deadline
  }
}

/// When a question was asked and answered, in milliseconds since 1970.
public struct Moment: Equatable, Sendable {
  /// Before the question was sent.
  public let asked: UInt64
  /// After the answer had come.
  public let answered: UInt64

  /// Between those.
  public init(asked: UInt64, answered: UInt64) {
    self.asked = asked
    self.answered = answered
  }
}

extension CacheEntry? {
  /// Whether the entry may be gone at that moment, as its time may have come.
  func mayBeGone(_ moment: Moment) -> Bool {
    guard let entry = self else { return true }
    guard let deadline = entry.deadline else { return false }
    return deadline.lowerBound <= moment.answered
  }

  /// Whether it may still be there.
  func mayBeThere(_ moment: Moment) -> Bool {
    guard let entry = self else { return false }
    guard let deadline = entry.deadline else { return true }
    // Redis still has it in the millisecond of the deadline.
    return deadline.upperBound >= moment.asked
  }

  /// Whether `observation` can have been made of it.
  ///
  /// - Parameter mayBeEvicted: whether any key may be gone.
  func explains(_ observation: Observation, _ moment: Moment, mayBeEvicted: Bool) -> Bool {
    guard let value = observation.value else { return mayBeEvicted || mayBeGone(moment) }
    guard let entry = self, mayBeThere(moment), entry.byteCount == value.count else {
      return false
    }
    switch (entry.deadline, observation.deadline) {
    case (nil, nil): break
    case (let range?, let deadline?): guard range.contains(deadline) else { return false }
    default: return false
    }
    return entry.bytes == value
  }
}
