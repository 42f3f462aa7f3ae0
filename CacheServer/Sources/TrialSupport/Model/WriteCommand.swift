/// A command of a client that is the only one to write its keys; they are numbered.
public enum WriteCommand: Equatable, Sendable {
  /// A key and the bytes that it gets.
  public struct Pair: Equatable, Sendable {
    /// The key.
    public let key: Int
    /// Its bytes.
    public let piece: CacheEntry.Piece

    /// A pair.
    public init(key: Int, piece: CacheEntry.Piece) {
      self.key = key
      self.piece = piece
    }
  }

  /// `SET`, with `PX` for so many milliseconds.
  case set(Pair, lifetime: UInt64?)
  /// `MSET`.
  case setSeveral([Pair])
  /// `INCRBY`, or `INCR` for 1.
  case increment(Int, by: Int64)
  /// `APPEND`.
  case append(Pair)
  /// `DEL`.
  case delete([Int])
  /// `EXPIRE`, or `PEXPIRE` if they are not whole seconds.
  case expire(Int, milliseconds: UInt64)
  /// `PEXPIREAT`.
  case expireAt(Int, UInt64)
  /// `PERSIST`.
  case persist(Int)
  /// `GET`.
  case get(Int)

  /// The command as it is sent.
  ///
  /// - Parameter name: returns the name of a key.
  public func words(_ name: (Int) -> [UInt8]) -> [[UInt8]] {
    func bytes(_ piece: CacheEntry.Piece) -> [UInt8] {
      Pattern.bytes(seed: piece.seed, count: piece.count)
    }
    func text(_ text: String) -> [UInt8] { Array(text.utf8) }
    switch self {
    case .set(let pair, let lifetime):
      let expiry = lifetime.map { [text("PX"), text("\($0)")] } ?? []
      return [text("SET"), name(pair.key), bytes(pair.piece)] + expiry
    case .setSeveral(let pairs):
      return [text("MSET")] + pairs.flatMap { [name($0.key), bytes($0.piece)] }
    case .increment(let key, 1): return [text("INCR"), name(key)]
    case .increment(let key, let number):
      return [text("INCRBY"), name(key), text("\(number)")]
    case .append(let pair): return [text("APPEND"), name(pair.key), bytes(pair.piece)]
    case .delete(let keys): return [text("DEL")] + keys.map(name)
    case .expire(let key, let milliseconds) where milliseconds % 1000 == 0:
      return [text("EXPIRE"), name(key), text("\(milliseconds / 1000)")]
    case .expire(let key, let milliseconds):
      return [text("PEXPIRE"), name(key), text("\(milliseconds)")]
    case .expireAt(let key, let time):
      return [text("PEXPIREAT"), name(key), text("\(time)")]
    case .persist(let key): return [text("PERSIST"), name(key)]
    case .get(let key): return [text("GET"), name(key)]
    }
  }

  /// The keys that it may change.
  public var changedKeys: [Int] {
    switch self {
    case .set(let pair, _), .append(let pair): [pair.key]
    case .setSeveral(let pairs): pairs.map(\.key)
    case .increment(let key, _), .expire(let key, _), .expireAt(let key, _), .persist(let key):
      [key]
    case .delete(let keys): keys
    case .get: []
    }
  }

  /// All keys that it names.
  public var keys: [Int] {
    if case .get(let key) = self { [key] } else { changedKeys }
  }

  /// The steps of the command in their order. Each happens completely or not at all.
  ///
  /// `DEL` of several keys is one step for each key.
  public var steps: [WriteCommand] {
    guard case .delete(let keys) = self, keys.count > 1 else { return [self] }
    return keys.map { .delete([$0]) }
  }
}

/// What the keys of one client hold.
public typealias KeyStates = [Int: CacheEntry]

extension WriteCommand {
  /// Does to `states` what a server does.
  ///
  /// - Parameter moment: when it can have done it.
  public func apply(to states: inout KeyStates, _ moment: Moment) {
    switch self {
    case .set(let pair, let lifetime):
      states[pair.key] = CacheEntry(
        .pieces([pair.piece]), deadline: lifetime.map { Self.deadline(moment, $0) })
    case .setSeveral(let pairs):
      for pair in pairs { states[pair.key] = CacheEntry(.pieces([pair.piece])) }
    case .increment(let key, let number):
      if case .number(let old)? = states[key]?.content {
        states[key]?.content = .number(old &+ number)
      } else {
        states[key] = CacheEntry(.number(number))
      }
    case .append(let pair):
      if case .pieces(let pieces)? = states[pair.key]?.content {
        states[pair.key]?.content = .pieces(pieces + [pair.piece])
      } else {
        states[pair.key] = CacheEntry(.pieces([pair.piece]))
      }
    case .delete(let keys): for key in keys { states[key] = nil }
    case .expire(let key, let milliseconds):
      states[key]?.deadline = Self.deadline(moment, milliseconds)
    case .expireAt(let key, let time): states[key]?.deadline = time...time
    case .persist(let key): states[key]?.deadline = nil
    case .get: break
    }
  }

  private static func deadline(_ moment: Moment, _ lifetime: UInt64) -> ClosedRange<UInt64> {
    // The two ends were read at different times; a clock that was set back would turn them.
    moment.asked + lifetime...max(moment.asked, moment.answered) + lifetime
  }
}
